//! Both clients over a store that blocks. Each swap runs on a thread of its own.

use std::future::{pending, ready};
use std::time::Duration;

use http::Request;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{MemoryStore, TransportError};
use loom::future::block_on;
use loom::thread;

use crate::{World, explore};

#[test]
fn two_threads_over_a_store_cost_one_claim_one_flight_and_one_hand_over() {
    explore(2, || {
        let world = World::default();
        let store = MemoryStore::with_clock(world.clock.clone());
        let client = world.client(world.builder().store(store));
        let ask = {
            let client = client.clone();
            thread::spawn(move || client.token().unwrap().epoch().count())
        };
        assert_eq!(client.token().unwrap().epoch().count(), 1);
        assert_eq!(ask.join().unwrap(), 1);
        client.close(Duration::MAX);
        let counts = client.store_counts();
        assert_eq!((counts.swaps, counts.done, counts.renewed), (2, 2, 1));
        assert_eq!(world.calls(), 1);
    });
}

#[test]
fn a_client_that_is_closed_while_it_claims_or_hands_over_leaves_nobody_waiting() {
    explore(2, || {
        let world = World::default();
        let store = MemoryStore::with_clock(world.clock.clone());
        let client = world.client(world.builder().store(store));
        let ask = {
            let client = client.clone();
            thread::spawn(move || client.token().map(|bearer| bearer.epoch().count()))
        };
        let saved = client.close(Duration::MAX);
        if let Ok(epoch) = ask.join().unwrap() {
            assert_eq!((epoch, saved.is_some()), (1, true));
            assert_eq!(client.store_counts().done, 2, "the grant is handed over");
        }
        assert!(world.calls() <= 1);
    });
}

#[test]
fn two_tasks_over_a_store_that_blocks_are_woken_by_its_thread() {
    explore(2, || {
        let world = World::default();
        let service = world.clone();
        let send = move |request: Request<Body>, _: Bounds| {
            ready(Ok::<_, TransportError>(service.answer(request)))
        };
        let store = MemoryStore::with_clock(world.clock.clone());
        let client =
            world.builder().store(store).nonblocking((send, |_: Duration| pending())).unwrap();
        let ask = {
            let client = client.clone();
            thread::spawn(move || block_on(client.token()).unwrap().epoch().count())
        };
        assert_eq!(block_on(client.token()).unwrap().epoch().count(), 1);
        assert_eq!(ask.join().unwrap(), 1);
        block_on(client.close(Duration::MAX));
        assert_eq!((client.store_counts().done, world.calls()), (2, 1));
    });
}
