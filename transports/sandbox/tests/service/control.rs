//! The control door.

use http::{Method, Request};
use imts_sandbox::{GET_TOKEN_PATH, Rotation, Sandbox};
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
