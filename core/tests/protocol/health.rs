//! What an operator can see of a session.

use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::session::CredentialsHealth;
use imts_core::transport_error::NotSent;
use imts_core::{Keep, TransportError};
use serde_json::{Value, json};

use crate::support::{World, answer, policy, seconds, session_with};
use crate::transitions::STATES;

fn told(world: &World) -> Value {
    serde_json::to_value(world.session.health(world.now)).unwrap()
}

#[test]
fn health_says_what_the_next_poll_would_do_in_every_state() {
    for (state, build) in STATES {
        let mut world = build();
        let health = world.session.health(world.now);
        assert_eq!(health.phase, world.phase(), "{state}");
        let step = world.ask();
        assert_eq!(health.is_ready(), step == 'R' || health.phase == "expiring", "{state}: {step}");
        let next = health.next_renewal;
        match step {
            'C' => assert!(health.needs_credentials(), "{state}"),
            'W' => assert_eq!(next, Some(world.waits().0), "{state}"),
            'S' | 'F' => assert_eq!(next, Some(Duration::ZERO), "{state}"),
            _ => assert!(!health.needs_credentials(), "{state}: {step}"),
        }
        assert_eq!(
            health.in_flight.is_some(),
            matches!(state, "signing" | "refreshing" | "renewing" | "renewing, used up"),
            "{state}"
        );
    }
}

#[test]
fn a_valid_sessions_health_is_one_flat_object_in_milliseconds() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(60));
    let expected = json!({
        "phase": "valid", "remaining_ms": 840_000, "refresh_remaining_ms": 2_591_940_000_u64,
        "next_renewal_ms": 720_000, "backing_off_ms": null, "in_flight": null,
        "credentials": "worked", "failures": 0, "last_error": null, "save_failed": false,
        "credentials_failed": false,
        "epoch": 1, "generation": 1,
    });
    assert_eq!(told(&world), expected);
}

#[test]
fn a_failure_is_told_with_its_kind_its_age_and_what_to_do() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.pass(seconds(3));
    assert_eq!(told(&world)["in_flight"], json!({ "purpose": "sign-in", "since_ms": 3_000 }));
    world.fails(TransportError::not_sent(NotSent::vouch()));
    world.pass(Duration::from_millis(200));
    let health = told(&world);
    let expected = json!({
        "kind": "not sent", "recovery": "retry", "age_ms": 200,
        "text": "sign-in failed: the service could not be reached",
    });
    assert_eq!((&health["last_error"], &health["backing_off_ms"]), (&expected, &json!(300)));
    assert_eq!((&health["failures"], &health["credentials"]), (&json!(1), &json!("untried")));
}

#[test]
fn the_credentials_standing_is_told() {
    use CredentialsHealth::{Doubted, Forbidden, None, Refused, Untried, Worked};
    let mut slow = policy();
    slow.secret_tries = 2;
    let mut doubted = World::of(session_with(slow));
    doubted.session.sign_in(crate::support::credentials("agent-1"), Keep::Always, doubted.now);
    doubted.sends(Purpose::SignIn);
    doubted.refused();
    let mut forbidden = World::with_credentials(Keep::Always);
    forbidden.sends(Purpose::SignIn);
    forbidden.reply(&answer(403, &json!({}))).unwrap_err();
    let mut refused = World::with_credentials(Keep::Always);
    refused.sends(Purpose::SignIn);
    refused.refused();
    for (world, standing) in [
        (World::empty(), None),
        (World::with_credentials(Keep::Always), Untried),
        (World::signed_in(Keep::Always), Worked),
        (forbidden, Forbidden),
        (doubted, Doubted),
        (refused, Refused),
    ] {
        assert_eq!(world.session.health(world.now).credentials, standing);
    }
}
