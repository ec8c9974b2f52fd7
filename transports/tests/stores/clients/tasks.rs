//! Stores of clients for tasks: without a runtime, cancelled at any moment, and awaited.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use imts::swap::Swap;
use imts::{Store, StoreError};

use super::{World, eventually, run};

#[test]
fn a_store_that_blocks_serves_tasks_without_a_runtime() {
    let world = World::default();
    let slow = world.clone();
    let client = world.tasks_over(world.builder().store(move |swap: &Swap| {
        thread::sleep(Duration::from_millis(30));
        slow.store.swap(swap)
    }));
    let token = run(client.token()).unwrap().expose_token().to_owned();
    eventually("the grant is in the store", || {
        drop(run(client.token()));
        client.store_counts().done == 2
    });
    assert_eq!(world.client().token().unwrap().expose_token(), token);
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn it_holds_no_poll_up() {
    let world = World::default();
    let slow = world.clone();
    let client = world.tasks_over(world.builder().store(move |swap: &Swap| {
        thread::sleep(Duration::from_millis(300));
        slow.store.swap(swap)
    }));
    let mut asking = pin!(client.token());
    let began = std::time::Instant::now();
    assert!(asking.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(began.elapsed() < Duration::from_millis(250), "{:?}", began.elapsed());
    run(asking).unwrap();
}

#[test]
fn a_future_dropped_at_any_poll_harms_no_other_caller() {
    for polls in 1..12 {
        let world = World { latency: Duration::from_millis(5), ..World::default() };
        let slow = world.clone();
        let client = world.tasks_over(world.builder().store(move |swap: &Swap| {
            thread::sleep(Duration::from_millis(5));
            slow.store.swap(swap)
        }));
        {
            let mut asking = Box::pin(client.token());
            for _ in 0..polls {
                let poll = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                if poll.is_ready() {
                    break;
                }
                thread::sleep(Duration::from_millis(4));
            }
        }
        run(client.token()).unwrap();
        assert_eq!(world.sign_ins(), 1, "after {polls} polls");
    }
}

#[test]
fn a_store_can_be_awaited() {
    let world = World::default();
    let awaited = Arc::new(AtomicUsize::new(0));
    let (store, count) = (Arc::clone(&world.store), Arc::clone(&awaited));
    let client = world.tasks_over(world.builder().async_store(move |swap: &Swap| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(store.swap(swap))
    }));
    run(client.token()).unwrap();
    assert_eq!(client.store_counts().done, 2);
    assert_eq!(awaited.load(Ordering::SeqCst), 2, "a claim and a hand-over");
    assert_eq!((world.client().token().is_ok(), world.sign_ins()), (true, 1));
}

#[test]
fn an_awaited_store_that_never_answers_is_dropped_in_time_and_one_that_panics_has_failed() {
    let mut world = World::default();
    world.policy.store_within = Duration::from_millis(200);
    let silent = world.tasks_over(world.builder().async_store(|_: &Swap| pending()));
    run(silent.token()).unwrap();
    assert_eq!(silent.store_counts().alone, 1);
    let text = silent.store_failure().unwrap().to_string();
    assert_eq!(text, "the store did not answer in time");

    let panics = |_: &Swap| async { panic!("a test's own") };
    let client = world.tasks_over(world.builder().async_store(panics));
    run(client.token()).unwrap();
    let text = client.store_failure().unwrap().to_string();
    assert_eq!(text, StoreError::unreachable(Panicked).to_string());
    assert_eq!(world.sign_ins(), 2);
}

#[derive(Debug)]
struct Panicked;

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the store panicked")
    }
}

impl std::error::Error for Panicked {}

#[test]
fn with_a_spawner_the_hand_over_needs_no_further_ask() {
    let world = World::default();
    let executor = Arc::new(smol::Executor::new());
    let (spawns, runs) = (Arc::clone(&executor), Arc::clone(&executor));
    thread::spawn(move || smol::block_on(runs.run(pending::<()>())));
    let builder = world.builder().store(Arc::clone(&world.store));
    let client = world.tasks_over(builder.spawner(move |task| spawns.spawn(task).detach()));
    run(client.token()).unwrap();
    eventually("it is handed over", || client.store_counts().done == 2);
}
