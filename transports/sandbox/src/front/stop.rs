//! Waits that end when the front ends.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Whether the front must end. A thread that waits on it wakes at once when it must.
#[derive(Default)]
pub(super) struct Stop {
    stopped: Mutex<bool>,
    bell: Condvar,
}

impl Stop {
    pub(super) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for this time, or until the front ends.
    pub(super) fn wait(&self, time: Duration) {
        if time.is_zero() {
            return;
        }
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.bell.wait_timeout_while(stopped, time, |stopped| !*stopped));
    }
}
