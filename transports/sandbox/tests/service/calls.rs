//! The operations behind the bearer.

use http::Request;
use imts_sandbox::{
    Class, Delay, Evidence, FEES_PATH, Operation, Sandbox, Scripted, Served, ServiceFileError,
    Settings, Verdict,
};
use serde_json::{Value, json};

use crate::{Agent, CREATE_PATH, NOON, at, json_of, post, with_transfers};

const SERVICE_FILE: &str = r#"
    version = 1
    [operation.create-transfer]
    path = "/v5/partner/transfer/example"
    [operation.create-transfer.decided_before_processing]
    statuses = [429]
    codes = ["1001", 42]
    [operation.my-report]
    path = "/v5/partner/transfer/report"
    class = "read"
"#;

fn fees() -> Value {
    json!({
        "originator_type": "person", "target_country": "UZB", "amount_source": 15.4,
        "currency_source": "KZT", "currency_target": "UZB",
    })
}

#[test]
fn no_operation_but_the_three_whose_paths_are_known_is_there_by_default() {
    let paths: Vec<_> =
        Settings::default().operations.into_iter().map(|(o, s)| (o.to_string(), s.path)).collect();
    let known = [
        ("get_token", "/v5/partner/transfer/agent/auth"),
        ("refresh", "/v5/partner/transfer/agent/refresh"),
        ("fees", "/v5/partner/transfer/fees"),
    ];
    assert_eq!(paths, known.map(|(name, path)| (name.to_owned(), path.to_owned())));
    assert_eq!(Settings::default().operations[&Operation::Fees].evidence, Evidence::Draft);
}

#[test]
fn a_call_takes_a_good_bearer_and_answers_an_assumed_envelope_that_echoes_the_id() {
    let mut agent = with_transfers();
    let response = agent.call(at(1), CREATE_PATH, &json!({ "client_uuid": "a", "x": [1] }));
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-sandbox-evidence"], "assumed");
    let reply = json_of(&response);
    assert_eq!(
        reply,
        json!({
            "state": true, "response_time": "2025-07-23T11:17:32.577745Z",
            "payload": { "client_uuid": "a" },
        })
    );
    assert_eq!(agent.service.log().last().unwrap().verdict, Verdict::Applied);
}

#[test]
fn a_call_is_as_strict_as_the_echo() {
    let mut agent = with_transfers();
    let refused = |agent: &mut Agent, request: &Request<Vec<u8>>| {
        agent.service.handle(at(1), request).status().as_u16()
    };
    let bare = post(CREATE_PATH, &json!({}));
    assert_eq!(refused(&mut agent, &bare), 401);
    let mut get = agent.request(CREATE_PATH, &json!({}));
    *get.method_mut() = http::Method::GET;
    assert_eq!(refused(&mut agent, &get), 405);
    let mut text = agent.request(CREATE_PATH, &json!({}));
    text.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(refused(&mut agent, &text), 415);
    let list = agent.request(CREATE_PATH, &json!([]));
    assert_eq!(refused(&mut agent, &list), 400);
    for id in [json!(""), json!(7), json!(null), json!("x".repeat(257))] {
        let request = agent.request(CREATE_PATH, &json!({ "client_uuid": id }));
        assert_eq!(refused(&mut agent, &request), 422, "{id}");
    }
    let good = agent.request(CREATE_PATH, &json!({ "client_uuid": "x".repeat(256) }));
    agent.service.revoke_access_tokens();
    assert_eq!(refused(&mut agent, &good), 401);
    assert_eq!(agent.service.ledger().intents().count(), 0);
    assert_eq!(agent.service.ledger().without_id(), 0);
}

#[test]
fn fees_takes_exactly_what_the_draft_prints() {
    let mut agent = Agent::signed_in(Settings::default());
    let response = agent.call(at(1), FEES_PATH, &fees());
    assert_eq!(json_of(&response)["payload"], fees());
    assert_eq!(response.headers()["x-sandbox-evidence"], "assumed");
    let with = |name: &str, value: Value| {
        let mut body = fees();
        body[name] = value;
        body
    };
    for good in [
        with("pg_sig", json!("a".repeat(64))),
        with("pg_sig", json!("ä".repeat(512))),
        with("originator_type", json!("business")),
        with("amount_source", json!(100)),
        with("amount_source", json!(99_999_999_999.999_9)),
    ] {
        let response = agent.call(at(1), FEES_PATH, &good);
        assert_eq!(response.status(), 200, "{good}");
        assert!(!json_of(&response).to_string().contains("pg_sig"));
    }
    for bad in [
        with("pg_sig", json!("a".repeat(513))),
        with("pg_sig", json!(null)),
        with("originator_type", json!("Person")),
        with("target_country", json!("UZ")),
        with("target_country", json!("uzb")),
        with("amount_source", json!("15.4")),
        with("amount_source", json!(-1)),
        with("amount_source", json!(1.234_56)),
        with("amount_source", json!(100_000_000_000_u64)),
        with("amount_source", json!(1e300)),
        with("currency_source", json!("KZTT")),
        with("currency_target", json!(398)),
        with("surplus", json!(1)),
    ] {
        assert_eq!(agent.call(at(1), FEES_PATH, &bad).status(), 422, "{bad}");
    }
    for name in fees().as_object().unwrap().keys() {
        let mut body = fees();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(agent.call(at(1), FEES_PATH, &body).status(), 422, "without {name}");
    }
}

#[test]
fn a_script_answers_each_reply_once_and_the_last_from_then_on() {
    let mut agent = with_transfers();
    let mut slow = Scripted::payload(json!({ "status": "done" }));
    slow.latency_ms = 50;
    let served = agent.service.settings_mut().operations.get_mut(&Operation::CreateTransfer);
    served.unwrap().replies = [Scripted::status(404), slow].into();
    let id = |n: u32| json!({ "client_uuid": n.to_string() });
    assert_eq!(agent.call(at(1), CREATE_PATH, &id(1)).status(), 404);
    for n in [2, 3] {
        let response = agent.call(at(1), CREATE_PATH, &id(n));
        assert_eq!(json_of(&response)["payload"], json!({ "status": "done" }));
        assert_eq!(response.extensions().get::<Delay>().unwrap().0.as_millis(), 50);
    }
    let applied = [1, 2, 3]
        .map(|n: u32| agent.service.ledger().applied(Operation::CreateTransfer, &n.to_string()));
    assert_eq!(applied, [0, 1, 1]);
}

#[test]
fn a_service_file_adds_operations_with_the_catalogues_class_or_its_own() {
    let service = Sandbox::with_service_file(SERVICE_FILE).unwrap();
    let operations = &service.settings().operations;
    let transfer = &operations[&Operation::CreateTransfer];
    assert_eq!((transfer.class, transfer.evidence), (Class::Money, Evidence::Assumed));
    assert_eq!(transfer.decided.statuses, [429]);
    assert_eq!(transfer.decided.codes, [json!("1001"), json!(42)]);
    let report = &operations[&"my-report".parse().unwrap()];
    assert_eq!((report.class, report.path.as_str()), (Class::Read, "/v5/partner/transfer/report"));
    assert_eq!(operations.len(), 5);
}

#[test]
fn a_service_file_may_say_where_a_known_operation_is() {
    let file = "version = 1\n[operation.get-token]\npath = \"/v6/auth\"\nevidence = \"published\"";
    let mut service = Sandbox::with_service_file(file).unwrap();
    assert_eq!(service.handle(NOON, &post("/v6/auth", &crate::credentials())).status(), 200);
    let old = post(imts_sandbox::GET_TOKEN_PATH, &crate::credentials());
    assert_eq!(service.handle(NOON, &old).status(), 404);
}

#[test]
fn a_path_of_a_service_file_comes_before_the_pages_and_the_services_that_have_it_too() {
    for path in ["/pay", "/login", "/api/v1/oauth/token", "/v5/card-api/card/info"] {
        let file = format!("version = 1\n[operation.confirm]\npath = \"{path}\"");
        let service = Sandbox::with_service_file(&file).unwrap();
        let mut agent = Agent::signed_in(service.settings().clone());
        let reply = json_of(&agent.call(NOON, path, &json!({ "client_uuid": "17" })));
        assert_eq!(reply["state"], true, "{path}: {reply}");
        assert_eq!(agent.service.ledger().intents().count(), 1, "{path}");
    }
}

#[test]
fn a_service_file_that_is_wrong_is_refused_with_a_text_that_says_where() {
    let entry = |name: &str, rest: &str| format!("version = 1\n[operation.{name}]\n{rest}\n");
    let path = "path = \"/a\"";
    let decided = |rest: &str| format!("{path}\ndecided_before_processing = {{ {rest} }}");
    for (file, word) in [
        ("version = 2".to_owned(), "version 2"),
        (String::new(), "version"),
        ("version = 1\nextra = 1".to_owned(), "extra"),
        (entry("confirm", ""), "path"),
        (entry("confirm", &format!("{path}\npaht = 1")), "paht"),
        (entry("confirm", "path = \"a\""), "operation.confirm"),
        (entry("confirm", "path = \"/a?b\""), "operation.confirm"),
        (entry("confirm", "path = \"/a b\""), "operation.confirm"),
        (entry("confirm", "path = \"/a/../b\""), "operation.confirm"),
        (entry("confirm", "path = \"//a\""), "operation.confirm"),
        (entry("confirm", "path = \"/_sandbox/log\""), "the sandbox uses this path"),
        (entry("confirm", "path = \"/v5/partner/transfer/fees\""), "same path"),
        (entry("confirm", &format!("{path}\nclass = \"read\"")), "money"),
        (entry("confirm", &format!("{path}\nclass = \"write\"")), "write"),
        (entry("report", path), "class"),
        (entry("echo", path), "the sandbox uses this name"),
        (entry("Report", path), "lower-case"),
        (entry(&"r".repeat(41), path), "40"),
        (entry("confirm", &decided("statuses = [99]")), "99"),
        (entry("confirm", &decided("statuses = [70000]")), "70000"),
        (entry("confirm", &decided("codes = [1.5]")), "code"),
        (entry("confirm", path) + &entry("payout", path).replace("version = 1", ""), "same path"),
    ] {
        let error: ServiceFileError = Sandbox::with_service_file(&file).unwrap_err();
        assert!(error.to_string().contains(word), "{file}\n{error}");
    }
}

#[test]
fn a_service_file_that_is_refused_changes_nothing() {
    let mut settings = Settings::default();
    let file = "version = 1\n[operation.confirm]\npath = \"/a\"\n[operation.payout]\npath = \"b\"";
    settings.add_service_file(file).unwrap_err();
    assert_eq!(settings.operations, Settings::default().operations);
}

#[test]
fn an_operation_is_named_in_text_as_in_the_catalogue() {
    for (text, operation) in [
        ("get-token", Operation::GetToken),
        ("get_token", Operation::GetToken),
        ("refresh-token", Operation::Refresh),
        ("refresh", Operation::Refresh),
        ("payout-confirm", Operation::PayoutConfirm),
    ] {
        assert_eq!(text.parse(), Ok(operation));
    }
    for text in ["", "-a", "1a", "a b", "é", "A"] {
        assert!(text.parse::<Operation>().is_err(), "{text}");
    }
    let named: Operation = "my-report".parse().unwrap();
    assert_eq!((named.as_str(), named.class()), ("my-report", None));
    assert_eq!(format!("{named:?}"), "Named(\"my-report\")");
    let served = Served::new("/a", Class::Create, Evidence::Assumed);
    assert_eq!((served.class.as_str(), served.replies.len()), ("create", 0));
}
