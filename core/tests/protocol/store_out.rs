//! What a session does while its shared store does not answer.

use std::sync::Arc;
use std::time::Duration;

use imts_core::Keep;
use imts_core::exchange::Purpose;
use imts_core::policy::Alone;
use imts_core::swap::{Found, Held, SwapError};

use crate::sharing::{SIBLING, as_sibling, asking, granted, granted_ago, sharing};
use crate::support::{AGENT, World, credentials, policy, seconds, session_with};

#[test]
fn while_the_store_is_out_a_usable_token_is_served_and_the_store_asked_by_back_off() {
    let mut world = granted_ago(781);
    let mut waits = Vec::new();
    for _ in 0..6 {
        world.asks_for('H');
        world.store_fails();
        let begin = world.now;
        while world.ask() == 'R' {
            world.pass(Duration::from_millis(100));
        }
        assert!(world.swap.is_some(), "it is asked again");
        waits.push(world.now.mono.since(begin.mono).as_millis());
        let (ticket, _) = world.swap.take().unwrap();
        world.session.on_swap(ticket, Err(Arc::new(SwapError::TimedOut)), world.now);
        world.pass(seconds(5));
    }
    assert!(waits[0] < 1_100 && waits[5] <= 5_000, "{waits:?}");
}

#[test]
fn a_session_signs_in_alone_shortly_before_its_token_ends_and_never_refreshes() {
    let mut times = Vec::new();
    for seed in 0..20 {
        let policy = policy().with_jitter_seed(seed).with_spread_percent(0);
        let mut world = sharing(policy);
        world = granted(world);
        world.pass(seconds(790));
        let begin = world.now;
        loop {
            match world.ask() {
                'H' => world.store_fails(),
                'R' => world.pass(Duration::from_millis(250)),
                'S' => break,
                step => panic!("{step}"),
            }
        }
        times.push(790 + world.now.mono.since(begin.mono).as_secs());
    }
    // Half and a quarter of the margin of 120 s before 900 s.
    assert!(times.iter().all(|at| (840..=871).contains(at)), "{times:?}");
    assert!(times.iter().max() > times.iter().min());
}

#[test]
fn a_session_without_credentials_or_that_may_not_be_alone_waits_for_the_store() {
    let mut waiting = granted(sharing(policy().with_alone(Alone::Wait)));
    let session = session_with(policy().with_spread_percent(0)).with_shared_store(SIBLING);
    let mut once = World::of(session);
    once.session.sign_in(credentials(AGENT), Keep::Once, once.now);
    let mut once = granted(once);
    for world in [&mut waiting, &mut once] {
        world.pass(seconds(1_000));
        world.asks_for('H');
        world.store_fails();
        let (wait, why) = world.waits();
        assert_eq!((wait, why.kind()), (Duration::from_millis(500), "store"));
        assert!(why.to_string().contains("no answer came"), "{why}");
        world.pass(wait);
        world.asks_for('H');
    }
}

#[test]
fn after_a_sign_in_alone_that_failed_the_store_is_asked_again() {
    let mut world = asking(granted_ago(1_000));
    world.store_fails();
    world.sends(Purpose::SignIn);
    world.fails(imts_core::TransportError::unknown());
    assert_eq!(world.ask(), 'W');
    world.pass(seconds(1));
    world.asks_for('H');
}

#[test]
fn health_says_how_long_the_store_makes_the_session_wait() {
    let mut world = asking(granted_ago(1_000));
    world.store_fails();
    let health = world.session.health(world.now);
    assert_eq!(health.backing_off, Some(Duration::from_millis(500)));
    let mut world = asking(granted_ago(1_000));
    world.finds(|world| {
        Found::state(as_sibling(world, "unspent", true), Duration::ZERO, world.store_time())
            .with_held(Held::new(seconds(60), true))
    });
    let health = world.session.health(world.now);
    assert_eq!(health.backing_off, Some(seconds(60)));
    assert_eq!(health.next_renewal, Some(seconds(60)));
}
