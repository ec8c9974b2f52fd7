//! What tries to get round the rules: saves under way, services that change their mind.

use std::error::Error;
use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::session::RenewalCause;
use imts_core::{Credentials, Keep, Step, TransportError};
use serde_json::json;

use crate::support::{
    AGENT, PAGE, World, answer, credentials, grant_of, policy, seconds, session_with,
    with_retry_after,
};

#[test]
fn a_rejected_token_that_is_granted_again_is_not_used_once_its_save_is_over() {
    let mut world = World::of(session_with(policy()).with_store());
    world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    world.granted();
    assert_eq!(world.ask(), 'K');
    world.saved();
    let old = world.ready();
    world.pass(seconds(800));
    assert_eq!(world.ask(), 'K');
    world.saved();
    world.sends(Purpose::Refresh);
    world.reply(&answer(200, &grant_of("access-1", Some("refresh-2"), 1_700))).unwrap();
    assert_eq!(world.ask(), 'K');
    world.session.reject(old.epoch(), world.now);
    world.saved();
    assert_ne!(world.ask(), 'R', "access-1 was rejected while its second grant was being saved");
    assert_eq!(world.phase(), "expired");
}

#[test]
fn tokens_that_are_granted_in_turns_stay_rejected() {
    let mut world = World::signed_in(Keep::Always);
    for turn in 0..8 {
        world.pass(seconds(61));
        if let Some(token) = world.session.phase(world.now).usable() {
            let epoch = token.bearer().epoch();
            world.session.reject(epoch, world.now);
        }
        world.sends(Purpose::Refresh);
        let token = ["access-2", "access-1"][turn % 2];
        let outcome = world.reply(&answer(200, &grant_of(token, Some("r"), 5_000)));
        assert_eq!(outcome.is_ok(), turn == 0, "{token} in turn {turn}");
    }
}

#[test]
fn a_shorter_wait_never_replaces_a_longer_one() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.reply(&answer(200, &grant_of("a", Some("r"), 40))).unwrap();
    let bearer = world.ready();
    world.pass(seconds(21));
    world.sends(Purpose::Refresh);
    world.reply(&with_retry_after(answer(429, &json!({})), "600")).unwrap_err();
    world.session.reject(bearer.epoch(), world.now);
    assert_eq!(world.waits().0, seconds(600), "the service asked for quiet before");
}

#[test]
fn a_refresh_that_something_else_answers_does_not_keep_credentials_from_signing_in() {
    for (status, content_type) in [
        (302, "text/html"),
        (400, "text/html"),
        (403, "text/html"),
        (402, "application/json"),
        (409, "application/json"),
        (410, "application/json"),
    ] {
        for keep in [Keep::Always, Keep::Once] {
            let mut world = World::signed_in(keep);
            world.pass(seconds(1_000));
            world.sends(Purpose::Refresh);
            let mut response = answer(status, &json!({}));
            response.headers_mut().insert("content-type", content_type.parse().unwrap());
            if content_type == "text/html" {
                *response.body_mut() = PAGE.to_vec();
            }
            world.reply(&response).unwrap_err();
            let (wait, _) = world.waits();
            world.pass(wait);
            let next = if keep == Keep::Always { Purpose::SignIn } else { Purpose::Refresh };
            world.sends(next);
            world.granted();
            world.pass(seconds(7_200));
            world.sends(Purpose::Refresh);
        }
    }
}

#[test]
fn a_refusal_of_a_refresh_that_asks_for_a_wait_is_obeyed_before_the_sign_in() {
    for status in [401, 403, 404, 501] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        let body = json!({ "error": { "message": "slow down" } });
        world.reply(&with_retry_after(answer(status, &body), "60")).unwrap_err();
        assert_eq!(world.waits().0, seconds(60), "{status}");
        world.pass(seconds(60));
        world.sends(Purpose::SignIn);
    }
}

#[test]
fn a_401_refuses_a_refresh_in_any_form_so_that_a_session_without_credentials_asks_for_them() {
    for content_type in ["text/html", "application/json"] {
        let mut world = World::signed_in(Keep::Once);
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        let mut response = answer(401, &json!({}));
        response.headers_mut().insert("content-type", content_type.parse().unwrap());
        world.reply(&response).unwrap_err();
        assert_eq!(world.ask(), 'C', "{content_type}");
    }
}

#[test]
fn a_late_refusal_that_quotes_a_secret_that_was_replaced_tells_nothing_of_it() {
    let secret = |text: &str| Credentials::new(AGENT, text).unwrap();
    let mut world = World::empty();
    world.session.sign_in(secret("first-secret"), Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    world.session.sign_in(secret("other-secret"), Keep::Always, world.now);
    let quote = json!({ "error": { "message": "wrong: first-secret", "code": "first-secret" } });
    let error = world.reply(&answer(401, &quote)).unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains("first-secret"), "{told}");

    let mut world = World::signed_in(Keep::Once);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let first = world.ticket.unwrap();
    world.fails(TransportError::unknown());
    world.pass(seconds(10));
    world.sends(Purpose::Refresh);
    world.refused();
    let quote = answer(401, &json!({ "error": { "message": "used before: refresh-1" } }));
    let error = world.session.on_reply(first, (&quote).into(), world.now).unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains("refresh-1"), "{told}");
}

#[test]
fn a_secret_that_is_quoted_in_escaped_form_is_blotted_out() {
    let secret = r#""s"3\cr/et""#;
    let mut world = World::empty();
    let credentials = Credentials::new(AGENT, secret).unwrap();
    world.session.sign_in(credentials, Keep::Always, world.now);
    world.sends(Purpose::SignIn);
    let sent = String::from_utf8(world.requests[0].1.body().as_ref().to_vec()).unwrap();
    let quote = json!({ "error": { "message": format!("cannot take {sent}") } });
    let error = world.reply(&answer(400, &quote)).unwrap_err();
    let told = error.to_string();
    assert!(told.contains(r#""agent_secret":"[redacted]""#), "{told}");
}

#[test]
fn a_caller_who_wants_nearly_the_whole_lifetime_gets_one_renewal_a_second() {
    let mut world = World::signed_in(Keep::Always);
    let latency = Duration::from_millis(20);
    let mut renewals = 0;
    for _ in 0..500 {
        match world.session.poll_for(world.now, seconds(900) - latency / 2) {
            Step::Send(ticket, _) => {
                renewals += 1;
                world.ticket = Some(ticket);
                world.pass(latency);
                let grant = world.next_grant(true);
                world.reply(&grant).unwrap();
            }
            Step::Ready(_) => world.pass(latency),
            step => panic!("{step:?}"),
        }
    }
    assert!((9..=11).contains(&renewals), "{renewals} renewals in ten seconds");
}

#[test]
fn tokens_that_live_less_than_a_tenth_of_a_second_cost_ten_renewals_a_second() {
    let mut world = World::with_credentials(Keep::Always);
    let (mut renewals, mut served) = (0, 0);
    for _ in 0..1_000 {
        match world.ask() {
            'R' => served += 1,
            'S' | 'F' => {
                renewals += 1;
                let mut grant = grant_of(&format!("a{renewals}"), Some("r"), 0);
                let ends = "2025-07-23T11:17:31.627745Z";
                grant["payload"]["access_expire_at"] = ends.into();
                world.reply(&answer(200, &grant)).unwrap();
                assert_eq!(world.ask(), 'R', "50 ms are 50 ms");
            }
            'W' => {
                let error = world.session.last_error().unwrap();
                assert!(matches!(error.why(), RenewalCause::ShortLived), "{error}");
                assert!(error.source().is_none());
            }
            step => panic!("{step}"),
        }
        world.pass(Duration::from_millis(10));
    }
    assert!((95..=101).contains(&renewals) && served >= 400, "{renewals} renewals in ten seconds");
}

#[test]
fn an_absurd_retry_after_is_capped_or_no_wait_at_all() {
    let (backoff, cap) = (Duration::from_millis(500), seconds(900));
    for (value, expected) in [
        ("99999999999999999999999999", cap),
        ("18446744073709551615", cap),
        ("18446744073709551616", cap),
        ("-18446744073709551616", backoff),
        ("1.5", backoff),
        ("1e9", backoff),
        ("+7", backoff),
        ("0x10", backoff),
        ("7, 8", backoff),
        ("  7  ", seconds(7)),
        ("", backoff),
        ("NaN", backoff),
        ("Fri, 31 Dec 9999 23:59:59 GMT", cap),
        ("Mon, 01 Jan 0001 00:00:00 GMT", backoff),
        ("Thu, 31 Dec 9999 23:59:59 GMT", backoff),
        ("Wed, 31 Feb 2026 00:00:00 GMT", backoff),
        ("Wed, 23 Jul 2025 11:17:31 PST", backoff),
    ] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&with_retry_after(answer(503, &json!({})), value)).unwrap_err();
        assert_eq!(world.waits().0, expected, "Retry-After: {value:?}");
    }
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    let mut response = answer(503, &json!({}));
    response.headers_mut().insert("retry-after", http::HeaderValue::from_bytes(b"\xff7").unwrap());
    world.reply(&response).unwrap_err();
    assert_eq!(world.waits().0, backoff);
}
