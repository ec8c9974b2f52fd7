//! The ledger: what was applied, and how often.

use http::Response;
use imts_sandbox::{
    Break, Delivery, Fault, Operation, Outage, Position, Rule, Scripted, Verdict, When,
};
use serde_json::json;

use crate::{
    Agent, CONFIRM_PATH, CREATE_PATH, NOON, STATUS_PATH, at, json_of, post, with_transfers,
};

const CREATE: Operation = Operation::CreateTransfer;

fn create(agent: &mut Agent, id: &str) -> Response<Vec<u8>> {
    agent.call(at(1), CREATE_PATH, &json!({ "client_uuid": id }))
}

fn applied(agent: &Agent, id: &str) -> u64 {
    agent.service.ledger().applied(CREATE, id)
}

/// The next call of this kind meets a fault.
fn faulted(fault: Fault) -> Agent {
    let mut agent = with_transfers();
    agent.service.set_faults(vec![Rule { operation: Some(CREATE), when: When::Nth(1), fault }]);
    agent
}

#[test]
fn an_intent_that_is_applied_twice_is_seen_with_its_times() {
    let mut agent = with_transfers();
    for (second, id) in [(1, "a"), (2, "b"), (5, "a")] {
        agent.call(at(second), CREATE_PATH, &json!({ "client_uuid": id }));
    }
    let ledger = agent.service.ledger();
    assert_eq!((ledger.applied(CREATE, "a"), ledger.applied(CREATE, "b")), (2, 1));
    let twice: Vec<_> = ledger.applied_twice().collect();
    assert_eq!(twice.len(), 1);
    assert_eq!((twice[0].id.as_str(), twice[0].operation, twice[0].applied), ("a", CREATE, 2));
    assert_eq!((twice[0].first_us, twice[0].last_us), (at(1).micros(), at(5).micros()));
}

#[test]
fn one_id_under_two_operations_is_two_intents() {
    let mut agent = with_transfers();
    for path in [CREATE_PATH, crate::CONFIRM_PATH] {
        agent.call(at(1), path, &json!({ "client_uuid": "a" }));
    }
    assert_eq!(agent.service.ledger().intents().count(), 2);
    assert_eq!(agent.service.ledger().applied_twice().count(), 0);
}

#[test]
fn what_reads_is_not_in_the_ledger_and_what_has_no_id_is_counted_apart() {
    let mut agent = with_transfers();
    assert_eq!(
        json_of(&agent.call(at(1), crate::STATUS_PATH, &json!({ "client_uuid": "a" })))["payload"],
        json!({ "client_uuid": "a" })
    );
    assert_eq!(agent.service.log().last().unwrap().verdict, Verdict::Answered);
    assert_eq!(agent.service.ledger().intents().count(), 0);
    // An id deeper inside is none.
    agent.call(at(1), CREATE_PATH, &json!({ "deep": { "client_uuid": "a" } }));
    assert_eq!(agent.service.ledger().without_id(), 1);
    agent.service.settings_mut().id_field = "order".to_owned();
    agent.call(at(1), CREATE_PATH, &json!({ "order": "o", "client_uuid": 1 }));
    assert_eq!(applied(&agent, "o"), 1);
}

#[test]
fn a_faults_position_says_whether_the_request_was_applied() {
    for at in [
        Position::BeforeRead,
        Position::BeforeApply,
        Position::AfterApply,
        Position::MidHeaders,
        Position::MidBody,
    ] {
        for by in [Break::Close, Break::Reset, Break::Stall, Break::HalfClose] {
            let delivery = Delivery::Broken { at, by };
            let mut agent = faulted(Fault::Delivery(delivery));
            let response = create(&mut agent, "a");
            assert_eq!(response.extensions().get(), Some(&delivery));
            let expected = !matches!(at, Position::BeforeRead | Position::BeforeApply);
            assert_eq!(delivery.applies(), expected);
            assert_eq!(applied(&agent, "a"), u64::from(expected), "{delivery:?}");
            let verdict = agent.service.log().last().unwrap().verdict;
            assert_eq!(verdict == Verdict::Applied, expected, "{verdict:?}");
            assert_eq!(create(&mut agent, "a").extensions().get::<Delivery>(), None);
        }
    }
}

#[test]
fn what_never_applies_and_what_always_does() {
    let never = [
        Fault::Status { status: 200, retry_after_s: None },
        Fault::Html { status: 403 },
        Fault::Redirect { status: 307, location: "http://x/".to_owned() },
        Fault::Dropped,
    ];
    for fault in never {
        let mut agent = faulted(fault.clone());
        create(&mut agent, "a");
        assert_eq!(applied(&agent, "a"), 0, "{fault:?}");
    }
    let always = [
        Fault::Body { text: "not JSON".to_owned() },
        Fault::ContentType { value: "text/html".to_owned() },
        Fault::Latency { ms: 1 },
        Fault::Delivery(Delivery::Reset),
        Fault::Delivery(Delivery::RedirectTo(1)),
    ];
    for fault in always {
        let mut agent = faulted(fault.clone());
        create(&mut agent, "a");
        assert_eq!(applied(&agent, "a"), 1, "{fault:?}");
    }
}

#[test]
fn a_401_a_bad_request_and_an_outage_never_apply() {
    let mut agent = with_transfers();
    let body = json!({ "client_uuid": "a" });
    assert_eq!(agent.service.handle(NOON, &post(CREATE_PATH, &body)).status(), 401);
    assert_eq!(agent.call(at(900), CREATE_PATH, &body).status(), 401);
    let mut broken = agent.request(CREATE_PATH, &body);
    broken.body_mut().push(b'x');
    assert_eq!(agent.service.handle(at(1), &broken).status(), 400);
    agent.service.settings_mut().outage = Some(Outage::default());
    assert_eq!(create(&mut agent, "a").status(), 503);
    agent.service.settings_mut().outage = None;
    agent.service.settings_mut().reject_access = true;
    assert_eq!(create(&mut agent, "a").status(), 401);
    assert_eq!(agent.service.ledger().intents().count(), 0);
}

#[test]
fn a_scripted_refusal_is_not_applied_unless_the_script_says_so() {
    let with_body = |status: u16, body| {
        let mut scripted = Scripted::status(status);
        scripted.body = Some(body);
        scripted
    };
    let mut secretly = Scripted::status(500);
    secretly.applied = Some(true);
    for (scripted, expected) in [
        (Scripted::status(200), 1),
        (Scripted::status(201), 1),
        (Scripted::status(400), 0),
        (Scripted::status(500), 0),
        (with_body(200, json!({ "state": false })), 0),
        (with_body(200, json!({ "state": true })), 1),
        (with_body(200, json!({ "error": { "code": 42 } })), 0),
        (with_body(200, json!({ "error_code": "1001" })), 0),
        (with_body(200, json!({ "error_code": "7" })), 1),
        (secretly, 1),
    ] {
        let mut agent = with_transfers();
        let served = agent.service.settings_mut().operations.get_mut(&CREATE).unwrap();
        served.decided.codes = vec![json!("1001"), json!(42)];
        served.replies = [scripted.clone()].into();
        let response = create(&mut agent, "a");
        assert_eq!(response.status(), scripted.status);
        assert_eq!(applied(&agent, "a"), expected, "{scripted:?}");
    }
}

#[test]
fn a_full_ledger_refuses_new_intents_and_forgets_none() {
    let mut agent = with_transfers();
    agent.service.settings_mut().memory_limit = 2;
    assert_eq!(create(&mut agent, "a").status(), 200);
    assert_eq!(create(&mut agent, "b").status(), 200);
    assert_eq!(create(&mut agent, "c").status(), 503);
    assert_eq!(agent.service.log().last().unwrap().verdict, Verdict::LedgerFull);
    assert_eq!(create(&mut agent, "a").status(), 200);
    assert_eq!((applied(&agent, "a"), applied(&agent, "c")), (2, 0));
}

#[test]
fn the_control_door_tells_the_ledger_and_a_reset_empties_it() {
    let mut agent = with_transfers();
    for id in ["b", "a", "b"] {
        create(&mut agent, id);
    }
    let ledger = agent.control("/_sandbox/ledger");
    let entries: Vec<_> = ledger["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["id"].clone(), entry["operation"].clone(), entry["applied"].clone()))
        .collect();
    let expected = [("a", 1), ("b", 2)]
        .map(|(id, applied)| (json!(id), json!("create-transfer"), json!(applied)));
    assert_eq!(entries, expected);
    assert_eq!(ledger["applied_twice"], json!(["b"]));
    agent.service.reset();
    let ledger = agent.control("/_sandbox/ledger");
    assert_eq!(ledger, json!({ "entries": [], "applied_twice": [], "without_id": 0 }));
}

#[test]
fn an_id_of_what_is_written_has_1_to_256_bytes_and_that_of_what_reads_is_anything() {
    let mut agent = with_transfers();
    let status = |agent: &mut Agent, path: &str, id: serde_json::Value| {
        agent.call(NOON, path, &json!({ "client_uuid": id })).status().as_u16()
    };
    let rows = [(json!("a".repeat(256)), 200), (json!("a".repeat(257)), 422), (json!(""), 422)];
    for (id, expected) in rows.into_iter().chain([(json!(17), 422), (json!(null), 422)]) {
        assert_eq!(status(&mut agent, CONFIRM_PATH, id.clone()), expected, "{id}");
        assert_eq!(status(&mut agent, STATUS_PATH, id.clone()), 200, "{id}");
    }
}
