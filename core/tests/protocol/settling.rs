//! What is forgiven after which time, and what a later event does not undo.

use imts_core::{Keep, Purpose};
use serde_json::json;

use crate::support::{World, answer, grant_of, seconds, with_retry_after};

/// A token that lives 20 s, and is due for renewal after 10.
fn granted_for_20_s(world: &mut World) {
    let number = world.requests.len();
    world.reply(&answer(200, &grant_of(&format!("short-{number}"), None, 20))).unwrap();
}

fn busy(world: &mut World) {
    world.sends(Purpose::SignIn);
    world.reply(&answer(503, &json!({}))).unwrap_err();
}

/// After one failure, and a wait: a token, since now.
fn failed_once() -> World {
    let mut world = World::with_credentials(Keep::Held);
    busy(&mut world);
    let (wait, _) = world.waits();
    assert_eq!(wait.as_millis(), 500);
    world.pass(wait);
    world.sends(Purpose::SignIn);
    granted_for_20_s(&mut world);
    world
}

#[test]
fn failures_are_forgiven_after_30_good_seconds_however_often_the_token_is_renewed_meanwhile() {
    let mut world = failed_once();
    for _ in 0..3 {
        world.pass(seconds(10));
        world.sends(Purpose::SignIn);
        granted_for_20_s(&mut world);
    }
    world.pass(seconds(20));
    busy(&mut world);
    assert_eq!(world.waits().0.as_millis(), 500, "the first step again");
}

#[test]
fn a_time_in_which_renewals_are_forbidden_is_no_good_time() {
    let mut world = failed_once();
    world.pass(seconds(10));
    world.sends(Purpose::SignIn);
    world.forbidden(false);
    world.pass(seconds(60));
    busy(&mut world);
    assert_eq!(world.waits().0.as_millis(), 1_000, "the second step");
}

#[test]
fn a_rejection_does_not_shorten_the_wait_that_the_service_asked_for() {
    let mut world = World::with_credentials(Keep::Held);
    world.sends(Purpose::SignIn);
    granted_for_20_s(&mut world);
    world.rejects();
    world.sends(Purpose::SignIn);
    granted_for_20_s(&mut world);
    world.pass(seconds(10));
    world.sends(Purpose::SignIn);
    world.reply(&with_retry_after(answer(503, &json!({})), "600")).unwrap_err();
    // It is usable still, and replaces one that was rejected: another failed renewal.
    world.rejects();
    assert_eq!(world.waits().0, seconds(600));
}
