//! What a command sees of a store: which state it holds, and how old that is.
//!
//! Owns the notes about each answer, and whether a failure is shared.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use imts::store::{Store, StoreError};
use imts::swap::{Stamp, Swap, Swapped};

/// A store that notes what it holds. Clones are the same.
#[derive(Clone)]
pub(crate) struct Noted {
    store: Arc<dyn Store>,
    failures: Failures,
    last: Arc<Mutex<Option<Entry>>>,
}

/// Whether a failed renewal holds up the processes that come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failures {
    /// They share the back-off.
    Shared,
    /// Each tries for itself: a person may have corrected the secret meanwhile.
    Own,
}

/// What a store held when it answered last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) stamp: Stamp,
    age: Duration,
    at: Instant,
}

impl Entry {
    /// Returns how long ago it was put there.
    pub(crate) fn age(&self) -> Duration {
        self.age + self.at.elapsed()
    }
}

impl Noted {
    pub(super) fn new(store: impl Store + 'static, failures: Failures) -> Self {
        Self { store: Arc::new(store), failures, last: Arc::default() }
    }

    /// Swaps. A failure that is not shared ends the claim, and leaves no back-off.
    fn swapped(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let Some(put) = swap.put().filter(|_| swap.is_resting() && self.failures == Failures::Own)
        else {
            return self.store.swap(swap);
        };
        let look = Swap::look(swap.endpoint(), swap.agent_id(), swap.within());
        let free = look.putting(swap.expects(), put.clone());
        self.store.swap(&match swap.at() {
            Some(at) => free.made_at(at),
            None => free,
        })
    }

    pub(crate) fn last(&self) -> Option<Entry> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Noted {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        let answer = self.swapped(swap);
        let at = Instant::now();
        let entry = match (&answer, swap.put()) {
            (Ok(Swapped::Other(found)), _) => Entry { stamp: found.stamp(), age: found.age(), at },
            (Ok(Swapped::Done { .. }), Some(put)) => {
                Entry { stamp: put.stamp(), age: Duration::ZERO, at }
            }
            _ => return answer,
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(entry);
        answer
    }
}
