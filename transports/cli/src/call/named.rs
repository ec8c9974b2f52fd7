//! The call of a journal that `--resend-despite` names.
//!
//! Owns the check that it is an earlier call of the same reference. The library does not count another
//! number, so it would send the reference as a new one. Does not know what permits a call: the library does.

use imts::JournalFile;

use crate::failure::Failure;
use crate::journal::Opened;

/// A call's number, and what the journal has about it.
pub(super) struct Named {
    id: u64,
    /// The reference of that call, if the journal has the call and it has one.
    reference: Option<String>,
    /// The references in the journal, if it never had that call.
    others: Option<Vec<String>>,
}

impl Named {
    pub(super) fn of(journal: &Opened, id: u64) -> Result<Self, Failure> {
        let call = journal.call(id)?;
        let reference = call.as_ref().and_then(|call| call.reference.clone());
        let Some(book) = journal.file().map(JournalFile::book) else {
            return Ok(Self { id, reference, others: call.is_none().then(Vec::new) });
        };
        // A call that was done long ago is there as a hash only: the library knows it.
        let never = id == 0 || id >= book.next_id();
        let others = never.then(|| book.calls().filter_map(|it| it.reference.clone()).collect());
        Ok(Self { id, reference, others })
    }

    /// Checks that this can be an earlier call of the reference.
    ///
    /// # Errors
    ///
    /// The call has another reference, or there is no such call and the reference is new.
    pub(super) fn check(&self, reference: Option<&str>) -> Result<(), Failure> {
        let Some(reference) = reference else { return Ok(()) };
        let is_same = |other: &String| other.trim().eq_ignore_ascii_case(reference.trim());
        let id = self.id;
        if self.reference.as_ref().is_some_and(|other| !is_same(other)) {
            return Err(Failure::usage(format!(
                "--resend-despite: call {id} of the journal has another reference, so nothing was \
                 sent: correct the number, or --reference"
            )));
        }
        if self.others.as_ref().is_some_and(|others| !others.iter().any(is_same)) {
            return Err(Failure::usage(format!(
                "--resend-despite: the journal has no call {id}, so nothing was sent: correct the \
                 number"
            )));
        }
        Ok(())
    }
}
