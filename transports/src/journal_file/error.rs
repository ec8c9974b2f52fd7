//! Why a journal cannot be used.

use std::io;

use imts_core::journal::EntryError;
use thiserror::Error;

use crate::disk::is_sharing_violation;

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process has the journal open.
    #[error("another process has the journal open: try again later")]
    Locked,
    /// The file is not a journal, or is a journal of another version.
    #[error("the file is not a journal of calls, or has another version")]
    NotAJournal,
    /// A durable record is not what was written: the file was changed.
    #[error(
        "the journal is damaged at byte {at}: the file was changed after it was written. \
             Restore a backup, then accept it"
    )]
    Damaged {
        /// Where the damaged record begins, in bytes from the file's start.
        at: usize,
    },
    /// A record would be longer than 65,536 bytes.
    #[error("the record is longer than 65536 bytes: use a shorter reference")]
    TooLong,
    /// The journal has no call with this number.
    #[error("the journal has no call {id}")]
    NoSuchCall {
        /// The number.
        id: u64,
    },
    /// The outcome of the call is known.
    #[error("the outcome of call {id} is already known")]
    NotInDoubt {
        /// The number.
        id: u64,
    },
    /// The call may still be under way, so it cannot be resolved yet.
    #[error(transparent)]
    UnderWay(EntryError),
    /// The journal cannot hold this entry.
    #[error(transparent)]
    NotAdmitted(EntryError),
    /// The path does not name the file that was opened.
    #[error(
        "the journal was moved, removed or replaced while it was open, so nothing more is written \
         to it and nothing is sent: find the file, and open it again"
    )]
    Replaced,
    /// The file does not end where this journal last wrote.
    #[error(
        "another program changed the journal while it was open, so nothing more is written to it \
         and nothing is sent: check the file, and open it again"
    )]
    Changed,
    /// The file is a copy of a journal, and the original may have permitted calls since.
    #[error(
        "the file is a copy of a journal, such as a restored backup, and the original may have been \
         used since: ask the service what was sent, then accept the copy"
    )]
    Copied,
    /// The file system does not sync folders.
    #[error(
        "the journal's file system cannot promise that a new file survives a crash (it does not \
         sync folders: {message}): use another file system, or accept this one"
    )]
    FolderNotSynced {
        /// The system's message.
        message: String,
    },
    /// The journal cannot be compacted. It is unchanged.
    #[error("the journal cannot be compacted: {why}")]
    NotCompacted {
        /// The reason.
        why: &'static str,
    },
    /// An earlier write failed, so the file can no longer be trusted to hold what is written.
    #[error("an earlier write to the journal failed: open the journal again")]
    Broken,
    /// The system reported an error.
    #[error("cannot {action} the journal: {message}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The system's message.
        message: String,
    },
}

impl JournalError {
    pub(super) fn io(action: &'static str, error: &io::Error) -> Self {
        Self::Io { action, message: error.to_string() }
    }

    /// Opening failed. On Windows, a lock shows itself as this error.
    pub(super) fn opening(error: &io::Error) -> Self {
        if is_sharing_violation(error) { Self::Locked } else { Self::io("open", error) }
    }
}
