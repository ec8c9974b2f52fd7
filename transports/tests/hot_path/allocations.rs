//! What an ask costs in allocations while a token is valid: none, to the `Authorization` value.

use std::time::Duration;

use allocation_counter::measure;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use imts::clock::SystemClock;
use imts::swap::Swap;
use imts::{Builder, MemoryStore, Policy, Store};
use imts_sandbox::Outage;

use crate::{World, at_once, eventually};

const ASKS: usize = 1_000;

fn allocations(mut ask: impl FnMut()) -> u64 {
    measure(|| (0..ASKS).for_each(|_| ask())).count_total
}

/// By the test's clock, which has no tick, and by the machine's.
fn builders(world: &World) -> [Builder; 2] {
    let by_machine = world.builder().clock(SystemClock);
    world.clock.set(imts::clock::Clock::now(&SystemClock));
    [world.builder(), by_machine]
}

#[test]
fn an_ask_for_a_valid_token_allocates_nothing() {
    let world = World::default();
    for builder in builders(&world) {
        let client = world.blocking_by(builder);
        let mut handle = client.handle();
        client.token().unwrap();
        handle.token().unwrap();
        let longer = Duration::from_secs(60);
        assert_eq!(allocations(|| drop(client.token().unwrap())), 0);
        assert_eq!(allocations(|| drop(client.token_valid_for(longer).unwrap())), 0);
        assert_eq!(allocations(|| assert!(handle.token().is_ok())), 0);
    }
    for builder in builders(&world) {
        let client = world.nonblocking_by(builder);
        let mut handle = client.handle();
        at_once(client.token()).unwrap();
        at_once(handle.token()).unwrap();
        assert_eq!(allocations(|| drop(at_once(client.token()).unwrap())), 0);
        assert_eq!(allocations(|| assert!(at_once(handle.token()).is_ok())), 0);
    }
}

#[test]
fn with_a_store_declared_an_ask_for_a_valid_token_allocates_nothing() {
    let world = World::default();
    for builder in builders(&world) {
        let client = world.blocking_by(builder.store(MemoryStore::new()));
        let mut handle = client.handle();
        client.token().unwrap();
        eventually("it is handed over", || client.store_counts().done == 2);
        handle.token().unwrap();
        assert_eq!(allocations(|| drop(client.token().unwrap())), 0);
        assert_eq!(allocations(|| assert!(handle.token().is_ok())), 0);
    }
    for builder in builders(&world) {
        let store = MemoryStore::new();
        let store = move |swap: &Swap| std::future::ready(store.swap(swap));
        let client = world.nonblocking_by(builder.async_store(store));
        let mut handle = client.handle();
        at_once(client.token()).unwrap();
        at_once(handle.token()).unwrap();
        assert_eq!(allocations(|| drop(at_once(client.token()).unwrap())), 0);
        assert_eq!(allocations(|| assert!(at_once(handle.token()).is_ok())), 0);
    }
}

#[test]
fn the_authorization_value_is_ready_and_sensitive_and_costs_no_allocation() {
    let world = World::default();
    let client = world.blocking();
    let mut handle = client.handle();
    client.token().unwrap();
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(AUTHORIZATION, HeaderValue::from_static("as every request has one"));
    let shared = allocations(|| {
        headers.insert(AUTHORIZATION, client.token().unwrap().header().clone());
    });
    let by_handle = allocations(|| {
        headers.insert(AUTHORIZATION, handle.token().unwrap().header().clone());
    });
    assert_eq!((shared, by_handle), (0, 0));
    assert!(headers[AUTHORIZATION].is_sensitive());
    assert!(headers[AUTHORIZATION].as_bytes().starts_with(b"Bearer "));
}

#[test]
fn in_an_outage_an_ask_allocates_nothing_whether_the_old_token_serves_or_not() {
    let world = World::default();
    let mut policy = Policy::default();
    policy.backoff_first = Duration::from_secs(60);
    let client = world.nonblocking_by(world.builder().policy(policy));
    at_once(client.token()).unwrap();
    world.sandbox().settings_mut().outage = Some(Outage::default());
    world.pass(800);
    at_once(client.token()).unwrap();
    at_once(client.token()).unwrap();
    assert_eq!(allocations(|| drop(at_once(client.token()).unwrap())), 0, "the old token");
    world.pass(100);
    at_once(client.token()).unwrap_err();
    assert_eq!(allocations(|| drop(at_once(client.token()).unwrap_err())), 0, "the last error");
    assert_eq!(world.calls(), 3);
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(Box::new(1))), ASKS as u64);
}
