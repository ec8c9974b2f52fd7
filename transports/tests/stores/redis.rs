//! The store in a Redis server: real servers that restart, stop, fail over, split and ask for rights.

mod far;
mod hostile;
mod incarnations;
mod nodes;
mod rights;
mod stopped;
mod ways;

use std::time::Duration;

use imts::Store;
use imts::store::StoreError;
use imts::store::redis::RedisStore;
use imts::swap::{Found, Stamp, Swap, Swapped};

use crate::conformance::{AGENT, ENDPOINT, plain};
use crate::redis_server::RedisServer;

pub(crate) const FIRST: Stamp = Stamp { generation: 1, holder: 5, serial: 1 };
pub(crate) const SECOND: Stamp = Stamp { generation: 2, holder: 6, serial: 1 };
pub(crate) const THIRD: Stamp = Stamp { generation: 3, holder: 7, serial: 1 };

/// The key of the agent of these tests.
pub(crate) const KEY: &str = "imts:1:https%3A%2F%2Fsandbox.example:agent%2F1%20%25%D1%8E";

/// How long a swap may take, on a machine that does much else.
const WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn store(server: &RedisServer) -> RedisStore {
    RedisStore::new(server.address())
}

pub(crate) fn look() -> Swap {
    Swap::look(ENDPOINT, AGENT, WITHIN)
}

pub(crate) fn put(expects: Stamp, of: Stamp) -> Swap {
    look().putting(expects, plain(of))
}

/// Whether a swap that must be done was moved.
#[track_caller]
pub(crate) fn done(store: &RedisStore, swap: &Swap) -> bool {
    match store.swap(swap).unwrap() {
        Swapped::Done { moved, .. } => moved,
        Swapped::Other(found) => panic!("it was not done: {found:?}"),
    }
}

#[track_caller]
pub(crate) fn found(store: &RedisStore) -> Found {
    match store.swap(&look()).unwrap() {
        Swapped::Other(found) => found,
        Swapped::Done { .. } => panic!("a look puts nothing"),
    }
}

/// The kind and the text of an error.
#[track_caller]
pub(crate) fn failed(answer: Result<Swapped, StoreError>) -> (&'static str, String) {
    let error = answer.unwrap_err();
    (error.kind(), error.to_string())
}

/// Waits until something holds that a server brings about.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited a minute in vain for: {what}");
}

/// A server that copies another one, and has all of it.
pub(crate) fn replica_of(master: &RedisServer) -> RedisServer {
    let port = master.port().to_string();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &port]);
    eventually("the replica has what the master has", || {
        replica.text(&["INFO", "replication"]).contains("master_link_status:up")
    });
    replica
}
