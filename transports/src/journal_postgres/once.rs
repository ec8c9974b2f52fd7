//! What is done over a connection of its own: migrations, acceptances, reading.

use std::thread;

use imts_core::journal::CallRecord;
use imts_core::time::Wall;
use tokio_postgres::Client;

use super::error::JournalPostgresError;
use super::reading::{self, Which};
use super::rows::Values;
use super::schema::{self, Migrated, query};
use super::statements;
use crate::postgres::{Connection, PostgresAddress};

pub(super) fn migrate(address: &PostgresAddress) -> Result<Migrated, JournalPostgresError> {
    once(address, async |client| schema::migrate(client).await)
}

pub(super) fn accept(
    address: &PostgresAddress,
    reason: &str,
    by: Option<&str>,
    at: Wall,
) -> Result<(), JournalPostgresError> {
    once(address, async |client| {
        schema::known(client).await?;
        let values = Values::default().number(at.unix_micros()).text(reason.to_owned());
        let values = values.maybe_text(by.map(str::to_owned));
        query(client, statements::ACCEPT, &values).await.map(drop)
    })
}

pub(super) fn read(
    address: &PostgresAddress,
    which: Which,
) -> Result<Vec<CallRecord>, JournalPostgresError> {
    once(address, async |client| {
        schema::known(client).await?;
        reading::read(client, which).await
    })
}

/// Does some work over a connection, on a thread of its own: the caller's thread may be a
/// runtime's, and a runtime does not wait inside another.
fn once<T: Send>(
    address: &PostgresAddress,
    work: impl AsyncFnOnce(&Client) -> Result<T, JournalPostgresError> + Send,
) -> Result<T, JournalPostgresError> {
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| JournalPostgresError::no_thread(&error))?;
        let outcome = runtime.block_on(async {
            let connection = Connection::open(address).await?;
            work(connection.client()).await
        });
        // A lookup of a name may still be under way, and no one needs it.
        runtime.shutdown_background();
        outcome
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("imts-journal".to_owned());
        let thread = thread
            .spawn_scoped(scope, work)
            .map_err(|error| JournalPostgresError::no_thread(&error))?;
        thread.join().unwrap_or(Err(JournalPostgresError::Closed))
    })
}
