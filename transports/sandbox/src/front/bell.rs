//! A wait that a ring ends.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes the one thread that waits for it. A ring while nobody waits is kept.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    /// Waits for a ring, or for this time. Takes the ring.
    pub(super) fn wait(&self, time: Option<Duration>) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rung = match time {
            Some(time) => {
                let waited = self.bell.wait_timeout_while(rung, time, |rung| !*rung);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.bell.wait_while(rung, |rung| !*rung);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
        *rung = false;
    }
}
