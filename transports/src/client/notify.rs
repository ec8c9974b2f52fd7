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

/// Rings at each change.
pub(crate) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    /// How often it has rung.
    count: u64,
    tasks: BTreeMap<u64, Waker>,
    /// The number of the last task that listened.
    serial: u64,
}

/// How often a bell had rung before an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard(u64);

impl Bell {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::default()), rung: Condvar::new() }
    }

    /// Returns the current count. Call this before the ask that precedes the wait.
    pub(crate) fn heard(&self) -> Heard {
        Heard(self.lock().count)
    }

    /// Wakes all waiters. It needs no lock of the caller, and the caller should hold none.
    pub(crate) fn ring(&self) {
        let mut state = self.lock();
        state.count += 1;
        let tasks = mem::take(&mut state.tasks);
        drop(state);
        self.rung.notify_all();
        for waker in tasks.into_values() {
            // A waker that panics must not keep the others asleep.
            drop(catch_unwind(AssertUnwindSafe(|| waker.wake())));
        }
    }

    /// Blocks the thread until the bell has rung since `heard`, or for this long.
    pub(crate) fn wait(&self, heard: Heard, at_most: Duration) {
        let deadline = Deadline::after(at_most);
        let mut state = self.lock();
        while state.count == heard.0 {
            let Some(left) = deadline.left() else { return };
            let waited = self.rung.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns a future that completes once the bell has rung since `heard`.
    pub(crate) fn listen(self: &Arc<Self>, heard: Heard) -> Listen {
        let mut state = self.lock();
        state.serial += 1;
        let serial = state.serial;
        drop(state);
        Listen { bell: Arc::clone(self), heard, serial }
    }

    /// Locks the state. While it is locked, only code of this file runs.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One task that waits for a bell. It may be dropped at any time.
pub(crate) struct Listen {
    bell: Arc<Bell>,
    heard: Heard,
    serial: u64,
}

impl Future for Listen {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = self.bell.lock();
        if state.count != self.heard.0 {
            return Poll::Ready(());
        }
        let before = state.tasks.insert(self.serial, waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Listen {
    fn drop(&mut self) {
        let mut state = self.bell.lock();
        let waker = state.tasks.remove(&self.serial);
        drop(state);
        drop(waker);
    }
}
