//! The store in a PostgreSQL server: real servers that restart, crash, fail over and are restored.

mod incarnations;
mod rights;
mod ways;

use std::time::Duration;

use imts::Store;
use imts::postgres::PostgresAddress;
use imts::store::StoreError;
use imts::store::postgres::PostgresStore;
use imts::swap::{Found, Stamp, Swap, Swapped};

use crate::conformance::{AGENT, ENDPOINT, plain};
use crate::postgres_server::Postgres;

const FIRST: Stamp = Stamp { generation: 1, holder: 5, serial: 1 };
const SECOND: Stamp = Stamp { generation: 2, holder: 6, serial: 1 };
const THIRD: Stamp = Stamp { generation: 3, holder: 7, serial: 1 };

/// How long a swap may take, on a machine that does much else.
const WITHIN: Duration = Duration::from_secs(20);

/// A server with the store's table.
pub(crate) fn server() -> Postgres {
    let server = Postgres::start();
    PostgresStore::migrate(&at(&server.address())).unwrap();
    server
}

pub(crate) fn at(address: &str) -> PostgresAddress {
    PostgresAddress::new(address).unwrap()
}

fn store(server: &Postgres) -> PostgresStore {
    PostgresStore::new(at(&server.address()))
}

fn look() -> Swap {
    Swap::look(ENDPOINT, AGENT, WITHIN)
}

fn put(expects: Stamp, of: Stamp) -> Swap {
    look().putting(expects, plain(of))
}

/// Whether a swap that must be done was moved.
#[track_caller]
fn done(store: &PostgresStore, swap: &Swap) -> bool {
    match store.swap(swap).unwrap() {
        Swapped::Done { moved, .. } => moved,
        Swapped::Other(found) => panic!("it was not done: {found:?}"),
    }
}

#[track_caller]
fn found(store: &PostgresStore) -> Found {
    match store.swap(&look()).unwrap() {
        Swapped::Other(found) => found,
        Swapped::Done { .. } => panic!("a look puts nothing"),
    }
}

/// The kind and the text of an error.
#[track_caller]
fn failed(answer: Result<Swapped, StoreError>) -> (&'static str, String) {
    let error = answer.unwrap_err();
    (error.kind(), error.to_string())
}
