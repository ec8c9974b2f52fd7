//! A fleet whose store is out of reach for longer than a token lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use imts::swap::{Swap, Swapped};
use imts::{Store, StoreError};
use imts_sandbox::Rotation;

use super::{World, eventually};

const PODS: usize = 20;

#[test]
fn an_outage_of_the_store_costs_each_pod_two_sign_ins_and_fails_no_ask() {
    let world = World::default();
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(6);
    world.sandbox().settings_mut().rotation = Rotation::ReuseRevokesFamily;
    let is_out = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..PODS)
        .map(|_| {
            let (inner, out) = (Arc::clone(&world.store), Arc::clone(&is_out));
            // As a server does that is stopped: it does not answer.
            world.client_over(world.builder().store(
                move |swap: &Swap| -> Result<Swapped, StoreError> {
                    let asked = Instant::now();
                    while out.load(Ordering::SeqCst) && asked.elapsed() < swap.within() {
                        thread::sleep(Duration::from_millis(10));
                    }
                    match out.load(Ordering::SeqCst) {
                        true => Err(StoreError::TimedOut),
                        false => inner.swap(swap),
                    }
                },
            ))
        })
        .collect();
    for client in &clients {
        client.token().unwrap();
    }
    let began = Instant::now();
    let waited: Vec<_> = thread::scope(|scope| {
        let asks = clients.iter().map(|client| {
            scope.spawn(move || {
                let mut longest = Duration::ZERO;
                while began.elapsed() < Duration::from_secs(12) {
                    let asked = Instant::now();
                    client.token().unwrap();
                    longest = longest.max(asked.elapsed());
                    thread::sleep(Duration::from_millis(20));
                }
                longest
            })
        });
        let asks: Vec<_> = asks.collect();
        thread::sleep(Duration::from_secs(1));
        is_out.store(true, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(7_500));
        is_out.store(false, Ordering::SeqCst);
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    let alone: u64 = clients.iter().map(|client| client.store_counts().alone).sum();
    println!(
        "{} sign-ins of {PODS} pods, {alone} of them alone; the longest ask took {:?}",
        world.sign_ins(),
        waited.iter().max().unwrap()
    );
    assert!(alone > 0, "nobody noticed");
    assert!(world.sign_ins() <= 1 + 2 * PODS, "{}", world.sign_ins());
    assert_eq!(world.sandbox().counters().refresh_reuse, 0);
    eventually("each pod's store answers again", || {
        clients.iter().all(|client| client.token().is_ok() && client.store_failure().is_none())
    });
}

/// How long each batch of asks took, in order.
fn batches(client: &imts::Client) -> Vec<Duration> {
    let mut batches: Vec<_> = (0..200)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..200 {
                std::hint::black_box(client.token().unwrap());
            }
            began.elapsed()
        })
        .collect();
    batches.sort();
    batches
}

#[test]
fn while_a_token_is_usable_an_outage_of_the_store_delays_no_ask() {
    let world = World::default();
    let is_out = Arc::new(AtomicBool::new(false));
    let (inner, out) = (Arc::clone(&world.store), Arc::clone(&is_out));
    let sharing = world.client_over(world.builder().store(
        move |swap: &Swap| -> Result<Swapped, StoreError> {
            match out.load(Ordering::SeqCst) {
                true => Err(StoreError::TimedOut),
                false => inner.swap(swap),
            }
        },
    ));
    let alone = world.client_over(world.builder());
    sharing.token().unwrap();
    alone.token().unwrap();
    is_out.store(true, Ordering::SeqCst);
    // A machine that does much else delays either of them: the best of several rounds counts.
    let rounds = (0..20).map(|_| [batches(&sharing)[197], batches(&alone)[197]]);
    let best = rounds.reduce(|best, next| [best[0].min(next[0]), best[1].min(next[1])]).unwrap();
    let [with, without] = best.map(|batch| batch.as_secs_f64());
    let best = with / without;
    println!("the 99th percentile with a store that is out, to that without: {best:.2}");
    assert!(best <= 1.2, "{best}");
}
