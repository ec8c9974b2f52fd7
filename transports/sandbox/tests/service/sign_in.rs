//! Get token, held to the published example.

use std::time::Duration;

use imts_sandbox::{GET_TOKEN_PATH, Sandbox, Time};
use serde_json::Value;

use crate::{Agent, NOON, at, credentials, json_of, post};

const EXAMPLE: &str = include_str!("get-token.reply.json");

#[test]
fn the_reply_has_the_examples_fields_in_its_order_and_its_dates() {
    let mut service = Sandbox::default();
    let response = service.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
    assert_eq!(response.headers()["x-sandbox-evidence"], "published");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["date"], "Wed, 23 Jul 2025 11:17:31 GMT");
    let text = std::str::from_utf8(response.body()).unwrap();
    let order = |text: &str| {
        let fields = ["state", "response_time", "payload", "access_token", "refresh_token"];
        let fields = fields.iter().chain(&["access_expire_at", "refresh_expire_at"]);
        fields.map(|field| text.find(&format!("\"{field}\"")).unwrap()).collect::<Vec<_>>()
    };
    assert!(order(EXAMPLE).is_sorted() && order(text).is_sorted());
    let (ours, example) = (json_of(&response), serde_json::from_str::<Value>(EXAMPLE).unwrap());
    for field in ["state", "response_time"] {
        assert_eq!(ours[field], example[field]);
    }
    for field in ["access_expire_at", "refresh_expire_at"] {
        assert_eq!(ours["payload"][field], example["payload"][field]);
    }
    let length = |value: &Value| value["payload"]["access_token"].as_str().unwrap().len();
    assert!(length(&ours).abs_diff(length(&example)) < 32);
}

#[test]
fn expiries_are_cut_to_whole_seconds() {
    let mut service = Sandbox::default();
    service.settings_mut().access_lifetime = Duration::from_millis(1_999);
    let almost = Time::from_micros(1_753_269_451_999_999);
    let reply = json_of(&service.handle(almost, &post(GET_TOKEN_PATH, &credentials())));
    assert_eq!(reply["response_time"], "2025-07-23T11:17:31.999999Z");
    assert_eq!(reply["payload"]["access_expire_at"], "2025-07-23T11:17:33+00:00");
}

#[test]
fn no_two_tokens_are_alike() {
    let mut agent = Agent::default();
    let (one, two) = (agent.sign_in(NOON), agent.sign_in(NOON));
    let mut tokens = [&one, &two].map(|p| [&p["access_token"], &p["refresh_token"]]).concat();
    tokens.dedup();
    assert_eq!(tokens.len(), 4);
}

#[test]
fn an_access_token_is_accepted_until_its_end_and_its_use_after_that_is_counted() {
    let mut agent = Agent::default();
    let token = agent.sign_in(NOON)["access_token"].clone();
    assert_eq!(agent.echo(at(899), &token), 200);
    assert_eq!(agent.echo(at(900), &token), 401);
    assert_eq!(agent.service.counters().expired_bearers, 1);
}

#[test]
fn a_revoked_token_is_refused() {
    let mut agent = Agent::default();
    let payload = agent.sign_in(NOON);
    agent.service.revoke(payload["access_token"].as_str().unwrap());
    assert_eq!(agent.echo(at(1), &payload["access_token"]), 401);
    assert_eq!(agent.service.counters().expired_bearers, 0);
    assert_eq!(agent.refresh(at(1), &payload["refresh_token"]).0, 200);
}

#[test]
fn the_services_clock_may_differ_from_ours() {
    let mut agent = Agent::default();
    agent.service.settings_mut().skew_micros = 3_600_000_000;
    let response = agent.service.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
    assert_eq!(json_of(&response)["response_time"], "2025-07-23T12:17:31.577745Z");
    assert_eq!(agent.service.log()[0].at_us, NOON.micros());
}
