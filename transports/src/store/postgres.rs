//! A store in a PostgreSQL server, for processes on several hosts.
//!
//! Owns the settings, and when a statement is sent again. `statement` defines what the server does,
//! `line` is the connection. Does not know what a state means.

mod error;
mod line;
mod statement;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use imts_core::swap::{Stamp, Swap, Swapped};
use imts_core::transport_error::Source;
use zeroize::Zeroizing;

use self::error::Failed;
pub use self::error::{PostgresStoreError, SqlState};
use self::line::Line;
use self::statement::Life;
use super::raw::{RawStore, RawSwapped};
use super::{Store, StoreError};
use crate::postgres::PostgresAddress;

/// Keeps sessions in a table of a PostgreSQL server, for all processes that can reach it.
///
/// Each endpoint and agent has a row of the table `imts_session`, so one store serves all agents. A
/// swap is one statement. None is prepared and none changes the connection, so that a pooler may
/// run each one over another connection. [`migrate`](Self::migrate) creates the table. The user needs
/// the rights to select, insert and update.
///
/// What it promises: of two processes that replace the same state, one does. What is answered as
/// done is committed and durable, whatever `synchronous_commit` says. The server's timeline, its
/// identifier and its start name its life. After a failover, a restore or a restart, the store
/// answers `moved`: the session then signs in once, and presents no refresh token that may be spent.
///
/// What it does not promise: rows of agents that are no longer used stay. The column `keep_until`
/// says from when on a row may be deleted. A program that can write the table can make everyone sign
/// in.
///
/// A connection is made when it is needed, on the thread that swaps, and kept for the next swap. It
/// is given up after any error, and after a time-out.
///
/// ```no_run
/// use imts::postgres::PostgresAddress;
/// use imts::store::postgres::PostgresStore;
/// use imts::tls::Tls;
///
/// let address = PostgresAddress::new("postgres://payer@db.example/payments")?
///     .password(std::fs::read_to_string("/run/secrets/store")?.trim_end())
///     .tls(Tls::platform()?);
/// PostgresStore::migrate(&address)?; // once
/// let store = PostgresStore::new(address); // give it to Builder::store
/// # drop(store);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct PostgresStore {
    via: Via,
    never_loses_a_write: bool,
    /// Set once the server has refused to show its identifier.
    has_no_system: AtomicBool,
}

/// How statements reach the server.
enum Via {
    Own { address: Box<PostgresAddress>, idle: Mutex<Option<Line>> },
    Query(Box<Query>),
}

type Query = dyn Fn(&str, &[&str]) -> Result<String, Source> + Send + Sync;

impl PostgresStore {
    /// The statement that creates the table, for a caller that keeps the versions of its own tables.
    pub const SCHEMA: &str = statement::SCHEMA;

    /// Makes a store in the server at this address. Nothing is connected before the first swap.
    pub fn new(address: PostgresAddress) -> Self {
        Self::via(Via::Own { address: Box::new(address), idle: Mutex::default() })
    }

    /// Makes a store over the caller's own client or pool. The function runs one statement in a
    /// transaction of its own. All of its parameters are of the type `text`. It returns the text in
    /// the one column of the one row.
    ///
    /// The function keeps the time limit. It may send the statement again if its answer was lost, or
    /// if the server answered with SQLSTATE 40001 or 40P01. Its errors must not quote parameters:
    /// the last one is the state.
    pub fn over(
        query: impl Fn(&str, &[&str]) -> Result<String, Source> + Send + Sync + 'static,
    ) -> Self {
        Self::via(Via::Query(Box::new(query)))
    }

    fn via(via: Via) -> Self {
        Self { via, never_loses_a_write: false, has_no_system: AtomicBool::new(false) }
    }

    /// Counts a restart of the server as no loss. A failover still is one. Declare this only of a
    /// server whose files are never put back from a copy: otherwise a refresh token may be presented
    /// twice, and the service may end the session.
    pub fn never_loses_a_write(self) -> Self {
        Self { never_loses_a_write: true, ..self }
    }

    /// Creates the table, unless it exists. Several processes may do so at once. The user of the
    /// address becomes its owner.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Unreachable`] if the database cannot be reached or refuses, and
    /// [`StoreError::TimedOut`] after [`MIGRATE_WITHIN`](Self::MIGRATE_WITHIN). The table is then as
    /// it was.
    pub fn migrate(address: &PostgresAddress) -> Result<(), StoreError> {
        let by = Instant::now() + Self::MIGRATE_WITHIN;
        let alone = "BEGIN; SELECT pg_advisory_xact_lock(7307218418);";
        let sql = format!("{alone}\n{}\nCOMMIT", Self::SCHEMA);
        Ok(Line::open(address, by)?.run(&sql, by)?)
    }

    /// How long a [migration](Self::migrate) may take: 30 s.
    pub const MIGRATE_WITHIN: Duration = Duration::from_secs(30);

    /// Sends a statement, and reads its answer. It is sent again over a new connection, once, if the
    /// connection had been idle and turned out to be closed.
    fn ask(&self, sql: &str, parameters: &[&str], by: Instant) -> Result<Zeroizing<String>, Asked> {
        let (address, idle) = match &self.via {
            Via::Own { address, idle } => (address, idle),
            Via::Query(query) => {
                let answer = query(sql, parameters).map_err(StoreError::Unreachable);
                return answer.map(Zeroizing::new).map_err(Asked::Error);
            }
        };
        let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (line, mut is_idle) = match taken {
            Some(line) => (line, true),
            None => (Line::open(address, by)?, false),
        };
        let mut line = line;
        loop {
            match line.ask(sql, parameters, by) {
                Ok(answer) => {
                    *idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
                    return Ok(answer);
                }
                Err(Failed::Overtaken) if Instant::now() < by => {}
                Err(failed) if is_idle && is_stale(&failed) => {
                    is_idle = false;
                    line = Line::open(address, by)?;
                }
                Err(failed) => return Err(failed.into()),
            }
        }
    }

    fn put(
        &self,
        swap: &Swap,
        puts: Stamp,
        state: &[u8],
        by: Instant,
    ) -> Result<RawSwapped, StoreError> {
        let parameters = statement::parameters(swap, puts, state);
        let parameters: Vec<_> = parameters.iter().map(|text| text.as_str()).collect();
        loop {
            let has_system = !self.has_no_system.load(Ordering::Relaxed);
            let life = Life { has_system, by_restart: !self.never_loses_a_write };
            let answer = match self.ask(&statement::swap(life), &parameters, by) {
                Ok(answer) => answer,
                Err(Asked::Failed(Failed::NoRight)) if has_system => {
                    self.has_no_system.store(true, Ordering::Relaxed);
                    continue;
                }
                Err(asked) => return Err(asked.into()),
            };
            match statement::answer(&answer)? {
                Some(swapped) => return Ok(swapped),
                None if Instant::now() < by => {}
                None => return Err(StoreError::TimedOut),
            }
        }
    }
}

impl RawStore for PostgresStore {
    fn swap_raw(&self, swap: &Swap, state: Option<&[u8]>) -> Result<RawSwapped, StoreError> {
        let now = Instant::now();
        let by = now.checked_add(swap.within()).unwrap_or(now + A_DAY);
        if let Some((put, state)) = swap.put().zip(state) {
            return self.put(swap, put.stamp(), state, by);
        }
        let (key, holder) = (statement::key(swap), swap.holder().to_string());
        let answer = self.ask(statement::LOOK, &[&key, &holder], by)?;
        statement::answer(&answer)?
            .ok_or_else(|| StoreError::unreachable(PostgresStoreError::NotAnAnswer))
    }
}

impl Store for PostgresStore {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        self.swap_in_clear(swap)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("PostgresStore");
        if let Via::Own { address, .. } = &self.via {
            fields.field("address", address);
        }
        fields.finish_non_exhaustive()
    }
}

/// Why a statement has no answer.
enum Asked {
    Failed(Failed),
    /// An error of the caller's client.
    Error(StoreError),
}

impl From<Failed> for Asked {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<Asked> for StoreError {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Failed(failed) => failed.into(),
            Asked::Error(error) => error,
        }
    }
}

/// Whether a connection that had been idle may have failed because it was idle: it was closed, or
/// its server has become a standby.
fn is_stale(failed: &Failed) -> bool {
    match failed {
        Failed::Broken(_) | Failed::For(PostgresStoreError::Standby) => true,
        Failed::For(PostgresStoreError::Refused(code)) => code.as_str().starts_with("57P"),
        _ => false,
    }
}

/// Stands for a limit beyond the clock's range.
const A_DAY: Duration = Duration::from_secs(86_400);
