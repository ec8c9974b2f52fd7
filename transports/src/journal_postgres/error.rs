//! Why a journal in PostgreSQL cannot be used.

use imts_core::journal::EntryError;
use thiserror::Error;

use crate::postgres::PostgresError;

/// Why a journal in PostgreSQL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JournalPostgresError {
    /// The database cannot be reached, or has answered with an error.
    #[error("the journal cannot be used: {0}")]
    Database(#[from] PostgresError),
    /// The journal's tables are missing.
    #[error("the database has no journal: create its tables with JournalPostgres::migrate")]
    NoJournal,
    /// The journal's tables are of an earlier version.
    #[error(
        "the journal's tables have version {found}, and this program needs version {needed}: \
         bring them up to date with JournalPostgres::migrate"
    )]
    Outdated {
        /// The version of the tables.
        found: i32,
        /// The version that this program needs.
        needed: i32,
    },
    /// The journal's tables are of a later version.
    #[error(
        "the journal's tables have version {found}, and this program knows versions up to {known}: \
         use a newer version of this program"
    )]
    TooNew {
        /// The version of the tables.
        found: i32,
        /// The latest version that this program knows.
        known: i32,
    },
    /// A setting of the server lets it lose what it has committed.
    #[error(
        "the database may lose what it has committed, because {setting} is {value}: set it to \
         `on`, then open the journal again"
    )]
    NotDurable {
        /// The name of the setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The server is a standby, or is read-only.
    #[error("the database is a standby or read-only: give the address of the primary server")]
    Standby,
    /// The journal was recorded on another server or timeline: after a failover, or in a restored
    /// backup.
    #[error(
        "the database has failed over to another server, or was restored from a backup, and may \
         not know all calls that were sent: ask the service what was sent, then accept the \
         journal with JournalPostgres::accept"
    )]
    Moved,
    /// The server has gone back in time: it knows less than it has confirmed before.
    #[error(
        "the database was replaced by an older copy of itself, and does not know all calls that \
         were sent: ask the service what was sent, then accept the journal with \
         JournalPostgres::accept"
    )]
    Rewound,
    /// A row of the journal's tables is not what this program writes.
    #[error(
        "a row of the journal's tables is not what this program writes, so nothing is sent: \
         restore what was changed"
    )]
    Damaged,
    /// The entry does not fit the journal.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The call belongs to another opening of the journal.
    #[error("call {id} belongs to another client of the journal, and only that client ends it")]
    NotOwn {
        /// The number of the call.
        id: u64,
    },
    /// The journal's thread has ended.
    #[error("the journal is closed: open it again")]
    Closed,
}

impl JournalPostgresError {
    /// The error codes for a missing table, and for a transaction that writes on a standby.
    pub(super) fn of_code(code: &str, error: PostgresError) -> Self {
        match code {
            "42P01" => Self::NoJournal,
            "25006" | "0A000" => Self::Standby,
            _ => Self::Database(error),
        }
    }

    pub(super) fn no_thread(error: &std::io::Error) -> Self {
        Self::Database(PostgresError::NoThread { message: error.to_string() })
    }
}
