//! What is published holds what the session says, on every thread, at every moment.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use imts::clock::Clock;
use imts::time::Wall;
use imts::{Credentials, Keep, Now, TokenError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation};

use crate::{World, at_once, eventually};

fn jump(world: &World, micros: i64) {
    let now = world.clock.now();
    world.clock.set(Now { wall: Wall::from_unix_micros(now.wall.unix_micros() + micros), ..now });
}

#[test]
fn a_handle_and_its_client_are_told_the_same_whatever_happens() {
    let world = World::default();
    let client = world.nonblocking();
    let mut handle = client.handle();
    let mut asked = |what: &str| {
        let by_handle = at_once(handle.token()).map(|bearer| bearer.epoch().count());
        let shared = at_once(client.token()).map(|bearer| bearer.epoch().count());
        let (by_handle, shared) = (by_handle.ok(), shared.ok());
        assert_eq!(by_handle, shared, "{what}");
        shared
    };
    assert_eq!(asked("no token yet"), Some(1));
    let first = at_once(client.token()).unwrap().epoch();
    client.reject(first);
    world.pass(1);
    assert_eq!(asked("rejected"), Some(2));
    world.pass(900);
    assert_eq!(asked("expired by both clocks"), Some(3));
    jump(&world, 901_000_000);
    assert_eq!(asked("expired by the wall clock, while the other stands still"), Some(4));
    client.sign_out();
    assert_eq!(asked("signed out"), None);
    client.sign_in(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap(), Keep::Once);
    assert_eq!(asked("signed in again"), Some(5));
    client.sign_in(Credentials::new("nobody", "x").unwrap(), Keep::Always);
    assert_eq!(asked("signed in as someone whom the service does not know"), None);
    at_once(client.close(Duration::ZERO));
    assert!(matches!(at_once(client.token()).unwrap_err(), TokenError::Closed));
    assert!(matches!(at_once(handle.token()).unwrap_err(), TokenError::Closed));
}

#[test]
fn a_token_is_served_to_the_last_microsecond_by_either_clock_and_no_longer() {
    for by_wall in [false, true] {
        let world = World::default();
        let client = world.nonblocking();
        let mut handle = client.handle();
        at_once(client.token()).unwrap();
        let ends_at = client.phase(|phase| phase.usable().unwrap().bearer().ends_at());
        world.sandbox().settings_mut().outage = Some(imts_sandbox::Outage::default());
        let left = ends_at.since(world.clock.now().wall);
        let early = left - Duration::from_micros(1);
        let Ok(micros) = i64::try_from(early.as_micros()) else { panic!("{early:?}") };
        let pass = |micros: i64| match by_wall {
            true => jump(&world, micros),
            false => world.clock.advance(Duration::from_micros(micros.unsigned_abs())),
        };
        pass(micros);
        assert!(at_once(handle.token()).is_ok() && at_once(client.token()).is_ok());
        pass(1);
        assert!(at_once(handle.token()).is_err() && at_once(client.token()).is_err());
    }
}

#[test]
fn nothing_is_refetched_that_does_not_end() {
    let world = World::default();
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(86_400);
    let client = world.blocking();
    let mut handle = client.handle();
    for _ in 0..86_000 {
        world.pass(1);
        client.token().unwrap();
        handle.token().unwrap();
    }
    assert_eq!(world.calls(), 1);
}

#[test]
fn a_restored_token_is_published_from_the_start() {
    let world = World::default();
    let client = world.blocking();
    client.token().unwrap();
    let heir = world.blocking_by(world.builder().restore(client.saved().unwrap()));
    let count = allocation_counter::measure(|| drop(heir.token().unwrap())).count_total;
    assert_eq!(count, 0, "the first ask is served from what is published");
    assert_eq!(world.calls(), 1);
}

/// Threads ask, each through the client and a handle of its own, while others reject what they got.
/// A caller that knows of a rejection, in whatever way, never gets that token again.
#[test]
fn no_thread_gets_a_token_that_it_could_know_to_be_rejected() {
    const ROUNDS: u64 = 200;
    let world = World::default();
    let client = world.blocking();
    let (rejected, done, start) = (AtomicU64::new(0), AtomicBool::new(false), Barrier::new(5));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut handle = client.handle();
                start.wait();
                while !done.load(Ordering::SeqCst) {
                    let known = rejected.load(Ordering::SeqCst);
                    if let Ok(bearer) = handle.token() {
                        assert!(bearer.epoch().count() > known, "by a handle");
                    }
                    let known = rejected.load(Ordering::SeqCst);
                    if let Ok(bearer) = client.token() {
                        assert!(bearer.epoch().count() > known, "shared");
                    }
                }
            });
        }
        start.wait();
        while rejected.load(Ordering::SeqCst) < ROUNDS {
            if let Ok(bearer) = client.token() {
                // Long enough for the grant to count as settled, too short for a renewal.
                world.pass(31);
                client.reject(bearer.epoch());
                rejected.store(bearer.epoch().count(), Ordering::SeqCst);
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(u64::try_from(world.calls()).unwrap() <= ROUNDS + 1);
}

#[test]
fn whoever_finds_the_session_taken_is_served_without_it_and_waits_for_no_lock() {
    for seconds in [0, 850] {
        is_served_without_the_session(seconds);
    }
}

fn is_served_without_the_session(seconds: u64) {
    let world = World::default();
    let client = world.blocking();
    let old = client.token().unwrap().epoch();
    world.pass(seconds);
    let (inside, go_on) = (Barrier::new(2), Barrier::new(2));
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        // Someone has the session in hand, and for long.
        scope.spawn(|| {
            client.phase(|_| {
                inside.wait();
                go_on.wait();
            });
        });
        inside.wait();
        let client = &client;
        scope.spawn(move || {
            let mut handle = client.handle();
            for _ in 0..1_000 {
                assert_eq!(client.token().unwrap().epoch(), old);
                assert_eq!(handle.token().unwrap().epoch(), old);
            }
            tell.send(()).unwrap();
        });
        let served = told.recv_timeout(Duration::from_secs(60));
        let refreshes = world.sandbox().count(Operation::Refresh);
        go_on.wait();
        served.expect("they are served while the session is taken");
        assert_eq!(refreshes, 0);
    });
    client.token().unwrap();
    let due = usize::from(seconds > 0);
    eventually("the refresh", || world.sandbox().count(Operation::Refresh) == due);
}

#[test]
fn a_client_that_is_closed_serves_its_valid_token_no_more_nor_do_its_handles() {
    let world = World::default();
    let client = world.nonblocking();
    let mut handle = client.handle();
    at_once(handle.token()).unwrap();
    assert!(at_once(client.close(Duration::ZERO)).is_some());
    assert!(matches!(at_once(client.token()).unwrap_err(), TokenError::Closed));
    assert!(matches!(at_once(handle.token()).unwrap_err(), TokenError::Closed));
}

#[test]
fn a_borrowed_bearer_and_its_clone_outlive_what_was_published() {
    let world = World::default();
    let client = world.nonblocking();
    let borrowed = at_once(client.token()).unwrap();
    let kept: imts::Bearer = borrowed.clone();
    let text = borrowed.expose_token().to_owned();
    client.sign_out();
    drop(client);
    assert_eq!((borrowed.expose_token(), kept.expose_token()), (&*text, &*text));
    assert_eq!(imts::Bearer::from(borrowed).expose_token(), text);
}
