//! One entry of a call, and what the core's book says about it.
//!
//! The book gets only the calls that can decide: the one that stands against an intent, or the
//! entry's own call. Does not talk to the database.

use imts_core::call::Ending;
use imts_core::journal::{Book, CallRecord, CallState, Entry, EntryError, Intent, IntentKey, Kept};
use imts_core::time::Wall;

use super::error::JournalPostgresError;
use super::rows::Stored;

/// One entry, as it was submitted.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// The number of its call.
    pub(super) id: u64,
    pub(super) entry: Entry,
    /// What its call asks for, if this client makes the call.
    pub(super) intent: Option<Intent>,
}

impl Job {
    /// When it was made, by the clock of its client.
    pub(super) fn at(&self) -> Wall {
        match &self.entry {
            Entry::Intent(intent) => intent.at,
            Entry::Sending { at, .. } | Entry::Ended { at, .. } | Entry::Resolved { at, .. } => *at,
        }
    }

    /// Whether it changes a call that must be in the table.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.entry, Entry::Ended { .. } | Entry::Resolved { .. })
    }

    /// Returns what stands against a sending that was not recorded, if it is still there.
    pub(super) fn lost(&self, standing: Option<&Stored>) -> Option<JournalPostgresError> {
        match &self.intent {
            Some(intent) => admit(intent, self.at(), standing).err(),
            None => Some(EntryError::NoSuchCall { id: self.id }.into()),
        }
    }

    /// Applies the entry to its call, if the book permits it. `None` if an earlier try has done so
    /// already, which may be so if the answer to it was lost.
    pub(super) fn applied(
        &self,
        stored: &Stored,
        holder: &str,
        is_again: bool,
    ) -> Result<Option<CallRecord>, JournalPostgresError> {
        let (id, call) = (self.id, &stored.call);
        if stored.holder != holder && !matches!(self.entry, Entry::Resolved { .. }) {
            return Err(JournalPostgresError::NotOwn { id });
        }
        if is_again && is_recorded(&self.entry, call) {
            return Ok(None);
        }
        let mut book = book_of(call).ok_or(EntryError::NoSuchCall { id })?;
        book.check(&self.entry)?;
        book.apply(id, &self.entry);
        Ok(book.call(id).cloned())
    }
}

/// What the book says about an intent, with the call that stands against it, if there is one.
pub(super) fn admit(
    intent: &Intent,
    at: Wall,
    standing: Option<&Stored>,
) -> Result<(), JournalPostgresError> {
    let book = standing.and_then(|stored| book_of(&stored.call)).unwrap_or_default();
    let mut intent = intent.clone();
    if standing.is_none_or(|stored| Some(stored.call.id) != decided(&intent)) {
        // Only one call stands. A decision about another one does not count against it.
        intent.despite = None;
    }
    Ok(book.admit_shared(&intent, at).map_err(EntryError::from)?)
}

/// Whether a call is already what the entry makes of it: the answer to an earlier try was lost.
fn is_recorded(entry: &Entry, call: &CallRecord) -> bool {
    match entry {
        Entry::Intent(_) => false,
        Entry::Sending { at, until, .. } => {
            (call.sent_at, call.sending_until) == (Some(*at), *until) && call.is_in_doubt()
        }
        Entry::Ended { at, ending, .. } => {
            let state = match ending {
                Ending::Done => CallState::Done,
                Ending::Refused => CallState::Refused,
                Ending::NotSent => CallState::NotSent,
                Ending::Unknown => CallState::InDoubt,
            };
            (call.ended_at, call.state) == (Some(*at), state)
        }
        Entry::Resolved { at, resolution, .. } => {
            call.ended_at == Some(*at) && call.resolution.as_ref() == Some(resolution)
        }
    }
}

/// A book of one call.
fn book_of(call: &CallRecord) -> Option<Book> {
    let mut book = Book::default();
    book.restore(Kept::Call(Box::new(call.clone()))).then_some(book)
}

pub(super) fn decided(intent: &Intent) -> Option<u64> {
    intent.despite.as_ref().map(|despite| despite.id)
}

/// The three parts of a key. A call without a reference is never admitted.
pub(super) fn parts(key: &IntentKey) -> (String, String, String) {
    match key {
        IntentKey::Of { url, agent, reference } => (url.clone(), agent.clone(), reference.clone()),
        // No URL begins like this.
        IntentKey::Named { operation, reference } => {
            (format!(":{operation}"), String::new(), reference.clone())
        }
        IntentKey::Bytes { .. } => Default::default(),
    }
}
