//! Why a journal cannot be used.

use std::io;

use thiserror::Error;

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process has it open.
    #[error("the journal is locked: another process has it open")]
    Locked,
    /// The file is something else.
    #[error("the file is not a journal of calls, or one of another version")]
    NotAJournal,
    /// A record that was durable is not what was written: the file was changed.
    #[error("the journal is damaged at byte {at}: the file was changed after it was written")]
    Damaged {
        /// Where the damaged record begins, in bytes from the file's start.
        at: usize,
    },
    /// A record would be longer than 65,536 bytes.
    #[error("the record is longer than 65536 bytes: is the reference that long?")]
    TooLong,
    /// There is no call of this number.
    #[error("the journal has no call {id}")]
    NoSuchCall {
        /// The number.
        id: u64,
    },
    /// What became of the call is known.
    #[error("what became of call {id} is known already")]
    NotInDoubt {
        /// The number.
        id: u64,
    },
    /// A call is resolved as done or as refused.
    #[error("a call is resolved as done or as refused")]
    Ending,
    /// An earlier write failed, and the file can no longer be trusted to hold what is written.
    #[error("an earlier write to the journal failed: open it anew")]
    Broken,
    /// The system's.
    #[error("cannot {action} the journal: {message}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The system's words.
        message: String,
    },
}

impl JournalError {
    pub(super) fn io(action: &'static str, error: &io::Error) -> Self {
        Self::Io { action, message: error.to_string() }
    }

    /// Opening failed. On Windows that is how a lock shows.
    pub(super) fn opening(error: &io::Error) -> Self {
        const SHARING_VIOLATION: i32 = 32;
        match error.raw_os_error() {
            Some(SHARING_VIOLATION) if cfg!(windows) => Self::Locked,
            _ => Self::io("open", error),
        }
    }
}
