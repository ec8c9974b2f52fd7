//! 401s in great number: one renewal for each token that is refused, and one for each step of back-off
//! where every fresh one is.

use std::time::Duration;

use imts::clock::Clock;
use imts_sandbox::Operation;

use crate::{World, at_once};

#[test]
fn a_hundred_requests_whose_401s_come_in_one_by_one_cost_one_renewal() {
    let world = World::default();
    let client = world.blocking();
    let epochs: Vec<_> = (0..100).map(|_| client.token().unwrap().epoch()).collect();
    world.pass(60);
    world.sandbox().revoke_access_tokens();
    let mut handle = client.handle();
    for epoch in epochs {
        world.clock.advance(Duration::from_millis(100));
        client.reject(epoch);
        let fresh = (client.token().unwrap().epoch(), handle.token().unwrap().epoch());
        assert_eq!((fresh.0.count(), fresh.1.count()), (2, 2));
    }
    assert_eq!((world.calls(), world.sandbox().count(Operation::Refresh)), (2, 1));
}

#[test]
fn a_service_that_answers_401_to_every_fresh_token_sees_one_renewal_a_back_off_step() {
    let world = World::default();
    let client = world.blocking();
    let began = world.clock.now().mono;
    while world.clock.now().mono.since(began) < Duration::from_secs(600) {
        let mut handle = client.handle();
        for _ in 0..500 {
            if let Ok(bearer) = client.token() {
                client.reject(bearer.epoch());
            }
            if let Ok(epoch) = handle.token().map(imts::Bearer::epoch) {
                client.reject(epoch);
            }
        }
        world.clock.advance(Duration::from_millis(500));
    }
    let times: Vec<_> = world.sandbox().log().iter().map(|entry| entry.at_us).collect();
    // The first rejection is news, and renews at once.
    for (step, pair) in times.windows(2).skip(1).enumerate() {
        let whole = (500_000_i64 << step.min(20)).min(60_000_000);
        assert!(pair[1] - pair[0] >= whole / 2, "step {step} after {} us", pair[1] - pair[0]);
    }
    assert!((8..=30).contains(&times.len()), "{} renewals", times.len());
}

#[test]
fn ten_minutes_of_outage_cost_a_thousand_askers_one_call_a_back_off_step() {
    let world = World::default();
    world.sandbox().settings_mut().outage = Some(imts_sandbox::Outage::default());
    let client = world.nonblocking();
    for _ in 0..600 {
        for _ in 0..1_000 {
            assert!(at_once(client.token()).unwrap_err().renewal_error().is_some());
        }
        world.pass(1);
    }
    assert!((8..=30).contains(&world.calls()), "{} calls", world.calls());
}
