//! Several clients over one store: one renews, and the others take its grant.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use imts::TokenError;
use imts_sandbox::{DEFAULT_AGENT, Outage, Rotation};

use super::{World, eventually};

#[test]
fn fifty_clients_that_start_together_sign_in_once() {
    let world = World { latency: Duration::from_millis(200), ..World::default() };
    let clients: Vec<_> = (0..50).map(|_| world.client()).collect();
    let barrier = Barrier::new(clients.len());
    let served: Vec<_> = thread::scope(|scope| {
        let asks = clients.iter().map(|client| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let began = Instant::now();
                (client.token().unwrap().expose_token().to_owned(), began.elapsed())
            })
        });
        let asks: Vec<_> = asks.collect();
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    });
    println!("the last one was served after {:?}", served.iter().map(|it| it.1).max().unwrap());
    assert!(served.iter().all(|(token, _)| *token == served[0].0));
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn a_renewal_costs_its_client_two_swaps_and_each_sibling_no_more_on_average() {
    let mut world = World::default();
    world.policy.lease = Duration::from_secs(5);
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(2);
    world.sandbox().settings_mut().rotation = Rotation::ReuseRevokesFamily;
    let clients: Vec<_> = (0..8).map(|_| world.client()).collect();
    for client in &clients {
        client.token().unwrap();
    }
    let counts = || {
        let counts: Vec<_> = clients.iter().map(imts::Client::store_counts).collect();
        let sum = |of: fn(&imts::client::StoreCounts) -> u64| counts.iter().map(of).sum::<u64>();
        (sum(|it| it.swaps), sum(|it| it.renewed), sum(|it| it.found), sum(|it| it.alone))
    };
    let before = counts();
    let until = Instant::now() + Duration::from_secs(8);
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(move || {
                while Instant::now() < until {
                    client.token().unwrap();
                    thread::sleep(Duration::from_millis(10));
                }
            });
        }
    });
    let after = counts();
    let (swaps, renewals) = ((after.0 - before.0) as f64, (after.1 - before.1) as f64);
    println!("{renewals} renewals, {swaps} swaps, {} found", after.2 - before.2);
    assert_eq!(after.3, 0, "nobody signed in alone");
    assert_eq!(world.sandbox().counters().refresh_reuse, 0);
    assert!((5.0..=9.0).contains(&renewals), "{renewals}");
    let siblings = (swaps - 2.0 * renewals) / (7.0 * renewals);
    assert!(siblings <= 2.0, "{siblings} swaps of each sibling for a renewal");
}

#[test]
fn a_client_without_credentials_uses_what_its_siblings_put() {
    let world = World::default();
    let builder = world.nameless().agent(DEFAULT_AGENT).store(Arc::clone(&world.store));
    let poor = world.client_over(builder);
    let error = poor.token().unwrap_err();
    assert!(matches!(error, TokenError::SignIn { .. }), "{error:?}");
    let rich = world.client();
    let token = rich.token().unwrap().expose_token().to_owned();
    eventually("the grant is in the store", || rich.store_counts().done == 2);
    eventually("the other client looks", || {
        poor.token().is_ok_and(|bearer| bearer.expose_token() == token)
    });
    assert_eq!((world.sign_ins(), poor.store_counts().found), (1, 1));
}

#[test]
fn an_outage_of_the_service_is_felt_once_and_not_by_each_client() {
    let world = World::default();
    world.sandbox().settings_mut().outage = Some(Outage::default());
    let clients: Vec<_> = (0..8).map(|_| world.client()).collect();
    let until = Instant::now() + Duration::from_secs(4);
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(move || {
                while Instant::now() < until {
                    client.token().unwrap_err();
                    thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    // One client alone makes five calls in that time, eight without a store make 32 to 40.
    let calls = world.sign_ins();
    println!("{calls} calls in an outage of four seconds");
    assert!((2..=9).contains(&calls), "{calls}");
    world.sandbox().settings_mut().outage = None;
    for client in &clients {
        client.token_waiting().unwrap();
    }
    assert!(world.sign_ins() <= calls + 2, "{} after {calls}", world.sign_ins());
}

#[test]
fn a_token_that_is_rejected_is_renewed_once_for_all() {
    let world = World::default();
    let (first, second) = (world.client(), world.client());
    let epoch = first.token().unwrap().epoch();
    eventually("the grant is in the store", || first.store_counts().done == 2);
    let shared = second.token().unwrap().epoch();
    thread::sleep(Duration::from_millis(10));
    first.reject(epoch);
    let renewed = first.token().unwrap().expose_token().to_owned();
    eventually("the grant is in the store", || first.store_counts().done == 4);
    second.reject(shared);
    assert_eq!(second.token().unwrap().expose_token(), renewed);
    assert_eq!(world.sign_ins() + world.refreshes(), 2);
}
