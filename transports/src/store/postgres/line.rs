//! The connection of a store, on the thread that swaps.
//!
//! Owns the runtime that drives it: nothing runs between two swaps, and no thread is started. Does
//! not know what a statement means.

use std::time::Instant;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_postgres::types::{ToSql, Type};
use zeroize::Zeroizing;

use super::error::{Failed, PostgresStoreError};
use crate::postgres::{Connection, PostgresAddress, PostgresError, StatementError};

/// An open connection with its runtime.
pub(super) struct Line {
    /// It is there until this is dropped.
    runtime: Option<Runtime>,
    connection: Connection,
}

impl Line {
    /// Connects and signs in.
    pub(super) fn open(address: &PostgresAddress, by: Instant) -> Result<Self, Failed> {
        apart(|| {
            let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
                let message = error.to_string();
                Failed::For(PostgresError::NoThread { message }.into())
            })?;
            let opened = runtime.block_on(until(by, Connection::open(address)));
            match opened.map(|opened| opened.map_err(PostgresStoreError::from)) {
                Some(Ok(connection)) => Ok(Self { runtime: Some(runtime), connection }),
                // A lookup of a name may still be under way, and no one needs it.
                failed => {
                    runtime.shutdown_background();
                    Err(match failed {
                        Some(Err(error)) => Failed::For(error),
                        _ => Failed::InTime,
                    })
                }
            }
        })
    }

    /// Sends a statement whose parameters and whose answer are texts.
    pub(super) fn ask(
        &self,
        sql: &str,
        parameters: &[&str],
        by: Instant,
    ) -> Result<Zeroizing<String>, Failed> {
        let Some(runtime) = &self.runtime else { return Err(Failed::Broken("closed".into())) };
        apart(|| {
            let typed: Vec<(&(dyn ToSql + Sync), Type)> =
                parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
            let asked = self.connection.client().query_typed(sql, &typed);
            let rows = runtime.block_on(until(by, asked)).ok_or(Failed::InTime)?;
            let rows = rows.map_err(|error| Failed::of(StatementError::of(&error)))?;
            let answer = rows.first().and_then(|row| row.try_get::<_, String>(0).ok());
            answer.map(Zeroizing::new).ok_or(Failed::For(PostgresStoreError::NotAnAnswer))
        })
    }

    /// Runs statements that have no answer.
    pub(super) fn run(&self, sql: &str, by: Instant) -> Result<(), Failed> {
        let Some(runtime) = &self.runtime else { return Err(Failed::Broken("closed".into())) };
        apart(|| {
            let run = runtime.block_on(until(by, self.connection.client().batch_execute(sql)));
            run.ok_or(Failed::InTime)?.map_err(|error| Failed::of(StatementError::of(&error)))
        })
    }
}

impl Drop for Line {
    /// A runtime must not be waited for inside another one.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Does some work that blocks, on another thread if this one belongs to a runtime: one runtime does
/// not wait inside another.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, Failed> + Send) -> Result<T, Failed> {
    if Handle::try_current().is_err() {
        return work();
    }
    std::thread::scope(|scope| {
        let panicked = |_| Err(Failed::Broken("its thread has ended".into()));
        scope.spawn(work).join().unwrap_or_else(panicked)
    })
}

/// Gives up at a time.
async fn until<T>(by: Instant, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout_at(by.into(), work).await.ok()
}
