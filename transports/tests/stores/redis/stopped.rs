//! A server that stops for a while, and connections that break: no answer is taken for another's.

use std::time::{Duration, Instant};

use imts::Store;
use imts::store::StoreError;
use imts::swap::{Stamp, Swap, Swapped};
use rustix::process::Signal;

use super::{FIRST, SECOND, THIRD, done, eventually, failed, found, look, put, replica_of, store};
use crate::conformance::{AGENT, ENDPOINT, plain};
use crate::redis_server::RedisServer;

#[test]
fn while_the_server_is_stopped_a_swap_ends_in_time_and_is_not_done_later() {
    let server = RedisServer::start();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    let at = store.swap(&look()).unwrap().at();
    server.signal(Signal::STOP);
    let within = Duration::from_millis(150);
    let swap = Swap::look(ENDPOINT, AGENT, within).putting(FIRST, plain(SECOND)).made_at(at);
    let asked = Instant::now();
    let answer = store.swap(&swap);
    assert!(matches!(answer, Err(StoreError::TimedOut)), "{answer:?}");
    assert!(asked.elapsed() >= within && asked.elapsed() < Duration::from_secs(5));
    server.signal(Signal::CONT);
    // The server reads that swap now, and finds that nobody awaits it any more.
    assert_eq!(found(&store).stamp(), FIRST);
    eventually("the server has read all that was sent before", || {
        server.text(&["INFO", "clients"]).contains("blocked_clients:0")
    });
    assert_eq!(found(&store).stamp(), FIRST);
}

#[test]
fn the_answer_to_a_swap_that_timed_out_is_not_taken_for_the_next_one() {
    let server = RedisServer::start();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    server.signal(Signal::STOP);
    let hasty = Swap::look(ENDPOINT, AGENT, Duration::from_millis(50));
    assert!(matches!(store.swap(&hasty.putting(FIRST, plain(SECOND))), Err(StoreError::TimedOut)));
    server.signal(Signal::CONT);
    // It did not know the store's clock, so it was done late. The next swaps get their own answers.
    eventually("the late swap is done", || found(&store).stamp() == SECOND);
    assert!(!done(&store, &put(SECOND, THIRD)));
    assert_eq!(found(&store).stamp(), THIRD);
}

#[test]
fn a_connection_that_was_closed_while_it_was_idle_costs_no_error() {
    let mut server = RedisServer::start();
    let store = store(&server);
    assert!(!done(&store, &put(Stamp::NONE, FIRST)));
    server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(!done(&store, &put(FIRST, SECOND)));
    server.kill();
    let (kind, text) = failed(store.swap(&look()));
    assert_eq!(kind, "unreachable");
    assert!(text.contains(&format!("127.0.0.1:{}", server.port())), "{text}");
    server.start_again();
    assert_eq!(found(&store).stamp(), Stamp::NONE);
}

#[test]
fn one_connection_serves_all_swaps() {
    let server = RedisServer::start();
    let store = store(&server);
    let before = connections(&server);
    for _ in 0..20 {
        found(&store);
    }
    // This count asks over a connection of its own, too.
    assert_eq!(connections(&server), before + 2);
}

fn connections(server: &RedisServer) -> usize {
    let stats = server.text(&["INFO", "stats"]);
    let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap().trim().parse().unwrap()
}

#[test]
fn a_claim_waits_for_its_replicas_and_a_hand_over_does_not() {
    let master = RedisServer::start();
    let replica = replica_of(&master);
    let store = store(&master).replicas(1);
    let claim = |expects, of| put(expects, of).with_lease(Duration::from_secs(60), false);
    assert!(!done(&store, &claim(Stamp::NONE, FIRST)));
    assert_eq!(replica.text(&["DBSIZE"]), "1", "the replica has it by now");
    let hasty = Swap::look(ENDPOINT, AGENT, Duration::from_millis(400));
    let both = super::store(&master).replicas(2);
    let granted = Stamp { generation: 2, holder: 5, serial: 2 };
    let again = Stamp { generation: 3, holder: 5, serial: 3 };
    assert!(!done(&both, &put(FIRST, granted)));
    let lease = Duration::from_secs(60);
    let (kind, text) =
        failed(both.swap(&hasty.putting(granted, plain(again)).with_lease(lease, false)));
    assert_eq!(kind, "unreachable", "{text}");
    assert!(text.contains("1 of 2 replicas"), "{text}");
    // As after a lost answer: it was done.
    assert!(
        matches!(store.swap(&look()).unwrap(), Swapped::Other(found) if found.stamp() == again)
    );
}
