//! What the sandbox counts, and that it takes nothing for another thing that is written alike.

use std::time::Duration;

use imts_sandbox::{Operation, Settings, Verdict};
use serde_json::json;

use crate::{Agent, CREATE_PATH, GET_TOKEN_PATH, NOON, at, post, with_transfers};

fn verdict(agent: &Agent) -> Verdict {
    agent.service.log().last().unwrap().verdict
}

/// Expired, revoked, both, and neither: only the end counts, and it counts each time.
#[test]
fn a_bearer_counts_as_expired_from_its_end_on_revoked_or_not_and_never_before() {
    for revoked in [false, true] {
        let mut settings = Settings::default();
        settings.access_lifetime = Duration::from_secs(900);
        let mut agent = Agent::signed_in(settings);
        let token = agent.sign_in(NOON)["access_token"].clone();
        let alive = if revoked {
            agent.service.revoke_access_tokens();
            (401, Verdict::BadBearer)
        } else {
            (200, Verdict::Echoed)
        };
        for second in [0, 1, 898, 899] {
            assert_eq!((agent.echo(at(second), &token), verdict(&agent)), alive, "{second}");
            assert_eq!(agent.service.counters().expired_bearers, 0, "{second}, {revoked}");
        }
        for (count, second) in [900, 901, 100_000].into_iter().enumerate() {
            let ended = (401, Verdict::ExpiredBearer);
            assert_eq!((agent.echo(at(second), &token), verdict(&agent)), ended, "{second}");
            let counted = agent.service.counters().expired_bearers;
            assert_eq!(counted, count as u64 + 1, "{second}, {revoked}");
        }
    }
}

#[test]
fn what_is_no_access_token_is_no_expired_one() {
    let mut agent = Agent::signed_in(Settings::default());
    let refresh_token = agent.sign_in(NOON)["refresh_token"].clone();
    for token in [refresh_token, json!("unknown")] {
        assert_eq!(
            (agent.echo(at(100_000_000), &token), verdict(&agent)),
            (401, Verdict::BadBearer)
        );
    }
    assert_eq!(agent.service.counters().expired_bearers, 0);
}

#[test]
fn ids_that_differ_by_case_blanks_or_composition_are_different_intents() {
    let ids = ["a1-Б", "A1-Б", "a1-б", " a1-Б", "a1-Б ", "a1_Б", "é", "e\u{301}", "01", "1"];
    let mut agent = with_transfers();
    for id in ids {
        agent.call(at(1), CREATE_PATH, &json!({ "client_uuid": id }));
    }
    let ledger = agent.service.ledger();
    assert_eq!(ledger.intents().count(), ids.len());
    assert_eq!(ledger.applied_twice().count(), 0);
    for id in ids {
        assert_eq!(ledger.applied(Operation::CreateTransfer, id), 1, "{id:?}");
    }
}

#[test]
fn an_agent_or_a_secret_in_another_case_is_another() {
    let mut settings = Settings::default();
    settings.agents = [("Agent".to_owned(), "Secret".to_owned())].into();
    let mut agent = Agent { service: imts_sandbox::Sandbox::new(settings), ..Agent::default() };
    let mut signs_in = |id: &str, secret: &str| {
        let body = json!({ "agent_id": id, "agent_secret": secret });
        agent.service.handle(NOON, &post(GET_TOKEN_PATH, &body)).status().as_u16()
    };
    for (id, secret) in
        [("agent", "Secret"), ("AGENT", "Secret"), ("Agent", "secret"), ("Agent", "Secret ")]
    {
        assert_eq!(signs_in(id, secret), 401, "{id} {secret}");
    }
    assert_eq!(signs_in("Agent", "Secret"), 200);
}

#[test]
fn two_tokens_in_one_request_are_none() {
    let mut agent = Agent::signed_in(Settings::default());
    for extra in ["Bearer unknown", "Basic eDp5"] {
        let mut request = agent.request(imts_sandbox::ECHO_PATH, &json!({}));
        assert_eq!(agent.service.handle(NOON, &request).status(), 200);
        request.headers_mut().append("authorization", extra.parse().unwrap());
        assert_eq!(agent.service.handle(NOON, &request).status(), 401, "{extra}");
    }
}
