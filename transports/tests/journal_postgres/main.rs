//! The journal in PostgreSQL: what a second process, a lost answer, a kill, a crash of the server,
//! a failover and a restored backup leave of it.
#![cfg(all(
    feature = "journal-postgres",
    feature = "test-servers",
    feature = "service-file",
    feature = "ureq",
    unix
))]

mod addresses;
mod answers;
mod basics;
mod crowd;
#[path = "../journals/eventually.rs"]
mod eventually;
#[path = "../journals/rules.rs"]
mod every;
mod failover;
mod outage;
mod rules;
#[path = "../servers/postgres.rs"]
mod servers;
mod service;
mod settings;
mod syncs;

use imts::JournalPostgres;
use imts::call::Ending;
use imts::journal::{Durable, Entry, Finding, Journal, RecordError, Resolution};
use imts::postgres::PostgresAddress;
use imts::time::Wall;

pub(crate) use crate::eventually::eventually;
pub(crate) use crate::every::intent;
use crate::servers::Postgres;

/// Where a server is.
pub(crate) fn at(server: &Postgres) -> PostgresAddress {
    PostgresAddress::new(&server.address()).unwrap()
}

/// A server with the journal's tables.
pub(crate) fn server() -> Postgres {
    let server = Postgres::start();
    JournalPostgres::migrate(&at(&server)).unwrap();
    server
}

pub(crate) fn opened(server: &Postgres) -> JournalPostgres {
    JournalPostgres::open(at(server)).unwrap()
}

pub(crate) fn intends(journal: &mut impl Journal, reference: &str) -> Result<u64, RecordError> {
    journal.record(&Entry::Intent(intent(reference)))
}

pub(crate) fn sends(
    journal: &mut impl Journal,
    id: u64,
    until: Option<Wall>,
) -> Result<u64, RecordError> {
    journal.record(&Entry::Sending { id, at: Wall::from_unix_micros(2), until })
}

pub(crate) fn ends(
    journal: &mut impl Journal,
    id: u64,
    ending: Ending,
) -> Result<u64, RecordError> {
    journal.record(&Entry::Ended { id, at: Wall::from_unix_micros(3), ending })
}

/// Intends and sends a call, and does not end it.
pub(crate) fn leaves(journal: &mut impl Journal, reference: &str) -> u64 {
    let id = intends(journal, reference).unwrap();
    sends(journal, id, None).unwrap()
}

/// What someone found out by asking.
pub(crate) fn found(finding: Finding) -> Resolution {
    Resolution { finding, reason: "asked status".to_owned(), by: Some("ops".to_owned()) }
}

/// Waits until an entry is durable.
pub(crate) fn wait(durable: Durable) -> Result<(), RecordError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(durable)
}
