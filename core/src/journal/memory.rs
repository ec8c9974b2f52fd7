//! A journal in memory, which lives as long as the client.

use super::{Book, CallRecord, Entry, Journal, RecordError};

/// Keeps entries in memory. A client without a journal knows its calls from here.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Book);

impl MemoryJournal {
    /// Returns the book of its calls.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.0
    }
}

impl Journal for MemoryJournal {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        let id = self.0.check(entry)?;
        self.0.apply(id, entry);
        Ok(id)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        Ok(self.0.in_doubt().cloned().collect())
    }
}
