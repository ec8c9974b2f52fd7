//! How often the service is bothered.

use std::sync::Arc;
use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::session::RenewalCause;
use imts_core::transport_error::NotSent;
use imts_core::{Keep, Policy, TransportError};
use serde_json::{Value, json};

use crate::support::{
    AGENT, START, World, answer, credentials, grant_of, policy, seconds, session_with,
    with_retry_after,
};

fn unreachable(world: &mut World) {
    world.sends(Purpose::SignIn);
    world.fails(TransportError::not_sent(NotSent::vouch()));
}

#[test]
fn back_off_doubles_up_to_its_cap() {
    let mut world = World::with_credentials(Keep::Always);
    let mut waits = Vec::new();
    for _ in 0..10 {
        unreachable(&mut world);
        let (wait, _) = world.waits();
        waits.push(wait.as_millis());
        world.pass(wait);
    }
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
}

#[test]
fn jitter_shortens_a_wait_by_at_most_its_part_and_differs_by_seed() {
    let waits = |seed| {
        let mut policy = Policy::default();
        policy.jitter_seed = seed;
        let mut world = World::of(session_with(policy));
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        (0..8)
            .map(|_| {
                unreachable(&mut world);
                let (wait, _) = world.waits();
                world.pass(wait);
                wait
            })
            .collect::<Vec<_>>()
    };
    let mut full = Duration::from_millis(500);
    for wait in waits(1) {
        assert!((full / 2..=full).contains(&wait), "{wait:?} of {full:?}");
        full = (full * 2).min(seconds(60));
    }
    assert_eq!(waits(7), waits(7));
    assert_ne!(waits(7), waits(8));
}

/// The first outputs of SplitMix64 from the seed 1234567, as its authors' program prints them.
const SPLIT_MIX: [u64; 5] = [
    6_457_827_717_110_365_317,
    3_203_168_211_198_807_973,
    9_817_491_932_198_370_423,
    4_593_380_528_125_082_431,
    16_408_922_859_458_223_821,
];

#[test]
fn the_chance_in_a_wait_is_split_mix_of_the_seed_and_the_moment() {
    for (state, output) in (0..).zip(SPLIT_MIX) {
        let mut chancy = Policy::default();
        (chancy.backoff_first, chancy.jitter_percent) = (seconds(50), 100);
        let state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(state).wrapping_add(1_234_567);
        chancy.jitter_seed = state ^ START.mono.as_micros();
        let mut world = World::of(session_with(chancy));
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        unreachable(&mut world);
        let percent = u32::try_from(100 - output % 101).unwrap();
        assert_eq!(world.waits().0, seconds(50) * percent / 100);
    }
}

#[test]
fn retry_after_wins_where_it_is_longer_and_is_capped() {
    let date = "Wed, 23 Jul 2025 11:18:01 GMT";
    for (value, expected) in
        [("7", 7), ("0", 0), (date, 30), ("100000", 900), ("-1", 0), ("soon", 0)]
    {
        for status in [429, 503] {
            let mut world = World::with_credentials(Keep::Always);
            world.sends(Purpose::SignIn);
            world.reply(&with_retry_after(answer(status, &json!({})), value)).unwrap_err();
            let expected = seconds(expected).max(Duration::from_millis(500));
            assert_eq!(world.waits().0, expected, "{status} with Retry-After: {value}");
        }
    }
}

#[test]
fn no_request_of_a_session_waits_longer_than_the_cap_on_retry_after() {
    for cap in [seconds(90), seconds(900)] {
        for (status, refreshes) in
            [(401, true), (403, true), (404, true), (503, true), (503, false), (403, false)]
        {
            let mut capped = policy();
            capped.retry_after_cap = cap;
            let mut world = World::of(session_with(capped));
            world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
            world.sends(Purpose::SignIn);
            if refreshes {
                world.granted();
                world.pass(seconds(1_000));
                world.sends(Purpose::Refresh);
            }
            let tomorrow = with_retry_after(answer(status, &json!({})), "86400");
            world.reply(&tomorrow).unwrap_err();
            assert_eq!(world.waits().0, cap, "{status} to a refresh: {refreshes}");
        }
    }
}

#[test]
fn one_back_off_holds_whichever_exchange_failed() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    world.fails(TransportError::unknown());
    assert_eq!(world.waits().0.as_millis(), 500);
    world.pass(seconds(1));
    unreachable(&mut world);
    assert_eq!(world.waits().0.as_millis(), 1_000);
}

#[test]
fn all_who_ask_in_a_back_off_get_the_same_error() {
    let mut world = World::with_credentials(Keep::Always);
    unreachable(&mut world);
    let (_, first) = world.waits();
    let (_, second) = world.waits();
    assert!(Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(&first, world.session.last_error().unwrap()));
}

#[test]
fn a_token_that_lives_is_served_while_renewals_fail() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(790));
    let mut sent = 0;
    for _ in 0..1_090 {
        match world.ask() {
            'F' | 'S' => {
                sent += 1;
                world.fails(TransportError::not_sent(NotSent::vouch()));
            }
            'R' => assert_eq!(world.bearer.as_ref().unwrap().expose_token(), "access-1"),
            step => panic!("{step} while the token lives"),
        }
        world.pass(Duration::from_millis(100));
    }
    assert!(sent <= 9, "{sent} requests in 109 s");
    world.pass(seconds(1));
    assert_eq!(world.phase(), "expired");
}

#[test]
fn a_service_that_rejects_every_fresh_token_gets_one_renewal_a_back_off_step() {
    let mut world = World::with_credentials(Keep::Always);
    let mut renewals = 0;
    for _ in 0..6_000 {
        match world.ask() {
            'R' => {
                let epoch = world.bearer.as_ref().unwrap().epoch();
                world.session.reject(epoch, world.now);
            }
            'S' | 'F' => {
                renewals += 1;
                world.granted();
            }
            'W' => {}
            step => panic!("{step}"),
        }
        world.pass(Duration::from_millis(100));
    }
    // 0.5 + 1 + 2 + … + 32 s, then one a minute for the rest of the ten.
    assert!((14..=18).contains(&renewals), "{renewals} renewals in ten minutes");
}

#[test]
fn failures_are_forgiven_only_after_a_grant_has_settled() {
    let mut world = World::with_credentials(Keep::Always);
    for _ in 0..5 {
        unreachable(&mut world);
        let (wait, _) = world.waits();
        world.pass(wait);
    }
    world.sends(Purpose::SignIn);
    world.granted();
    world.pass(seconds(29));
    world.rejects();
    world.sends(Purpose::Refresh);
    world.granted();
    world.pass(seconds(29));
    world.rejects();
    assert_eq!(world.waits().0, seconds(16), "the sixth failure in a row");
    world.pass(seconds(16));
    world.sends(Purpose::Refresh);
    world.granted();
    world.pass(seconds(31));
    world.rejects();
    world.sends(Purpose::Refresh);
    world.fails(TransportError::not_sent(NotSent::vouch()));
    assert_eq!(world.waits().0.as_millis(), 500, "the first failure");
}

#[test]
fn a_grant_has_settled_once_it_has_held_for_the_whole_of_that_time() {
    for (age, then) in [(seconds(30) - Duration::from_micros(1), 'W'), (seconds(30), 'F')] {
        let mut world = World::signed_in(Keep::Always);
        world.rejects();
        world.sends(Purpose::Refresh);
        world.granted();
        world.pass(age);
        world.rejects();
        assert_eq!(world.ask(), then, "rejected after {age:?}");
    }
}

#[test]
fn the_first_rejection_of_a_young_token_renews_at_once_and_that_of_its_successor_waits() {
    for age in [seconds(0), seconds(1), seconds(29)] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(age);
        world.rejects();
        world.sends(Purpose::Refresh);
        world.granted();
        for wait in [500, 1_000, 2_000] {
            world.pass(age);
            world.rejects();
            assert_eq!(world.waits().0.as_millis(), wait, "granted {age:?} ago");
            world.pass(Duration::from_millis(wait.try_into().unwrap()));
            world.sends(Purpose::Refresh);
            world.granted();
        }
    }
}

#[test]
fn a_token_that_settled_makes_the_next_rejection_a_first_one_again() {
    let mut world = World::signed_in(Keep::Always);
    for _ in 0..5 {
        world.rejects();
        world.sends(Purpose::Refresh);
        world.granted();
        world.pass(seconds(30));
    }
}

#[test]
fn a_renewal_that_fails_between_two_rejections_does_not_make_the_second_a_first_one() {
    let mut world = World::signed_in(Keep::Always);
    world.rejects();
    world.sends(Purpose::Refresh);
    world.fails(TransportError::not_sent(NotSent::vouch()));
    assert_eq!(world.waits().0.as_millis(), 500);
    world.pass(seconds(60));
    world.sends(Purpose::Refresh);
    world.granted();
    world.rejects();
    assert_eq!(world.waits().0.as_millis(), 1_000);
}

#[test]
fn the_rejection_of_a_token_that_had_expired_says_nothing_of_the_next_one() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.reply(&answer(200, &grant_of("short", Some("r"), 10))).unwrap();
    let short = world.ready();
    world.pass(seconds(10));
    world.session.reject(short.epoch(), world.now);
    world.sends(Purpose::Refresh);
    world.granted();
    world.rejects();
    world.sends(Purpose::Refresh);
}

#[test]
fn the_first_rejection_ends_no_wait_that_the_service_asked_for() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(785));
    world.sends(Purpose::Refresh);
    world.reply(&with_retry_after(answer(503, &json!({})), "60")).unwrap_err();
    world.rejects();
    assert_eq!(world.waits().0, seconds(60));
}

#[test]
fn short_tokens_are_used_and_not_refetched_at_every_ask() {
    for lives in [1, 2, 3, 5, 30, 61] {
        let mut world = World::with_credentials(Keep::Always);
        let (mut calls, elapsed) = (0, 120);
        for _ in 0..elapsed * 100 {
            if matches!(world.ask(), 'S' | 'F') {
                calls += 1;
                let body = grant_of(&format!("t{calls}"), Some("r"), lives);
                world.reply(&answer(200, &body)).unwrap();
                world.ready();
            }
            world.pass(Duration::from_millis(10));
        }
        let most = 1 + elapsed * 2 / lives;
        assert!(calls <= most, "{calls} calls for tokens of {lives} s; at most {most}");
    }
}

/// A grant whose token lives so many milliseconds.
fn grant_for(token: &str, millis: u64) -> Value {
    let sent_at = 1_000_000 - millis * 1_000;
    let mut body = grant_of(token, Some("r"), 1);
    body["response_time"] = json!(format!("2026-01-01T00:00:00.{sent_at:06}Z"));
    body["payload"]["access_expire_at"] = json!("2026-01-01T00:00:01Z");
    body
}

#[test]
fn tokens_that_live_less_than_two_seconds_leave_no_gap() {
    for (millis, most) in [(999, 41), (500, 81), (250, 161), (201, 201)] {
        let mut world = World::with_credentials(Keep::Always);
        let mut calls = 0;
        for _ in 0..20_000 {
            if matches!(world.ask(), 'S' | 'F') {
                calls += 1;
                let body = grant_for(&format!("t{calls}"), millis);
                world.reply(&answer(200, &body)).unwrap();
            }
            world.ready();
            world.pass(Duration::from_millis(1));
        }
        assert!(calls <= most, "{calls} calls in 20 s for tokens of {millis} ms; at most {most}");
    }
}

#[test]
fn a_token_that_lives_less_than_a_tenth_of_a_second_is_followed_by_quiet() {
    for (millis, renew_after, is_short) in
        [(99, 1_000, true), (100, 1_000, false), (99, 50, false), (49, 50, true), (99, 0, false)]
    {
        let mut chosen = policy();
        chosen.renew_after = Duration::from_millis(renew_after);
        let mut world = World::of(session_with(chosen));
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        world.sends(Purpose::SignIn);
        world.reply(&answer(200, &grant_for("a", millis))).unwrap();
        let error = world.session.last_error().map(|error| error.why());
        assert_eq!(matches!(error, Some(RenewalCause::ShortLived)), is_short, "{millis} ms");
        assert_eq!(error.is_some(), is_short, "{millis} ms");
        if is_short {
            world.pass(Duration::from_millis(millis));
            let quiet = Duration::from_millis(renew_after.min(100) - millis);
            assert_eq!(world.waits().0, quiet);
        }
    }
}
