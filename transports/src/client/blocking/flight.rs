//! One renewal under way on a thread of its own, and the callers that wait for it.
//!
//! Owns the waiting and the sharing of one outcome. Does not know about sessions.

use std::cell::Cell;
use std::sync::{Arc, PoisonError};

use crate::clock::Deadline;
use crate::sync::{Condvar, Mutex, thread_local};
use crate::token_error::TokenError;

/// A flight as its waiters see it.
#[derive(Clone)]
pub(crate) struct Flight(Arc<Inner>);

struct Inner {
    outcome: Mutex<Option<Result<(), TokenError>>>,
    ended: Condvar,
}

impl Default for Flight {
    /// Creates a flight that is under way.
    fn default() -> Self {
        Self(Arc::new(Inner { outcome: Mutex::new(None), ended: Condvar::new() }))
    }
}

impl Flight {
    /// Ends the flight: all waiters, and those that come later, get this outcome.
    pub(crate) fn end(&self, outcome: Result<(), TokenError>) {
        let mut slot = self.0.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(outcome);
        // A woken thread takes the lock. If it were still held here, all would wake only to wait
        // again.
        drop(slot);
        self.0.ended.notify_all();
    }

    /// Ends a flight that another one has replaced: its waiters ask again.
    pub(crate) fn end_former(former: Option<Self>) {
        if let Some(former) = former {
            former.end(Ok(()));
        }
    }

    /// Waits for the outcome, no longer than the deadline.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<(), TokenError> {
        self.outcome_by(deadline).unwrap_or(Err(TokenError::TimedOut))
    }

    /// Waits for the flight to end. Returns whether it did by the deadline.
    pub(crate) fn ends_by(&self, deadline: Deadline) -> bool {
        self.outcome_by(deadline).is_some()
    }

    fn outcome_by(&self, deadline: Deadline) -> Option<Result<(), TokenError>> {
        let mut slot = self.0.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = &*slot {
                return Some(outcome.clone());
            }
            let left = deadline.left()?;
            let waited = self.0.ended.wait_timeout(slot, left);
            slot = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Marks the current thread as this flight's, for as long as `work` runs.
    pub(crate) fn on_this_thread<R>(&self, work: impl FnOnce() -> R) -> R {
        let before = MARKED.with(|marked| marked.replace(Some(Arc::as_ptr(&self.0).addr())));
        let result = work();
        MARKED.with(|marked| marked.set(before));
        result
    }

    /// Returns whether this flight runs on the current thread: waiting would never end.
    pub(crate) fn is_on_this_thread(&self) -> bool {
        MARKED.with(Cell::get) == Some(Arc::as_ptr(&self.0).addr())
    }
}

thread_local! {
    /// The flight that the current thread works for.
    static MARKED: Cell<Option<usize>> = const { Cell::new(None) };
}

#[cfg(all(test, not(imts_loom)))]
mod tests {
    use std::time::Duration;

    use super::Flight;
    use crate::clock::Deadline;
    use crate::token_error::TokenError;

    #[test]
    fn a_flight_ends_once_and_every_later_caller_gets_the_same_outcome() {
        let flight = Flight::default();
        assert!(!flight.ends_by(Deadline::after(Duration::ZERO)));
        flight.end(Err(TokenError::Closed));
        flight.end(Ok(()));
        for _ in 0..2 {
            let outcome = flight.wait(Deadline::after(Duration::from_secs(60)));
            assert!(matches!(outcome, Err(TokenError::Closed)), "{outcome:?}");
        }
    }
}
