//! The client for threads.

use std::sync::atomic::Ordering;

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::thread;

use imts::TokenError;

use crate::{World, explore};

#[test]
fn three_threads_without_a_token_cost_one_flight_and_nobody_hangs() {
    explore(2, || {
        let world = World::default();
        let client = world.client(world.builder());
        let asks: Vec<_> = (0..2)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || client.token().unwrap().epoch().count())
            })
            .collect();
        assert_eq!(client.token().unwrap().epoch().count(), 1);
        for ask in asks {
            assert_eq!(ask.join().unwrap(), 1);
        }
        assert_eq!(world.calls(), 1);
    });
}

#[test]
fn no_ask_after_a_rejection_has_returned_brings_the_rejected_token() {
    let (made, saved) = World::with_token();
    explore(3, move || {
        let world = made.copy();
        let client = world.client(world.builder().restore(saved.clone()));
        world.pass(60);
        let old = client.token().unwrap().epoch();
        let rejected = Arc::new(AtomicBool::new(false));
        let rejecting = {
            let (client, rejected) = (client.clone(), Arc::clone(&rejected));
            thread::spawn(move || {
                client.reject(old);
                rejected.store(true, Ordering::Release);
            })
        };
        let asking = {
            let (client, rejected) = (client.clone(), Arc::clone(&rejected));
            thread::spawn(move || {
                let mut handle = client.handle();
                let known = rejected.load(Ordering::Acquire);
                assert!(!(handle.token().unwrap().epoch() == old && known), "by a handle");
            })
        };
        let known = rejected.load(Ordering::Acquire);
        assert!(!(client.token().unwrap().epoch() == old && known), "shared");
        rejecting.join().unwrap();
        asking.join().unwrap();
        assert_ne!(client.token().unwrap().epoch(), old);
        assert_eq!(world.calls(), 2);
    });
}

#[test]
fn a_token_that_is_due_is_served_to_three_threads_and_renewed_by_one_flight() {
    let (made, saved) = World::with_token();
    explore(3, move || {
        let world = made.copy();
        world.pass(850);
        let client = world.client(world.builder().restore(saved.clone()));
        let asks: Vec<_> = (0..2)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || client.token().unwrap().epoch().count())
            })
            .collect();
        assert!((1..=2).contains(&client.token().unwrap().epoch().count()));
        for ask in asks {
            assert!((1..=2).contains(&ask.join().unwrap()));
        }
        client.close(std::time::Duration::MAX);
        assert_eq!(world.calls(), 2);
    });
}

#[test]
fn a_client_that_is_closed_while_threads_ask_leaves_none_of_them_waiting() {
    explore(3, || {
        let world = World::default();
        let client = world.client(world.builder());
        let asks: Vec<_> = (0..2)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || client.token().map(|bearer| bearer.epoch().count()))
            })
            .collect();
        let saved = client.close(std::time::Duration::MAX);
        for ask in asks {
            match ask.join().unwrap() {
                Ok(epoch) => assert_eq!((epoch, saved.is_some()), (1, true)),
                Err(error) => assert!(matches!(error, TokenError::Closed), "{error}"),
            }
        }
        assert!(matches!(client.token().unwrap_err(), TokenError::Closed));
        assert!(world.calls() <= 1);
    });
}
