//! What a client that is closed leaves in its store.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use imts::swap::{Swap, Swapped};
use imts::{Store, StoreError, TokenError};
use imts_sandbox::DEFAULT_AGENT;

use super::{World, eventually, reports, run};

#[test]
fn closing_completes_the_renewal_and_its_hand_over() {
    for tasks in [false, true] {
        let world = World { latency: Duration::from_millis(300), ..World::default() };
        let slow = world.clone();
        let builder = world.builder().store(move |swap: &Swap| {
            if reports(swap) {
                thread::sleep(Duration::from_millis(200));
            }
            slow.store.swap(swap)
        });
        // It is closed while the request is under way, and the hand-over is another flight.
        let (saved, counts) = if tasks {
            let client = world.tasks_over(builder);
            let asking = client.clone();
            let asked = thread::spawn(move || run(asking.token()).map(drop));
            eventually("it has claimed", || client.store_counts().done >= 1);
            let saved = run(client.close(Duration::from_secs(60)));
            drop(asked.join().unwrap());
            (saved, client.store_counts())
        } else {
            let client = world.client_over(builder);
            let asking = client.clone();
            let asked = thread::spawn(move || asking.token().map(drop));
            eventually("it has claimed", || client.store_counts().done >= 1);
            let saved = client.close(Duration::from_secs(60));
            drop(asked.join().unwrap());
            (saved, client.store_counts())
        };
        assert!(!saved.unwrap().is_in_doubt());
        assert_eq!((counts.done, counts.renewed), (2, 1), "handed over when close returns");
        world.client().token().unwrap();
        assert_eq!(world.sign_ins(), 1, "tasks: {tasks}");
    }
}

#[test]
fn closing_gives_up_a_hand_over_that_is_not_done_by_its_deadline() {
    let mut world = World { latency: Duration::from_millis(100), ..World::default() };
    world.policy.store_within = Duration::from_secs(4);
    let (freed, free) = channel::<()>();
    let (free, inner) = (Mutex::new(free), world.clone());
    let client = world.client_over(world.builder().store(move |swap: &Swap| {
        if reports(swap) {
            let _freed = free.lock().unwrap().recv();
        }
        inner.store.swap(swap)
    }));
    let asking = client.clone();
    let asked = thread::spawn(move || asking.token().map(drop));
    eventually("it has claimed", || client.store_counts().done >= 1);
    drop(client.close(Duration::from_secs(1)));
    let counts = client.store_counts();
    assert_eq!((counts.done, counts.failed), (1, 0), "it has waited for the store's time limit");
    drop(freed);
    drop(asked.join().unwrap());
}

#[test]
fn closing_ends_the_wait_for_a_sibling_at_once() {
    let world = World { latency: Duration::from_millis(500), ..World::default() };
    let (busy, waiting) = (world.client(), world.client());
    let asking = busy.clone();
    let renewal = thread::spawn(move || asking.token().map(drop));
    eventually("the sibling has claimed", || busy.store_counts().done >= 1);
    let asking = waiting.clone();
    let asked = thread::spawn(move || asking.token().map(drop));
    eventually("this one waits for it", || waiting.store_counts().other >= 1);
    drop(waiting.close(Duration::from_secs(60)));
    let error = asked.join().unwrap().unwrap_err();
    assert!(matches!(error, TokenError::Closed), "{error:?}");
    renewal.join().unwrap().unwrap();
}

#[test]
fn signing_out_everywhere_takes_the_tokens_of_every_sibling() {
    for tasks in [false, true] {
        let world = World::default();
        let builder = || world.nameless().agent(DEFAULT_AGENT).store(Arc::clone(&world.store));
        let (rich, poor) = (world.client(), world.client_over(builder()));
        rich.token().unwrap();
        eventually("the grant is in the store", || rich.store_counts().done == 2);
        poor.token().unwrap();
        if tasks {
            let client = world.tasks_over(builder());
            run(client.token()).unwrap();
            run(client.sign_out_everywhere()).unwrap();
        } else {
            poor.sign_out_everywhere().unwrap();
        }
        let late = world.client_over(builder());
        let error = late.token().unwrap_err();
        assert!(matches!(error, TokenError::SignIn { .. }), "{error:?}");
    }
}

#[test]
fn signing_out_everywhere_says_why_the_store_did_not_answer() {
    let world = World::default();
    let silent = |_: &Swap| -> Result<Swapped, StoreError> { Err(StoreError::TimedOut) };
    let client = world.client_over(world.builder().store(silent));
    client.token().unwrap();
    let why = client.sign_out_everywhere().unwrap_err();
    assert_eq!(why.to_string(), "the store did not answer in time");
}
