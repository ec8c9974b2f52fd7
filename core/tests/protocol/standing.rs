//! What the service says of a secret: what refuses it, what only forbids its use, and how often it is
//! tried.

use std::sync::Arc;
use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::transport_error::NotSent;
use imts_core::{Keep, Policy, Step, TransportError};
use serde_json::json;

use crate::support::{
    AGENT, PAGE, World, answer, credentials, other_secret, policy, seconds, session_with,
    with_retry_after,
};

/// Credentials that have just been answered with a 403, in JSON or by a page.
fn forbidden(keep: Keep, html: bool) -> World {
    let mut world = World::with_credentials(keep);
    world.sends(Purpose::SignIn);
    world.forbidden(html);
    world
}

#[test]
fn credentials_that_never_worked_are_tried_once() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.refused();
    for _ in 0..100 {
        world.pass(seconds(3_600));
        assert_eq!(world.ask(), 'C');
    }
    world.session.sign_in(other_secret(1), Keep::Always, world.now);
    world.sends(Purpose::SignIn);
}

#[test]
fn a_refusal_in_the_services_own_words_ends_credentials_that_never_worked_and_is_told() {
    for status in [400, 422] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        let error = world.reply(&answer(status, &json!({ "error": {} }))).unwrap_err();
        let Step::SignIn { last: Some(last) } = world.session.poll(world.now) else {
            panic!("{status}: {:?}", world.session)
        };
        assert!(Arc::ptr_eq(&last, &error), "{status}");
    }
}

#[test]
fn credentials_that_worked_are_given_three_tries_spaced_by_back_off() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    world.refused();
    for wait in [500, 1_000] {
        world.sends(Purpose::SignIn);
        world.refused();
        assert_eq!(world.waits().0.as_millis(), wait);
        world.pass(seconds(1));
    }
    world.sends(Purpose::SignIn);
    world.refused();
    world.pass(seconds(3_600));
    assert_eq!(world.ask(), 'C');
}

#[test]
fn an_answer_that_is_not_about_the_credentials_does_not_end_them() {
    for (status, html) in [
        (400, true),
        (403, true),
        (403, false),
        (404, false),
        (405, false),
        (408, false),
        (425, false),
        (429, false),
        (500, false),
        (503, false),
        (302, false),
        (200, true),
    ] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        let mut response = answer(status, &json!({}));
        if html {
            response.headers_mut().insert("content-type", "text/html".parse().unwrap());
            *response.body_mut() = PAGE.to_vec();
        }
        world.reply(&response).unwrap_err();
        let (wait, _) = world.waits();
        world.pass(wait);
        world.sends(Purpose::SignIn);
        world.granted();
        world.ready();
    }
}

#[test]
fn what_is_no_json_object_is_not_the_services_word_whatever_its_type_says() {
    for (status, body) in [(400, "<html>"), (422, "[1]"), (422, "\"no\""), (400, "")] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        let mut response = answer(status, &json!({}));
        *response.body_mut() = body.into();
        world.reply(&response).unwrap_err();
        assert_eq!(world.ask(), 'W', "{status} {body:?}");
    }
}

#[test]
fn a_state_false_ends_no_credentials_under_a_status_that_is_not_about_them() {
    for status in [404, 405, 408, 425, 429, 500, 503] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&answer(status, &json!({ "state": false }))).unwrap_err();
        let (wait, _) = world.waits();
        world.pass(wait);
        world.sends(Purpose::SignIn);
    }
}

#[test]
fn a_403_is_tried_again_after_minutes_at_most_hourly_and_judges_no_secret() {
    for (keep, html) in [(Keep::Always, false), (Keep::Always, true), (Keep::Once, false)] {
        let mut world = forbidden(keep, html);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let (wait, last) = world.waits();
            assert_eq!(last.purpose(), Some(Purpose::SignIn));
            waits.push(wait.as_secs() / 60);
            world.pass(wait - Duration::from_micros(1));
            assert_eq!(world.ask(), 'W');
            world.pass(Duration::from_micros(1));
            world.sends(Purpose::SignIn);
            world.forbidden(html);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60], "{keep:?}");
        world.pass(seconds(3_600));
        world.sends(Purpose::SignIn);
        world.granted();
        world.ready();
    }
}

#[test]
fn a_403_that_says_state_false_judges_no_secret_either() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    let body = json!({ "state": false, "message": "IP not allowed" });
    world.reply(&answer(403, &body)).unwrap_err();
    assert_eq!(world.waits().0, seconds(60));
}

#[test]
fn the_pace_after_a_403_is_the_policys_without_chance() {
    for seed in 1..20 {
        let mut chancy = Policy::default();
        (chancy.forbidden_first, chancy.forbidden_cap) = (seconds(7), seconds(10));
        chancy.jitter_seed = seed;
        let mut world = World::of(session_with(chancy));
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        for wait in [7, 10, 10] {
            world.sends(Purpose::SignIn);
            world.forbidden(false);
            assert_eq!(world.waits().0, seconds(wait));
            world.pass(seconds(wait));
        }
    }
}

#[test]
fn a_retry_after_that_is_longer_is_obeyed_after_a_403_up_to_its_cap() {
    for (asked, waits) in [("30", 60), ("61", 61), ("900", 900), ("901", 900), ("86400", 900)] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&with_retry_after(answer(403, &json!({})), asked)).unwrap_err();
        assert_eq!(world.waits().0, seconds(waits), "Retry-After: {asked}");
    }
}

#[test]
fn a_grant_ends_the_memory_of_403s() {
    let mut world = forbidden(Keep::Always, false);
    world.pass(seconds(60));
    world.sends(Purpose::SignIn);
    world.forbidden(false);
    world.pass(seconds(120));
    world.sends(Purpose::SignIn);
    world.granted();
    world.session.sign_in(credentials(AGENT), Keep::Once, world.now);
    world.sends(Purpose::SignIn);
    world.forbidden(false);
    assert_eq!(world.ready().expose_token(), "access-1");
    world.pass(seconds(59));
    assert_eq!(world.ask(), 'R');
    world.pass(seconds(1));
    world.sends(Purpose::SignIn);
}

#[test]
fn what_fails_between_two_403s_does_not_make_the_second_a_first_one() {
    let mut world = forbidden(Keep::Always, false);
    world.pass(seconds(60));
    world.sends(Purpose::SignIn);
    world.fails(TransportError::not_sent(NotSent::vouch()));
    world.pass(seconds(1));
    world.sends(Purpose::SignIn);
    world.forbidden(false);
    assert_eq!(world.waits().0, seconds(120));
}

#[test]
fn a_secret_that_is_given_again_is_not_a_new_one() {
    // Forbidden: the wait stays. Given by the same value or by a fresh one, held or once.
    for keep in [Keep::Always, Keep::Once] {
        let mut world = forbidden(Keep::Always, false);
        for second in 0..60 {
            world.session.sign_in(credentials(AGENT), keep, world.now);
            assert_eq!(world.waits().0, seconds(60 - second));
            world.pass(seconds(1));
        }
        world.sends(Purpose::SignIn);
        world.forbidden(false);
        world.session.sign_in(credentials(AGENT), keep, world.now);
        assert_eq!(world.waits().0, seconds(120), "the count stays too");
        // Refused: it stays dead, also by way of another one, until it is signed out.
        for given in [Keep::Always, Keep::Once] {
            let mut world = World::with_credentials(given);
            world.sends(Purpose::SignIn);
            world.refused();
            for keep in [keep, Keep::Always, Keep::Once] {
                world.session.sign_in(credentials(AGENT), keep, world.now);
                assert_eq!(world.ask(), 'C');
                world.pass(seconds(7_200));
            }
            world.session.sign_in(other_secret(1), Keep::Always, world.now);
            world.sends(Purpose::SignIn);
            world.refused();
            world.session.sign_in(credentials(AGENT), keep, world.now);
            assert_eq!(world.ask(), 'C', "two secrets in turns");
            world.session.sign_out();
            world.session.sign_in(credentials(AGENT), keep, world.now);
            world.sends(Purpose::SignIn);
        }
    }
}

#[test]
fn another_secret_or_another_agent_waits_for_no_403_of_the_first_one() {
    for new in [other_secret(1), crate::support::credentials("agent-2")] {
        let mut world = forbidden(Keep::Always, false);
        world.session.sign_in(new, Keep::Always, world.now);
        world.sends(Purpose::SignIn);
        world.forbidden(false);
        assert_eq!(world.waits().0, seconds(60), "a count of its own");
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        assert_eq!(world.waits().0, seconds(60), "the first one is remembered");
    }
}

#[test]
fn credentials_that_come_again_leave_their_sign_in_under_way() {
    for keep in [Keep::Always, Keep::Once] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        for _ in 0..10 {
            world.session.sign_in(credentials(AGENT), keep, world.now);
            assert_eq!(world.ask(), 'B', "one try, however often they come");
        }
        world.refused();
        assert_eq!(world.ask(), 'C', "and its refusal counts");
    }
}

#[test]
fn the_policy_allows_up_to_three_slow_tries_of_a_secret_that_never_worked() {
    for (tries, most) in [(0, 1), (1, 1), (2, 2), (3, 3), (4, 3), (u32::MAX, 3)] {
        for (status, keep) in [(401, Keep::Always), (422, Keep::Always), (400, Keep::Once)] {
            let mut slow = policy();
            slow.secret_tries = tries;
            let mut world = World::of(session_with(slow));
            for n in 1..=most {
                world.session.sign_in(credentials(AGENT), keep, world.now);
                world.sends(Purpose::SignIn);
                world.reply(&answer(status, &json!({ "error": {} }))).unwrap_err();
                world.session.sign_in(credentials(AGENT), keep, world.now);
                if n < most {
                    assert_eq!(world.waits().0, seconds(60 << (n - 1)), "{tries} allowed");
                    world.pass(seconds(60 << (n - 1)));
                }
            }
            for _ in 0..10 {
                world.session.sign_in(credentials(AGENT), keep, world.now);
                assert_eq!(world.ask(), 'C', "{tries} allowed, {status}");
                world.pass(seconds(3_600));
            }
        }
    }
}

#[test]
fn a_403_to_a_refresh_does_not_cost_the_refresh_token() {
    for html in [false, true] {
        let mut bare = World::signed_in(Keep::Once);
        bare.pass(seconds(1_000));
        for minutes in [1, 2, 4, 8] {
            bare.sends(Purpose::Refresh);
            bare.forbidden(html);
            let (wait, last) = bare.waits();
            assert_eq!((wait, last.purpose()), (seconds(60 * minutes), Some(Purpose::Refresh)));
            assert_eq!(bare.phase(), "expired");
            bare.pass(wait);
        }
        bare.sends(Purpose::Refresh);
        assert_eq!(bare.body()["refresh_token"], "refresh-1");
        bare.granted();
        bare.ready();
        bare.pass(seconds(1_000));
        bare.sends(Purpose::Refresh);
        bare.forbidden(html);
        assert_eq!(bare.waits().0, seconds(60), "a grant ended the memory");
    }
}

#[test]
fn a_403_to_a_refresh_is_followed_by_a_sign_in_where_that_is_possible() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    world.forbidden(false);
    world.sends(Purpose::SignIn);
    world.forbidden(false);
    assert_eq!(world.waits().0, seconds(60));
    world.pass(seconds(60));
    world.sends(Purpose::SignIn);
    world.granted();
    world.ready();
}

#[test]
fn a_usable_token_is_served_while_signing_in_is_forbidden() {
    let mut world = World::signed_in(Keep::Always);
    world.session.sign_in(other_secret(1), Keep::Once, world.now);
    world.sends(Purpose::SignIn);
    world.forbidden(false);
    for _ in 0..60 {
        assert_eq!(world.ask(), 'R');
        world.pass(seconds(1));
    }
    world.sends(Purpose::SignIn);
}

#[test]
fn a_secret_whose_success_comes_after_a_refusal_has_worked_however_long_it_was_given_for() {
    for keep in [Keep::Always, Keep::Once] {
        let mut world = World::with_credentials(keep);
        world.sends(Purpose::SignIn);
        let first = world.ticket.unwrap();
        world.fails(TransportError::unknown());
        world.pass(seconds(1));
        world.sends(Purpose::SignIn);
        world.refused();
        assert_eq!(world.ask(), 'C', "{keep:?}");
        let late = world.next_grant(false);
        world.session.on_reply(first, (&late).into(), world.now).unwrap();
        assert_eq!(world.ready().expose_token(), "access-1");
        world.pass(seconds(1_000));
        world.session.sign_in(credentials(AGENT), keep, world.now);
        world.sends(Purpose::SignIn);
        world.refused();
        let then = if keep == Keep::Always { 'W' } else { 'C' };
        assert_eq!(world.ask(), then, "a secret that worked may be refused in passing");
    }
}
