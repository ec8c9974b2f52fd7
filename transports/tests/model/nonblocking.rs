//! The client for tasks, each on a thread of its own.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, Builder};
use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::thread;

use crate::{World, explore};

/// A client whose service answers at the second look.
fn client(world: &World, builder: Builder) -> AsyncClient {
    let world = world.clone();
    let send = move |request: Request<Body>, _: Bounds| {
        let (world, mut request) = (world.clone(), Some(request));
        let mut looks = 0;
        poll_fn(move |cx| {
            looks += 1;
            if looks == 1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(Ok(world.answer(request.take().unwrap())))
        })
    };
    builder.nonblocking((send, |_: Duration| pending())).unwrap()
}

#[test]
fn three_tasks_without_a_token_cost_one_flight_and_nobody_hangs() {
    explore(2, || {
        let world = World::default();
        let client = client(&world, world.builder());
        let asks: Vec<_> = (0..2)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || block_on(client.token()).unwrap().epoch().count())
            })
            .collect();
        assert_eq!(block_on(client.token()).unwrap().epoch().count(), 1);
        for ask in asks {
            assert_eq!(ask.join().unwrap(), 1);
        }
        assert_eq!(world.calls(), 1);
    });
}

#[test]
fn a_task_that_leaves_after_its_first_poll_takes_nobodys_wake_up_with_it() {
    explore(2, || {
        let world = World::default();
        let client = client(&world, world.builder());
        let leaving = {
            let client = client.clone();
            thread::spawn(move || {
                let mut ask = pin!(client.token());
                let _left = ask.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            })
        };
        let staying = {
            let client = client.clone();
            thread::spawn(move || block_on(client.token()).unwrap().epoch().count())
        };
        assert_eq!(block_on(client.token()).unwrap().epoch().count(), 1);
        leaving.join().unwrap();
        assert_eq!(staying.join().unwrap(), 1);
        assert_eq!(world.calls(), 1);
    });
}

#[test]
fn no_ask_after_a_rejection_has_returned_brings_the_rejected_token() {
    let (made, saved) = World::with_token();
    explore(3, move || {
        let world = made.copy();
        let client = client(&world, world.builder().restore(saved.clone()));
        world.pass(60);
        let old = block_on(client.token()).unwrap().epoch();
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
                let epoch = block_on(handle.token()).unwrap().epoch();
                assert!(!(epoch == old && known), "by a handle");
            })
        };
        let known = rejected.load(Ordering::Acquire);
        assert!(!(block_on(client.token()).unwrap().epoch() == old && known), "shared");
        rejecting.join().unwrap();
        asking.join().unwrap();
        assert_ne!(block_on(client.token()).unwrap().epoch(), old);
        assert_eq!(world.calls(), 2);
    });
}
