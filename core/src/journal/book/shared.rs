//! Which call may be sent if several processes record in one journal.

use super::Book;
use crate::journal::{Intent, IntentError};
use crate::time::Wall;

impl Book {
    /// Checks as [`admit`](Book::admit) does, for a journal that several processes share. At time
    /// `at`, a call that stands against the intent may still be
    /// [under way](crate::journal::CallRecord::under_way_until) in another process. Then neither
    /// its outcome nor a [decision](Intent::despite) in spite of it counts yet.
    ///
    /// # Errors
    ///
    /// [`IntentError`] of any kind. [`IntentError::InProgress`] if the call that stands against the
    /// intent may be under way.
    pub fn admit_shared(&self, intent: &Intent, at: Wall) -> Result<(), IntentError> {
        let is_under_way = |id: u64| {
            let call = self.call(id).filter(|call| call.is_in_doubt());
            call.is_some_and(|call| call.under_way_until(at).is_some())
        };
        let in_progress =
            |id, operation, reference| Err(IntentError::InProgress { id, operation, reference });
        match self.admit(intent) {
            Err(IntentError::InDoubt { id, operation, reference }) if is_under_way(id) => {
                in_progress(id, operation, reference)
            }
            Ok(()) => match intent.despite.as_ref().filter(|despite| is_under_way(despite.id)) {
                Some(despite) => {
                    let reference = intent.reference.clone().unwrap_or_default();
                    in_progress(despite.id, intent.operation.clone(), reference)
                }
                None => Ok(()),
            },
            other => other,
        }
    }
}
