//! One renewal at a time, by refresh first, and never a token that was rejected.

use imts_core::exchange::Purpose;
use imts_core::policy::Replay;
use imts_core::session::RenewalCause;
use imts_core::transport_error::NotSent;
use imts_core::{Keep, Recovery, Step, TransportError};
use serde_json::json;

use crate::support::{
    AGENT, PAGE, World, answer, credentials, grant_of, other_secret, policy, seconds, session_with,
};

#[test]
fn while_expiring_one_caller_renews_and_the_others_are_served() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    for _ in 0..100 {
        assert_eq!(world.ready().expose_token(), "access-1");
    }
    assert_eq!(world.requests.len(), 2);
}

#[test]
fn while_expired_the_others_are_told_until_when_it_is_busy() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let Step::Busy { until } = world.session.poll(world.now) else { panic!() };
    assert_eq!(until.since(world.now.mono), policy().time_limit);
}

#[test]
fn the_success_of_a_ticket_that_was_given_up_still_counts() {
    for late_by in [0, 31, 100] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(800));
        world.sends(Purpose::Refresh);
        world.fails(TransportError::unknown());
        world.pass(seconds(late_by));
        world.granted();
        assert_eq!(world.ready().expose_token(), "access-2", "{late_by} s late");
    }
}

#[test]
fn a_reply_is_stale_once_a_newer_grant_or_new_credentials_came_in() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    let first = world.ticket.unwrap();
    world.fails(TransportError::unknown());
    world.pass(seconds(10));
    world.sends(Purpose::SignIn);
    world.granted();
    let stale = answer(200, &grant_of("stale", Some("stale"), 900));
    world.session.on_reply(first, (&stale).into(), world.now).unwrap();
    assert_eq!(world.ready().expose_token(), "access-2");

    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.session.sign_in(other_secret(1), Keep::Always, world.now);
    world.granted();
    assert_eq!(world.phase(), "unauthenticated");
}

#[test]
fn a_refusal_that_comes_late_changes_nothing() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    world.fails(TransportError::not_sent(NotSent::vouch()));
    world.refused();
    world.pass(seconds(10));
    world.sends(Purpose::Refresh);
}

#[test]
fn a_late_grant_that_brings_no_refresh_token_does_not_bring_a_refused_one_back() {
    let mut world = World::signed_in(Keep::Once);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let first = world.ticket.unwrap();
    world.fails(TransportError::unknown());
    world.pass(seconds(10));
    world.sends(Purpose::Refresh);
    assert_eq!(world.body()["refresh_token"], "refresh-1", "it is sent once more");
    world.refused();
    let late = world.next_grant(false);
    world.session.on_reply(first, (&late).into(), world.now).unwrap();
    let saved = world.session.saved(world.now).unwrap().to_json();
    assert!(!String::from_utf8_lossy(&saved).contains("refresh-1"));
    world.pass(seconds(1_000));
    assert_eq!(world.ask(), 'C');
}

#[test]
fn a_rejected_token_is_never_served_again_even_if_it_is_granted_again() {
    let mut world = World::signed_in(Keep::Always);
    let rejected = world.ready();
    world.pass(seconds(60));
    world.session.reject(rejected.epoch(), world.now);
    world.sends(Purpose::Refresh);
    let again = answer(200, &grant_of("access-1", Some("refresh-9"), 900));
    let error = world.reply(&again).unwrap_err();
    assert!(matches!(error.why(), RenewalCause::Rejected));
    assert_eq!(world.ask(), 'W');
    world.pass(seconds(1));
    world.sends(Purpose::Refresh);
    assert_eq!(world.body()["refresh_token"], "refresh-9", "its refresh token is good");
    world.granted();
    assert_eq!(world.ready().expose_token(), "access-2");
}

#[test]
fn a_token_that_was_rejected_for_one_agent_is_not_held_against_another() {
    let agents: [fn(&mut World); 2] = [
        |world| world.session.sign_in(credentials("agent-2"), Keep::Always, world.now),
        |world| {
            world.session.sign_out();
            world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        },
    ];
    for signs_in in agents {
        let mut world = World::signed_in(Keep::Always);
        let rejected = world.ready();
        world.pass(seconds(60));
        world.session.reject(rejected.epoch(), world.now);
        signs_in(&mut world);
        world.sends(Purpose::SignIn);
        world.reply(&answer(200, &grant_of("access-1", None, 900))).unwrap();
        assert_eq!(world.ready().expose_token(), "access-1");
    }
}

#[test]
fn a_rejection_of_a_token_that_was_replaced_costs_nothing() {
    let mut world = World::signed_in(Keep::Always);
    let old = world.ready();
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    world.granted();
    world.session.reject(old.epoch(), world.now);
    assert_eq!(world.ready().expose_token(), "access-2");
    assert_eq!(world.requests.len(), 2);
}

#[test]
fn a_refresh_that_brings_no_new_refresh_token_keeps_the_old_one_and_its_end() {
    for empty in [json!("absent"), json!(null), json!("")] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        let mut grant = grant_of("access-2", None, 900);
        if empty != "absent" {
            grant["payload"]["refresh_token"] = empty;
        }
        world.reply(&answer(200, &grant)).unwrap();
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        assert_eq!(world.body()["refresh_token"], "refresh-1");
        world.pass(seconds(30 * 86_400 - 2_000));
        assert_eq!(world.phase(), "unauthenticated", "30 days after the sign-in");
    }
}

#[test]
fn a_sign_in_that_brings_no_refresh_token_leaves_none() {
    let mut world = World::signed_in(Keep::Always);
    world.session.sign_in(credentials(AGENT), Keep::Once, world.now);
    world.sends(Purpose::SignIn);
    world.reply(&answer(200, &grant_of("access-2", None, 900))).unwrap();
    assert_eq!(world.ready().expose_token(), "access-2");
    world.pass(seconds(900));
    assert_eq!(world.phase(), "unauthenticated", "the token of the sign-in before is gone");
}

#[test]
fn a_grant_has_the_number_after_the_one_before_it() {
    let mut world = World::signed_in(Keep::Always);
    assert_eq!(world.ready().epoch().count(), 1);
    for n in 1..4 {
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        world.granted();
        assert_eq!(world.ready().epoch().count(), 1 + n);
    }
}

#[test]
fn a_new_refresh_token_replaces_the_old_one() {
    let mut world = World::signed_in(Keep::Always);
    for n in 1..4 {
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        assert_eq!(world.body()["refresh_token"], format!("refresh-{n}"));
        world.granted();
    }
}

#[test]
fn a_refused_refresh_is_followed_by_a_sign_in_at_once() {
    let json = json!({ "error": {} });
    for status in [400, 401, 422] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        world.reply(&answer(status, &json)).unwrap_err();
        assert_eq!(world.phase(), "unauthenticated", "{status}: the refresh token is dropped");
        world.sends(Purpose::SignIn);
        world.granted();
        assert_eq!(world.ready().expose_token(), "access-2");
    }
}

/// The service's own no counts, but under a status that says that nothing is there, or that the
/// request was not processed, or may not have been.
#[test]
fn a_refresh_that_is_answered_with_state_false_is_refused_unless_the_status_says_otherwise() {
    for status in [200, 400, 401, 402, 409, 418, 422, 500, 502, 504] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        world.reply(&answer(status, &json!({ "state": false }))).unwrap_err();
        assert_eq!(world.phase(), "unauthenticated", "{status}: the refresh token is dropped");
        world.sends(Purpose::SignIn);
    }
    for status in [403, 404, 405, 408, 425, 429, 501, 503] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        world.reply(&answer(status, &json!({ "state": false }))).unwrap_err();
        assert_eq!(world.phase(), "expired", "{status}: the refresh token is kept");
    }
}

#[test]
fn a_refresh_that_is_answered_by_a_page_may_have_been_processed_and_is_followed_by_a_sign_in() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let mut page = answer(200, &json!({}));
    page.headers_mut().insert("content-type", "text/html".parse().unwrap());
    world.reply(&page).unwrap_err();
    assert!(world.session.saved(world.now).unwrap().is_in_doubt());
    world.sends(Purpose::SignIn);
}

#[test]
fn a_proxys_answer_never_costs_the_refresh_token() {
    for status in [400, 402, 403, 408, 409, 418, 425, 429] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(800));
        world.sends(Purpose::Refresh);
        let mut html = answer(status, &json!({}));
        html.headers_mut().insert("content-type", "text/html".parse().unwrap());
        *html.body_mut() = PAGE.to_vec();
        world.reply(&html).unwrap_err();
        assert_eq!(world.ready().expose_token(), "access-1");
        world.pass(seconds(200));
        assert_eq!(world.phase(), "expired", "{status}: there is a refresh token still");
    }
}

#[test]
fn a_missing_refresh_is_left_alone_for_an_hour() {
    for status in [404, 405, 501] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        world.reply(&answer(status, &json!({}))).unwrap_err();
        world.sends(Purpose::SignIn);
        world.granted();
        world.pass(seconds(1_000));
        world.sends(Purpose::SignIn);
        world.granted();
        world.pass(seconds(2_600));
        world.sends(Purpose::Refresh);
    }
}

#[test]
fn a_refresh_token_of_unknown_fate_is_not_sent_again_while_credentials_are_held() {
    let lost = |world: &mut World, how: usize| match how {
        0 => world.fails(TransportError::unknown()),
        1 => world.fails(TransportError::unknown().timed_out()),
        2 => drop(world.reply(&answer(500, &json!({})))),
        3 => drop(world.reply(&answer(408, &json!({})))),
        4 => drop(world.reply(&answer(200, &json!({ "what": "is this" })))),
        _ => world.pass(policy().time_limit),
    };
    for how in 0..6 {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        lost(&mut world, how);
        while world.ask() == 'W' {
            world.pass(seconds(1));
        }
        assert_eq!(world.requests.last().unwrap().0, Purpose::SignIn, "case {how}");
        world.granted();
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        assert_eq!(world.body()["refresh_token"], "refresh-2");
    }
}

#[test]
fn without_credentials_it_is_replayed_once_and_only_when_the_access_token_is_dead() {
    let mut world = World::signed_in(Keep::Once);
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    world.fails(TransportError::unknown());
    world.pass(seconds(50));
    assert_eq!(world.ask(), 'R', "the access token lives");
    world.pass(seconds(60));
    world.sends(Purpose::Refresh);
    world.fails(TransportError::not_sent(NotSent::vouch()));
    world.pass(seconds(10));
    world.sends(Purpose::Refresh);
    world.fails(TransportError::unknown());
    world.pass(seconds(10));
    assert_eq!(world.ask(), 'C', "twice is enough");
}

#[test]
fn where_the_policy_forbids_it_nothing_is_replayed() {
    let mut strict = policy();
    strict.replay = Replay::Never;
    let mut world = World::of(session_with(strict));
    world.session.sign_in(credentials(AGENT), Keep::Once, world.now);
    world.sends(Purpose::SignIn);
    world.granted();
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    world.fails(TransportError::unknown());
    world.pass(seconds(10));
    assert_eq!(world.ask(), 'C');
}

#[test]
fn credentials_for_one_sign_in_are_used_at_once_and_kept_until_answered() {
    let mut world = World::signed_in(Keep::Always);
    world.session.sign_in(credentials(AGENT), Keep::Once, world.now);
    world.sends(Purpose::SignIn);
    world.fails(TransportError::not_sent(NotSent::vouch()));
    assert_eq!(world.ready().expose_token(), "access-1");
    world.pass(seconds(1));
    world.sends(Purpose::SignIn);
    world.refused();
    assert_eq!(world.ready().expose_token(), "access-1", "the old grant goes on");
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
}

#[test]
fn another_agents_credentials_drop_the_grant() {
    let mut world = World::signed_in(Keep::Always);
    world.session.sign_in(credentials("agent-2"), Keep::Always, world.now);
    assert_eq!(
        (world.phase().as_str(), world.session.agent_id()),
        ("unauthenticated", Some("agent-2"))
    );
    world.sends(Purpose::SignIn);
    assert_eq!(world.body()["agent_id"], "agent-2");
}

#[test]
fn a_token_with_enough_left_is_renewed_for_where_a_renewal_helps() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(400));
    assert!(matches!(world.session.poll_for(world.now, seconds(500)), Step::Ready(_)));
    assert!(matches!(world.session.poll_for(world.now, seconds(900)), Step::Ready(_)));
    let Step::Send(ticket, _) = world.session.poll_for(world.now, seconds(501)) else { panic!() };
    assert_eq!(ticket.purpose(), Purpose::Refresh);
    assert!(matches!(world.session.poll_for(world.now, seconds(501)), Step::Busy { .. }));
    assert_eq!(world.ask(), 'R', "for others it is good enough");
}

#[test]
fn a_grant_that_is_dead_on_arrival_is_a_failed_renewal() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.pass(seconds(20));
    let error = world.reply(&answer(200, &grant_of("a", Some("r"), 10))).unwrap_err();
    assert!(matches!(error.why(), RenewalCause::DeadOnArrival));
    assert_eq!(error.recovery(), Recovery::Report);
    assert_eq!((world.phase().as_str(), world.ask()), ("expired", 'W'));
}
