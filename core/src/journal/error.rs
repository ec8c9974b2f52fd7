//! Why a journal does not accept an entry.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use chrono::SecondsFormat;
use thiserror::Error;

use crate::printable::Printable;
use crate::time::Wall;
use crate::transport_error::Source;

/// Why a call that creates something or moves money is not sent. This call sent nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IntentError {
    /// The call has no reference by which to recognize the intent later.
    #[error(
        "{operation}: nothing was sent, because a call with a journal needs a reference: give one \
         with `with_reference`, or name the field of the request that holds it as \
         `reference_field` in the service file"
    )]
    NoReference {
        /// The operation's name.
        operation: String,
    },
    /// The service recognizes a repeated request by its id, and the call has none that can be sent.
    #[error(
        "{operation}: nothing was sent, because its request needs an id by which the service \
         recognizes it: set the field that holds it, or give a reference of 1 to 128 visible ASCII \
         characters"
    )]
    NoId {
        /// The operation's name.
        operation: String,
    },
    /// The same intent was sent before, and its outcome is not known.
    #[error(
        "{operation} {reference}: nothing was sent now, because call {id} of the journal sent it \
         before, and its outcome is unknown. Ask status, info or search, then resolve call {id}",
        reference = Printable(reference)
    )]
    InDoubt {
        /// The number of that call in the journal.
        id: u64,
        /// The operation's name.
        operation: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
    /// The same intent was done before.
    #[error(
        "{operation} {reference}: nothing was sent now, because call {id} of the journal has done it",
        reference = Printable(reference)
    )]
    AlreadyDone {
        /// The number of that call in the journal.
        id: u64,
        /// When that became known, by this machine's clock.
        at: Wall,
        /// The operation's name.
        operation: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
    /// The same reference belongs to another request, which was done, is in doubt or is under way.
    #[error(
        "{operation} {reference}: nothing was sent, because call {id} of the journal used this \
         reference for another request. Use a new reference for a new request",
        reference = Printable(reference)
    )]
    Conflict {
        /// The number of that call in the journal.
        id: u64,
        /// The operation's name.
        operation: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
    /// Another caller is sending the same intent now.
    #[error(
        "{operation} {reference}: nothing was sent by this call, because call {id} is sending it now",
        reference = Printable(reference)
    )]
    InProgress {
        /// The number of that call in the journal.
        id: u64,
        /// The operation's name.
        operation: String,
        /// The caller's own name for what is asked for.
        reference: String,
    },
}

impl IntentError {
    /// Returns the kind's name in lower case, as outputs show it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoReference { .. } => "no_reference",
            Self::NoId { .. } => "no_id",
            Self::InDoubt { .. } => "in_doubt",
            Self::AlreadyDone { .. } => "already_done",
            Self::Conflict { .. } => "conflict",
            Self::InProgress { .. } => "in_progress",
        }
    }

    /// Returns the number of the record that stands against the call. `None` if the call has no
    /// reference.
    #[must_use]
    pub const fn id(&self) -> Option<u64> {
        match self {
            Self::NoReference { .. } | Self::NoId { .. } => None,
            Self::InDoubt { id, .. }
            | Self::AlreadyDone { id, .. }
            | Self::Conflict { id, .. }
            | Self::InProgress { id, .. } => Some(*id),
        }
    }
}

/// Why an entry does not fit a journal.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The intent is not admitted.
    #[error(transparent)]
    Intent(#[from] IntentError),
    /// The journal has no call of this number.
    #[error("the journal has no call {id}")]
    NoSuchCall {
        /// The number.
        id: u64,
    },
    /// The outcome of the call is already known.
    #[error("the outcome of call {id} is already known")]
    Ended {
        /// The number.
        id: u64,
    },
    /// The call may still be under way, so what was found out about it may soon be out of date.
    #[error("{}", under_way(*.id, Some(*.until)))]
    UnderWay {
        /// The number.
        id: u64,
        /// When its sender has given up at the latest, by this machine's clock.
        until: Wall,
    },
}

/// Why an entry was not recorded.
#[derive(Clone, Debug)]
pub enum RecordError {
    /// The intent is not admitted: a record stands against it.
    Intent(IntentError),
    /// The call may still be under way, so it cannot be resolved yet.
    UnderWay {
        /// The number of that call in the journal.
        id: u64,
        /// When its sender has given up at the latest, by this machine's clock. `None` if that is
        /// not known yet.
        until: Option<Wall>,
    },
    /// The journal could not be written or read.
    Failed(Source),
}

impl RecordError {
    /// Returns the error as the cause of another error.
    #[must_use]
    pub fn into_source(self) -> Source {
        match self {
            Self::Intent(error) => Arc::new(error),
            Self::Failed(source) => source,
            error @ Self::UnderWay { .. } => Arc::new(error),
        }
    }
}

fn under_way(id: u64, until: Option<Wall>) -> String {
    let until = until.and_then(Wall::to_datetime).map(|until| {
        let until = until.to_rfc3339_opts(SecondsFormat::Millis, true);
        format!(" until {until}")
    });
    format!(
        "call {id} may still be under way{}: wait until it ends, then ask the service and resolve \
         it",
        until.unwrap_or_default()
    )
}

impl From<IntentError> for RecordError {
    fn from(error: IntentError) -> Self {
        Self::Intent(error)
    }
}

impl From<EntryError> for RecordError {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::Intent(error) => Self::Intent(error),
            EntryError::UnderWay { id, until } => Self::UnderWay { id, until: Some(until) },
            error => Self::Failed(Arc::new(error)),
        }
    }
}

impl From<Source> for RecordError {
    fn from(source: Source) -> Self {
        Self::Failed(source)
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intent(error) => error.fmt(f),
            Self::UnderWay { id, until } => f.write_str(&under_way(*id, *until)),
            Self::Failed(source) => source.fmt(f),
        }
    }
}

impl StdError for RecordError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(source) => source.source(),
            Self::Intent(error) => error.source(),
            Self::UnderWay { .. } => None,
        }
    }
}
