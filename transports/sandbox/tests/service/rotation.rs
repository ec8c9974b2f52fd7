//! What becomes of refresh tokens.

use imts_sandbox::{NoToken, Rotation, Verdict};
use serde_json::Value;

use crate::{Agent, NOON, at};

fn with(rotation: Rotation) -> (Agent, Value) {
    let mut agent = Agent::default();
    agent.service.settings_mut().rotation = rotation;
    let token = agent.sign_in(NOON)["refresh_token"].clone();
    (agent, token)
}

#[test]
fn without_rotation_the_old_token_stays_good_and_no_new_one_comes() {
    let (mut agent, token) = with(Rotation::Never);
    for _ in 0..3 {
        let (status, payload) = agent.refresh(at(1), &token);
        assert_eq!(status, 200);
        assert!(payload.get("refresh_token").is_none());
        assert!(payload.get("refresh_expire_at").is_none());
    }
    assert_eq!(agent.service.counters().refresh_reuse, 0);
}

#[test]
fn that_no_new_token_comes_can_be_said_in_three_ways() {
    let (mut agent, token) = with(Rotation::Never);
    agent.service.settings_mut().no_token = NoToken::Null;
    assert_eq!(agent.refresh(at(1), &token).1["refresh_token"], Value::Null);
    agent.service.settings_mut().no_token = NoToken::Empty;
    assert_eq!(agent.refresh(at(1), &token).1["refresh_token"], "");
}

#[test]
fn with_rotation_a_used_token_is_retired_and_its_reuse_counted() {
    let (mut agent, old) = with(Rotation::Always);
    let new = agent.refresh(at(1), &old).1["refresh_token"].clone();
    assert_eq!(agent.refresh(at(2), &old).0, 401);
    assert_eq!(agent.service.counters().refresh_reuse, 1);
    assert_eq!(agent.refresh(at(3), &new).0, 200);
}

#[test]
fn reuse_revokes_the_family_and_no_other() {
    let (mut agent, old) = with(Rotation::ReuseRevokesFamily);
    let other = agent.sign_in(NOON);
    let first = agent.refresh(at(1), &old).1;
    assert_eq!(agent.refresh(at(2), &old).0, 401);
    assert_eq!(agent.refresh(at(3), &first["refresh_token"]).0, 401);
    assert_eq!(agent.echo(at(3), &first["access_token"]), 401);
    assert_eq!(agent.echo(at(3), &other["access_token"]), 200);
    assert_eq!(agent.refresh(at(3), &other["refresh_token"]).0, 200);
}

#[test]
fn within_its_grace_a_retired_token_brings_the_same_successor() {
    let (mut agent, old) = with(Rotation::GraceSeconds(10));
    let new = agent.refresh(at(1), &old).1["refresh_token"].clone();
    assert_eq!(agent.refresh(at(10), &old).1["refresh_token"], new);
    assert_eq!(agent.refresh(at(11), &old).0, 401);
}

#[test]
fn an_expired_refresh_token_is_refused() {
    let (mut agent, token) = with(Rotation::Never);
    assert_eq!(agent.refresh(at(30 * 86_400), &token).0, 401);
    assert_eq!(agent.service.log().last().unwrap().verdict, Verdict::ExpiredRefreshToken);
}

#[test]
fn a_missing_refresh_operation_is_404_and_a_refused_one_401() {
    let (mut agent, token) = with(Rotation::Never);
    agent.service.settings_mut().refresh_endpoint = false;
    assert_eq!(agent.refresh(at(1), &token).0, 404);
    agent.service.settings_mut().refresh_endpoint = true;
    agent.service.settings_mut().refuse_refresh = true;
    assert_eq!(agent.refresh(at(1), &token).0, 401);
}

#[test]
fn an_access_token_refreshes_nothing_and_a_refresh_token_is_no_bearer() {
    let mut agent = Agent::default();
    let grant = agent.sign_in(NOON);
    assert_eq!(agent.refresh(NOON, &grant["access_token"]).0, 401);
    assert_eq!(agent.echo(NOON, &grant["refresh_token"]), 401);
    assert_eq!(agent.refresh(NOON, &grant["refresh_token"]).0, 200);
}

#[test]
fn what_is_granted_after_a_reset_is_unlike_all_that_was_granted_before() {
    let mut agent = Agent::default();
    let before = agent.sign_in(NOON);
    agent.service.reset();
    let after = agent.sign_in(NOON);
    for token in ["access_token", "refresh_token"] {
        assert_ne!(before[token], after[token], "{token}");
    }
}
