//! What a journal says of its calls.
//!
//! Owns what each record changes, and which calls are in doubt. Knows nothing of files: bytes in,
//! calls out, whatever the bytes.

use std::collections::BTreeMap;

use imts_core::journal::{Digest, Entry};
use imts_core::{Ending, Wall};

use super::error::JournalError;
use super::lines::{self, HEADER};

/// The calls of a journal, in the order in which they were intended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book(BTreeMap<u64, CallRecord>);

/// One call, as far as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRecord {
    /// Its number in the journal, counted from 1.
    pub id: u64,
    /// The operation's name.
    pub operation: String,
    /// The caller's own name for what was asked for.
    pub reference: Option<String>,
    /// The digest of the request's body.
    pub digest: Digest,
    /// When it was intended.
    pub intended_at: Wall,
    /// When its request was about to leave, the last time.
    pub sent_at: Option<Wall>,
    /// When it ended, or was resolved.
    pub ended_at: Option<Wall>,
    /// What is known of it.
    pub state: CallState,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// It was intended, and its request did not leave.
    Intended,
    /// Its request may have left, and what became of it is not known: ask the service.
    InDoubt,
    /// It was done.
    Done,
    /// It was refused, or found out not to have been done.
    Refused,
    /// Its request did not leave, or was not processed.
    NotSent,
}

impl CallState {
    /// The name in lower case, as it stands in outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::InDoubt => "in_doubt",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
        }
    }
}

impl CallRecord {
    /// Whether the service must be asked what became of it.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.state == CallState::InDoubt
    }
}

impl Book {
    /// Reads a journal's bytes. What is cut off at their end is left out.
    ///
    /// # Errors
    ///
    /// [`JournalError::NotAJournal`]; [`JournalError::Damaged`], where a record is not what was
    /// written, or could not have been.
    pub fn of(bytes: &[u8]) -> Result<Self, JournalError> {
        Self::read(bytes).map(|(book, _)| book)
    }

    /// The same, with where the last whole record ends.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize), JournalError> {
        let mut book = Self::default();
        if !bytes.starts_with(HEADER) {
            let is_cut = HEADER.starts_with(bytes);
            return if is_cut { Ok((book, 0)) } else { Err(JournalError::NotAJournal) };
        }
        let mut at = HEADER.len();
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let damaged = JournalError::Damaged { at };
            let Some((id, entry, length)) = lines::read(rest) else {
                return if lines::has_record(rest) { Err(damaged) } else { Ok((book, at)) };
            };
            if !book.takes(id, &entry) {
                return Err(damaged);
            }
            book.apply(id, &entry);
            at += length;
        }
        Ok((book, at))
    }

    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.0.values()
    }

    /// The calls of which the service must be asked what became.
    pub fn in_doubt(&self) -> impl Iterator<Item = &CallRecord> {
        self.calls().filter(|call| call.is_in_doubt())
    }

    /// The call of this number.
    #[must_use]
    pub fn call(&self, id: u64) -> Option<&CallRecord> {
        self.0.get(&id)
    }

    pub(super) fn next_id(&self) -> u64 {
        self.0.last_key_value().map_or(1, |(last, _)| last.saturating_add(1))
    }

    /// Whether a record could have been written here.
    pub(super) fn takes(&self, id: u64, entry: &Entry) -> bool {
        match (entry, self.call(id)) {
            (Entry::Intent(_), None) => id == self.next_id(),
            (Entry::Sending { .. }, Some(call)) => {
                matches!(call.state, CallState::Intended | CallState::InDoubt)
            }
            (Entry::Ended { .. }, Some(call)) => {
                matches!(call.state, CallState::Intended | CallState::InDoubt)
            }
            _ => false,
        }
    }

    pub(super) fn apply(&mut self, id: u64, entry: &Entry) {
        match entry {
            Entry::Intent(intent) => {
                self.0.insert(
                    id,
                    CallRecord {
                        id,
                        operation: intent.operation.clone(),
                        reference: intent.reference.clone(),
                        digest: intent.digest,
                        intended_at: intent.at,
                        sent_at: None,
                        ended_at: None,
                        state: CallState::Intended,
                    },
                );
            }
            Entry::Sending { at, .. } => {
                if let Some(call) = self.0.get_mut(&id) {
                    call.sent_at = Some(*at);
                    call.state = CallState::InDoubt;
                }
            }
            Entry::Ended { at, ending, .. } => {
                if let Some(call) = self.0.get_mut(&id) {
                    call.ended_at = Some(*at);
                    call.state = match ending {
                        Ending::Done => CallState::Done,
                        Ending::Refused => CallState::Refused,
                        Ending::NotSent => CallState::NotSent,
                        Ending::Unknown => CallState::InDoubt,
                    };
                }
            }
        }
    }
}
