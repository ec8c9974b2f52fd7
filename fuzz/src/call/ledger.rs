//! The journal of one call: which entries it may be asked to write, and when.

use imts_core::call::Ending;
use imts_core::journal::{Digest, Entry};

/// The number that the journal gives each call.
pub(super) const ID: u64 = 7;

/// What the journal of a call was told.
#[derive(Default)]
pub(super) struct Ledger {
    /// What was asked for and not answered.
    pending: Option<Entry>,
    /// The digest of what is intended, once that is durable.
    intended: Option<Digest>,
    /// Whether the next request may leave.
    marked: bool,
    /// Whether something could not be written before the request left.
    broken: bool,
    ended: Option<Ending>,
}

impl Ledger {
    /// The call asks for an entry.
    pub(super) fn ask(&mut self, entry: Entry) {
        match &entry {
            Entry::Intent(intent) => {
                assert!(self.intended.is_none(), "intended twice");
                assert_eq!(intent.reference.as_deref(), Some("ref-17"));
            }
            Entry::Sending { id, .. } => {
                assert!(*id == ID && self.intended.is_some(), "sending what was not intended");
                self.marked = false;
            }
            Entry::Ended { id, ending, .. } => {
                assert!(*id == ID && self.intended.is_some(), "an end of what was not intended");
                assert!(self.ended.is_none_or(|ended| ended == *ending), "two ends");
                self.ended = Some(*ending);
            }
            Entry::Resolved { .. } => panic!("a call does not resolve itself"),
        }
        self.pending = Some(entry);
    }

    /// The journal answers; whether it was asked.
    pub(super) fn answer(&mut self, written: bool) {
        match (self.pending.take(), written) {
            (Some(Entry::Intent(intent)), true) => self.intended = Some(intent.digest),
            (Some(Entry::Sending { .. }), true) => self.marked = true,
            (Some(Entry::Intent(_) | Entry::Sending { .. }), false) => self.broken = true,
            (Some(Entry::Ended { .. } | Entry::Resolved { .. }), _) | (None, _) => {}
        }
    }

    /// The request leaves: it must be marked, each time anew.
    pub(super) fn send(&mut self, body: &[u8]) {
        assert!(!self.broken, "sent, though the journal could not be written");
        assert!(std::mem::take(&mut self.marked), "sent, and not marked");
        assert_eq!(self.intended, Some(Digest::of(body)), "the digest of other bytes");
    }

    /// The call ends.
    pub(super) fn end(&self, ending: Ending) {
        if self.intended.is_some() {
            assert_eq!(self.ended, Some(ending), "another end than was told");
        }
    }
}
