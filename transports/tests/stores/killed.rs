//! Processes that share a store and are killed, or stopped for longer than a lease.
//!
//! The service revokes all tokens of a sign-in as soon as one refresh token comes twice. So a single
//! replay shows: it is counted, and asks fail after it.

mod fleet;
mod node;
#[cfg(all(feature = "store-postgres", feature = "test-servers"))]
mod postgres;
#[cfg(all(feature = "store-redis", feature = "test-servers"))]
mod servers;

use std::time::Duration;

use self::fleet::{Fleet, Harm, Plan};
use crate::folder::Folder;
use crate::place;

/// How many fleets run side by side, and for how many seconds each: `10x1000` is the long form, with
/// ten thousand renewals.
const FLEETS: &str = "IMTS_STORE_FLEETS";

fn fleets(seconds: u64) -> (usize, Duration) {
    let Ok(given) = std::env::var(FLEETS) else { return (1, Duration::from_secs(seconds)) };
    let (fleets, seconds) = given.split_once('x').expect("such as 10x1000");
    (fleets.parse().unwrap(), Duration::from_secs(seconds.parse().unwrap()))
}

/// Lets fleets run, and holds each to the rules. `meanwhile` makes what is done to the store of a
/// fleet, once in every second.
fn play<M: FnMut() + Send>(
    plan: &Plan,
    seconds: u64,
    address: impl Fn(usize) -> String,
    meanwhile: impl Fn(usize) -> M + Sync,
) {
    let (fleets, time) = fleets(seconds);
    let playing: Vec<_> = (0..fleets).map(|number| Fleet::start(plan, address(number))).collect();
    let mut renewals = 0;
    std::thread::scope(|scope| {
        let playing = playing.into_iter().enumerate().map(|(number, fleet)| {
            let meanwhile = &meanwhile;
            scope.spawn(move || fleet.play(number, time, meanwhile(number)))
        });
        let playing: Vec<_> = playing.collect();
        // All of them report before the first one is judged.
        let all: Vec<_> = playing.into_iter().map(|fleet| fleet.join().unwrap()).collect();
        for ended in &all {
            println!("{ended:?}");
        }
        for ended in all {
            assert_eq!(ended.replays, 0, "a refresh token came twice: {ended:?}");
            assert_eq!(ended.failures, Vec::<String>::new(), "asks failed: {ended:?}");
            assert!(ended.harmed > 0 && ended.asks > 0, "nothing happened: {ended:?}");
            // Without a store, each of eight processes would renew once a second.
            let most = 2 * time.as_secs() + 3 * ended.harmed + plan.alone;
            assert!(ended.renewals <= most, "{} renewals, {most} at most", ended.renewals);
            renewals += ended.renewals;
        }
    });
    println!("{renewals} renewals in {fleets} fleets");
}

/// Nothing is done to the store.
fn nothing(_: usize) -> impl FnMut() + Send {
    || {}
}

const KILLS: Plan = Plan {
    harm: Harm::Kill,
    every: Duration::from_millis(300),
    lease: None,
    store_backoff_cap: None,
    alone: 0,
};
const STOPS: Plan = Plan {
    harm: Harm::Stop,
    every: Duration::from_millis(400),
    lease: Some(Duration::from_millis(700)),
    ..KILLS
};

#[test]
fn killed_processes_neither_replay_a_refresh_token_nor_fail_an_ask_of_the_others() {
    let folders: Vec<_> = (0..fleets(8).0).map(|_| Folder::new()).collect();
    play(&KILLS, 8, |number| place::file_in(&folders[number]), nothing);
}

#[test]
fn processes_stopped_for_longer_than_their_lease_do_no_harm_when_they_go_on() {
    let folders: Vec<_> = (0..fleets(8).0).map(|_| Folder::new()).collect();
    play(&STOPS, 8, |number| place::file_in(&folders[number]), nothing);
}
