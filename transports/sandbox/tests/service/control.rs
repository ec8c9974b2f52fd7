//! The control interface.

use http::{Method, Request};
use imts_sandbox::{
    Break, Delay, Delivery, Fault, GET_TOKEN_PATH, Operation, Position, Rotation, Rule, Sandbox,
    Settings,
};
use serde_json::{Value, json};

use crate::{Agent, NOON, at, credentials, json_of, post};

fn get(service: &mut Sandbox, path: &str) -> Value {
    let request = Request::builder().method(Method::GET).uri(path).body(Vec::new()).unwrap();
    json_of(&service.handle(NOON, &request))
}

#[test]
fn it_says_what_it_is_and_tells_no_secret() {
    let mut service = Sandbox::default();
    let identity = get(&mut service, "/_sandbox");
    assert_eq!((&identity["sandbox"], &identity["requests"]), (&json!("imts"), &json!(0)));
    assert!(!identity.to_string().contains("sandbox-secret"));
}

#[test]
fn it_changes_what_is_named_and_nothing_else() {
    let mut service = Sandbox::default();
    let change = json!({ "rotation": { "grace_seconds": 5 }, "access_lifetime_s": 60 });
    assert_eq!(service.handle(NOON, &post("/_sandbox/settings", &change)).status(), 200);
    assert_eq!(service.settings().rotation, Rotation::GraceSeconds(5));
    assert_eq!(service.settings().access_lifetime.as_secs(), 60);
    assert_eq!(service.settings().refresh_lifetime.as_secs(), 2_592_000);
}

#[test]
fn an_outage_begins_and_ends() {
    let mut service = Sandbox::default();
    for (outage, expected) in [(json!({ "retry_after_s": 1 }), 503), (Value::Null, 200)] {
        let change = json!({ "outage": outage });
        let _ = service.handle(NOON, &post("/_sandbox/settings", &change));
        let response = service.handle(at(1), &post(GET_TOKEN_PATH, &credentials()));
        assert_eq!(response.status(), expected);
    }
}

#[test]
fn an_unknown_setting_is_an_error_that_names_it() {
    let mut service = Sandbox::default();
    let response = service.handle(NOON, &post("/_sandbox/settings", &json!({ "rotatoin": 1 })));
    assert_eq!(response.status(), 400);
    assert!(json_of(&response)["error"].as_str().unwrap().contains("rotatoin"));
}

#[test]
fn it_revokes_resets_and_leaves_no_trace_in_the_log() {
    let mut agent = Agent::default();
    let token = agent.sign_in(NOON)["access_token"].clone();
    let _ = agent.service.handle(NOON, &post("/_sandbox/revoke", &json!({ "access": true })));
    assert_eq!(agent.echo(at(1), &token), 401);
    assert_eq!(agent.service.log().len(), 2);
    let entries = get(&mut agent.service, "/_sandbox/log?since=1");
    assert_eq!(entries["entries"].as_array().unwrap().len(), 1);
    assert_eq!(entries["entries"][0]["operation"], "echo");
    let _ = agent.service.handle(NOON, &post("/_sandbox/reset", &json!({})));
    assert!(agent.service.log().is_empty());
}

#[test]
fn operations_are_added_scripted_moved_and_taken_away() {
    let mut agent = Agent::signed_in(Settings::default());
    let set = |agent: &mut Agent, operations: Value| {
        let change = post("/_sandbox/settings", &json!({ "operations": operations }));
        agent.service.handle(NOON, &change).status().as_u16()
    };
    let body = json!({ "client_uuid": "a" });
    assert_eq!(set(&mut agent, json!({ "payout": { "path": "/p" } })), 200);
    assert_eq!(agent.call(at(1), "/p", &body).status(), 200);
    let replies =
        json!([{ "status": 409, "body": { "code": 7 }, "applied": true, "latency_ms": 9 }]);
    assert_eq!(set(&mut agent, json!({ "payout": { "replies": replies } })), 200);
    let response = agent.call(at(1), "/p", &body);
    assert_eq!((response.status().as_u16(), json_of(&response)), (409, json!({ "code": 7 })));
    assert_eq!(response.extensions().get::<Delay>().unwrap().0.as_millis(), 9);
    assert_eq!(agent.service.ledger().applied(Operation::Payout, "a"), 2);
    let report = json!({ "report": { "path": "/r", "class": "read", "evidence": "draft" } });
    assert_eq!(set(&mut agent, report), 200);
    let identity = agent.control("/_sandbox");
    let expected = json!({ "path": "/r", "class": "read", "evidence": "draft" });
    assert_eq!(identity["operations"]["report"], expected);
    assert_eq!(set(&mut agent, json!({ "payout": { "path": "/q" } })), 200);
    assert_eq!(agent.call(at(1), "/p", &body).status(), 404);
    assert_eq!(agent.call(at(1), "/q", &body).status(), 409);
    assert_eq!(set(&mut agent, json!({ "payout": null })), 200);
    assert_eq!(agent.call(at(1), "/q", &body).status(), 404);
    assert_eq!(set(&mut agent, json!({ "get-token": { "path": "/auth" } })), 200);
    assert_eq!(agent.service.handle(NOON, &post("/auth", &credentials())).status(), 200);
}

#[test]
fn a_change_that_is_wrong_in_one_place_changes_nothing() {
    let rule = |when: Value, fault: Value| json!([{ "when": when, "fault": fault }]);
    for (name, value) in [
        ("operations", json!({ "payout": {} })),
        ("operations", json!({ "payout": { "path": "p" } })),
        ("operations", json!({ "payout": { "path": "/p", "class": "read" } })),
        ("operations", json!({ "payout": { "path": "/v5/partner/transfer/fees" } })),
        ("operations", json!({ "report": { "path": "/r" } })),
        ("operations", json!({ "fees": { "replies": [{ "status": 1000 }] } })),
        ("operations", json!({ "fees": { "replies": [{ "statsu": 200 }] } })),
        ("operations", json!({ "echo": null })),
        ("outage", json!({ "status": 0 })),
        ("faults", json!([{ "operation": "refesh", "fault": "dropped" }])),
        ("faults", json!([{ "operation": "payout", "fault": "dropped" }])),
        ("faults", rule(json!({ "percent": 101 }), json!("dropped"))),
        ("faults", rule(json!("always"), json!({ "status": { "status": 99 } }))),
        ("faults", rule(json!("always"), json!({ "delivery": "explode" }))),
        (
            "faults",
            rule(json!("always"), json!({ "delivery": { "broken": { "at": "mid_body" } } })),
        ),
        ("latency_ms", json!(u64::MAX)),
        ("skew_s", json!(1e99)),
    ] {
        let mut service = Sandbox::default();
        let before = format!("{:?}", service.settings());
        let change = json!({ "reject_access": true, "access_lifetime_s": 1, name: value });
        let response = service.handle(NOON, &post("/_sandbox/settings", &change));
        assert_eq!(response.status(), 400, "{change}");
        assert_eq!(format!("{:?}", service.settings()), before, "{change}");
    }
}

#[test]
fn every_delivery_comes_through_as_it_is_written() {
    for (text, delivery) in [
        (json!("half_closed"), Delivery::HalfClosed),
        (
            json!({ "broken": { "at": "before_read", "by": "half_close" } }),
            Delivery::Broken { at: Position::BeforeRead, by: Break::HalfClose },
        ),
        (
            json!({ "next_broken": { "at": "after_apply", "by": "reset" } }),
            Delivery::NextBroken { at: Position::AfterApply, by: Break::Reset },
        ),
        (json!({ "stalled_after": 3 }), Delivery::StalledAfter(3)),
        (json!("bad_chunk"), Delivery::BadChunk),
        (json!("gzip_bomb"), Delivery::GzipBomb),
        (json!({ "interim": 2 }), Delivery::Interim(2)),
        (json!("interim_flood"), Delivery::InterimFlood),
        (json!({ "redirect_to": 80 }), Delivery::RedirectTo(80)),
    ] {
        let mut service = Sandbox::default();
        let change =
            json!({ "faults": [{ "operation": "get-token", "fault": { "delivery": text } }] });
        let response = service.handle(NOON, &post("/_sandbox/settings", &change));
        assert_eq!(response.status(), 200, "{change}");
        let rule = Rule::always(Operation::GetToken, Fault::Delivery(delivery));
        assert_eq!(service.settings().faults, [rule]);
    }
}

#[test]
fn the_services_clock_is_set_in_seconds() {
    let mut service = Sandbox::default();
    for (skew, time) in [(3_600, "12:17:31"), (-60, "11:16:31"), (0, "11:17:31")] {
        let change = json!({ "skew_s": skew });
        assert_eq!(service.handle(NOON, &post("/_sandbox/settings", &change)).status(), 200);
        let reply = json_of(&service.handle(NOON, &post(GET_TOKEN_PATH, &credentials())));
        assert_eq!(reply["response_time"], format!("2025-07-23T{time}.577745Z"), "{skew}");
    }
}
