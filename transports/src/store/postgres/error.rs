//! Why a PostgreSQL server did not answer a swap.
//!
//! Owns the texts. A server's message may quote what it received, and that may be a token: of an
//! error of a statement, only its code is shown.

use std::fmt;

use thiserror::Error;

use crate::postgres::{PostgresError, StatementError};
use crate::store::StoreError;

/// Why a PostgreSQL server did not answer, or what it answered instead. No variant holds what was
/// sent or what was stored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PostgresStoreError {
    /// No connection could be opened.
    #[error(transparent)]
    Database(#[from] PostgresError),
    /// The connection ended before the answer came.
    #[error("the connection to the database broke: {0}")]
    Broken(String),
    /// The server refused the statement.
    #[error("the database refused the swap: {0}")]
    Refused(SqlState),
    /// The table is missing.
    #[error("the database has no table for sessions: create it with PostgresStore::migrate")]
    NoTable,
    /// The server is a standby, or is read-only.
    #[error("the database is a standby or read-only: give the address of the primary server")]
    Standby,
    /// The answer is not one of this library's statement.
    #[error("the database's answer is not one of this library's statement")]
    NotAnAnswer,
}

/// The code of a server's error, such as `42501`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlState(String);

impl SqlState {
    fn of(code: &str) -> Self {
        let is_code = code.len() == 5
            && code.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
        Self(if is_code { code.to_owned() } else { "an error without a code".to_owned() })
    }

    /// Returns the five characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match &*self.0 {
            "42501" => ": the user needs the rights to select, insert and update on imts_session",
            "53100" => ": its disk is full",
            "53300" => ": it has too many connections",
            "57014" => ": its statement_timeout or lock_timeout has passed",
            "57P01" | "57P02" | "57P03" => ": it is shutting down or starting up",
            _ => "",
        };
        write!(f, "SQLSTATE {}{advice}", self.0)
    }
}

/// Why a statement has no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// The time is over.
    InTime,
    /// Another transaction was in the way: the statement did nothing, and may be sent again.
    Overtaken,
    /// The role may not read the server's identifier.
    NoRight,
    /// The connection is closed. It is not known what the statement did.
    Broken(String),
    For(PostgresStoreError),
}

impl Failed {
    pub(super) fn of(error: StatementError) -> Self {
        let code = match error {
            StatementError::Refused { code, .. } => code,
            StatementError::Unanswered(message) => return Self::Broken(message),
        };
        match &*code {
            "40001" | "40P01" => Self::Overtaken,
            "42501" => Self::NoRight,
            "42P01" => Self::For(PostgresStoreError::NoTable),
            "25006" | "55000" => Self::For(PostgresStoreError::Standby),
            code => Self::For(PostgresStoreError::Refused(SqlState::of(code))),
        }
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        Self::unreachable(match failed {
            Failed::InTime | Failed::Overtaken => return Self::TimedOut,
            Failed::NoRight => PostgresStoreError::Refused(SqlState::of("42501")),
            Failed::Broken(message) => PostgresStoreError::Broken(message),
            Failed::For(error) => error,
        })
    }
}
