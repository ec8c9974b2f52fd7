//! What is forgiven after which time, and what a later event does not undo.

use imts_core::exchange::Purpose;
use imts_core::{Keep, Saved};
use serde_json::json;

use crate::restarts::storing;
use crate::support::{
    AGENT, World, answer, credentials, grant_of, policy, seconds, session_with, with_retry_after,
};

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
    let mut world = World::with_credentials(Keep::Always);
    busy(&mut world);
    let (wait, _) = world.waits();
    assert_eq!(wait.as_millis(), 500);
    world.pass(wait);
    world.sends(Purpose::SignIn);
    granted_for_20_s(&mut world);
    world
}

/// After one rejection: another token, since now.
fn rejected_once() -> World {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    granted_for_20_s(&mut world);
    world.rejects();
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
    let mut world = rejected_once();
    world.pass(seconds(10));
    world.sends(Purpose::SignIn);
    world.reply(&with_retry_after(answer(503, &json!({})), "600")).unwrap_err();
    // It is usable still, and replaces one that was rejected: another failed renewal.
    world.rejects();
    assert_eq!(world.waits().0, seconds(600));
}

/// A sign-in whose reply takes so many seconds, and what must come of it before its token is used.
fn signs_in_slowly(world: &mut World, takes: u64) {
    world.sends(Purpose::SignIn);
    world.pass(seconds(takes));
    let grant = world.next_grant(false);
    world.reply(&grant).unwrap();
}

#[test]
fn a_token_is_young_for_30_s_from_its_first_use_however_long_its_reply_and_its_save_took() {
    // Its reply takes 20 s. Its save takes 4 s, if there is a store.
    for (mut world, save) in [(World::with_credentials(Keep::Always), 0), (storing(), 4)] {
        for (age, waits) in [(28, false), (5, true)] {
            signs_in_slowly(&mut world, 20);
            if save > 0 {
                assert_eq!(world.ask(), 'K');
                world.pass(seconds(save));
                world.saved();
            }
            let epoch = world.ready().epoch();
            world.pass(seconds(age));
            world.session.reject(epoch, world.now);
            // The second one that was rejected young is a failed renewal.
            if waits {
                assert_eq!(world.ask(), 'W');
            }
        }
    }
}

#[test]
fn once_a_token_has_settled_the_next_rejection_is_a_first_one_again() {
    let mut world = World::signed_in(Keep::Once);
    world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
    world.rejects();
    world.sends(Purpose::Refresh);
    world.granted();
    world.pass(seconds(30));
    world.ready();
    // A token that came later is young, and the first one since that is rejected.
    world.pass(seconds(760));
    world.sends(Purpose::Refresh);
    world.granted();
    world.rejects();
    world.sends(Purpose::Refresh);
}

#[test]
fn a_rejection_finds_settled_what_has_settled_though_nobody_asked_meanwhile() {
    let mut world = rejected_once();
    world.pass(seconds(15));
    world.sends(Purpose::SignIn);
    world.granted();
    let epoch = world.ready().epoch();
    // All has been well for 30 s, and the token in use is 15 s old.
    world.pass(seconds(15));
    world.session.reject(epoch, world.now);
    world.sends(Purpose::Refresh);
}

#[test]
fn after_a_sign_out_nothing_waits_for_what_was_forbidden_before() {
    let mut world = World::signed_in(Keep::Once);
    world.pass(seconds(1_000));
    let saved = world.session.saved(world.now).unwrap().to_json();
    world.sends(Purpose::Refresh);
    world.forbidden(false);
    assert_eq!(world.ask(), 'W', "for minutes");
    world.session.sign_out();
    let mut newer: serde_json::Value = serde_json::from_slice(&saved).unwrap();
    newer["generation"] = 9.into();
    let newer = Saved::from_json(newer.to_string().as_bytes()).unwrap();
    world.session.adopt(newer, world.now).unwrap();
    world.sends(Purpose::Refresh);
}

#[test]
fn a_dead_secret_that_is_given_again_for_one_sign_in_renews_nothing() {
    let saved = World::signed_in(Keep::Once).session.saved(crate::support::START).unwrap();
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.refused();
    assert_eq!(world.ask(), 'C', "it is dead");
    world.session.adopt(saved, world.now).unwrap();
    world.ready();
    world.session.sign_in(credentials(AGENT), Keep::Once, world.now);
    world.ready();
}

#[test]
fn a_restored_token_in_doubt_was_marked_before_and_is_sent_without_another_save() {
    let mut world = World::signed_in(Keep::Once);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let saved = world.session.saved(world.now).unwrap();
    assert!(saved.is_in_doubt());
    let mut after = World::of(session_with(policy()).with_store());
    after.now = world.now;
    after.session.adopt(saved, after.now).unwrap();
    after.sends(Purpose::Refresh);
}

#[test]
fn a_restored_token_is_believed_no_longer_than_a_new_one() {
    let day = 86_400;
    let mut generous = policy();
    generous.access_lifetime_cap = seconds(5 * day);
    let mut world = World::of(session_with(generous));
    world.session.sign_in(credentials(AGENT), Keep::Once, world.now);
    world.sends(Purpose::SignIn);
    world.reply(&answer(200, &grant_of("long", None, 5 * day))).unwrap();
    let saved = world.session.saved(world.now).unwrap();
    let mut after = World::empty();
    after.session.adopt(saved, after.now).unwrap();
    assert_eq!(after.ready().remaining(after.now), seconds(day));
    let usable = after.session.phase(after.now).usable().unwrap();
    assert_eq!(usable.lifetime(), seconds(day), "by which its margin is measured");
}

#[test]
fn a_status_that_does_not_speak_of_secrets_judges_none_whatever_its_body() {
    for status in [402, 406, 409, 410, 411, 418, 423, 451] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&answer(status, &json!({ "message": "conflict", "code": 7 }))).unwrap_err();
        assert_eq!(world.ask(), 'W', "{status}: it is tried again");
    }
}
