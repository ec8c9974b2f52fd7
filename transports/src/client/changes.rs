//! Wakes threads and tasks that wait until something has changed in the session.
//!
//! Owns the waiting. Does not know what has changed: a woken caller asks again. If a change comes
//! between an ask and the wait after it, it is not missed, because the ask was numbered.

use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::clock::Deadline;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// Counts changes, and wakes the callers that wait for one.
pub(crate) struct Changes {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many changes there have been.
    version: u64,
    tasks: BTreeMap<u64, Waker>,
    /// The number of the last task that listened.
    serial: u64,
}

/// How many changes there had been before an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version(u64);

impl Changes {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()), changed: Condvar::new() }
    }

    /// Returns the current version. Call this before the ask that precedes the wait.
    pub(crate) fn version(&self) -> Version {
        Version(self.lock().version)
    }

    /// Wakes all waiters. It needs no lock of the caller, and the caller should hold none.
    pub(crate) fn notify(&self) {
        let mut state = self.lock();
        state.version += 1;
        let tasks = mem::take(&mut state.tasks);
        drop(state);
        self.changed.notify_all();
        for waker in tasks.into_values() {
            // A waker that panics must not keep the others asleep.
            drop(catch_unwind(AssertUnwindSafe(|| waker.wake())));
        }
    }

    /// Blocks the thread until there is a change since `seen`, or for this long.
    pub(crate) fn wait(&self, seen: Version, at_most: Duration) {
        let deadline = Deadline::after(at_most);
        let mut state = self.lock();
        while state.version == seen.0 {
            let Some(left) = deadline.left() else { return };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns a future that completes once there is a change since `seen`.
    pub(crate) fn changed(self: &Arc<Self>, seen: Version) -> Changed {
        let mut state = self.lock();
        state.serial += 1;
        let serial = state.serial;
        drop(state);
        Changed { changes: Arc::clone(self), seen, serial }
    }

    /// Locks the state. While it is locked, only code of this file runs.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One task that waits for a change. It may be dropped at any time.
pub(crate) struct Changed {
    changes: Arc<Changes>,
    seen: Version,
    serial: u64,
}

impl Future for Changed {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.changes.lock();
        if state.version != self.seen.0 {
            return Poll::Ready(());
        }
        let before = state.tasks.insert(self.serial, waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        let mut state = self.changes.lock();
        let waker = state.tasks.remove(&self.serial);
        drop(state);
        drop(waker);
    }
}
