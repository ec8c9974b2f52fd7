//! Runs the swaps of a shared store, and hands over their answers.
//!
//! Owns the thread on which a store works, and the rule that a store is never asked twice at once.
//! Does not know what a swap is for, and does not wait: each kind of client does that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use imts_core::swap::{Swap, Swapped};

use crate::clock::Deadline;
use crate::store::{AsyncStore, Store, StoreError};
use crate::sync::{Condvar, Mutex, thread};

/// What a store answered.
pub(crate) type Answer = Result<Swapped, StoreError>;

/// The store that was given.
pub(crate) enum Declared {
    /// It blocks a thread.
    Blocks(Arc<dyn Store>),
    /// It returns a future.
    Waits(Arc<dyn AsyncStore>),
}

/// The store, and what this process knows about its use.
pub(crate) struct SharedStore {
    declared: Declared,
    /// The process that declared the store. A forked copy of it has the same holder's number, so it
    /// must not swap.
    process: u32,
    /// Whether a store works on a thread of this client.
    is_working: Arc<AtomicBool>,
}

/// A swap that has begun.
pub(crate) enum Begun {
    /// It runs on a thread.
    OnThread(Swapping),
    /// The caller must await it.
    ToAwait(Arc<dyn AsyncStore>),
}

impl SharedStore {
    pub(crate) fn new(declared: Declared) -> Self {
        Self { declared, process: std::process::id(), is_working: Arc::default() }
    }

    /// Begins a swap. `mark` runs the store's work on its thread.
    pub(crate) fn begin(
        &self,
        swap: &Arc<Swap>,
        mark: impl FnOnce(&mut dyn FnMut()) + Send + 'static,
    ) -> Begun {
        if std::process::id() != self.process {
            return Begun::OnThread(Swapping::over(Err(StoreError::unreachable(Forked))));
        }
        match &self.declared {
            Declared::Waits(store) => Begun::ToAwait(Arc::clone(store)),
            Declared::Blocks(store) => {
                Begun::OnThread(self.on_a_thread(Arc::clone(store), Arc::clone(swap), mark))
            }
        }
    }

    /// Runs a swap on a thread of its own. If the store has not returned from the swap before, this
    /// one fails: a store that hangs costs one thread and not more.
    fn on_a_thread(
        &self,
        store: Arc<dyn Store>,
        swap: Arc<Swap>,
        mark: impl FnOnce(&mut dyn FnMut()) + Send + 'static,
    ) -> Swapping {
        if self.is_working.swap(true, Ordering::SeqCst) {
            return Swapping::over(Err(StoreError::unreachable(StillWorking)));
        }
        let working = Working(Arc::clone(&self.is_working));
        let swapping = Swapping::begun();
        let reports = swapping.clone();
        let work = move || {
            let mut answer = Err(StoreError::unreachable(StorePanicked));
            mark(&mut || {
                if let Ok(answered) = catch_unwind(AssertUnwindSafe(|| store.swap(&swap))) {
                    answer = answered;
                }
            });
            // The next swap may begin as soon as this one is reported.
            drop(working);
            reports.report(answer);
        };
        match thread::Builder::new().name("imts-store".to_owned()).spawn(work) {
            Ok(_) => swapping,
            Err(error) => Swapping::over(Err(StoreError::unreachable(error))),
        }
    }
}

/// Says that the store works, until this is dropped.
struct Working(Arc<AtomicBool>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// The answer to one swap, which comes from another thread.
#[derive(Clone)]
pub(crate) struct Swapping(Arc<Slot>);

struct Slot {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

impl Swapping {
    fn begun() -> Self {
        Self(Arc::new(Slot { state: Mutex::new(State::default()), answered: Condvar::new() }))
    }

    fn over(answer: Answer) -> Self {
        let swapping = Self::begun();
        swapping.report(answer);
        swapping
    }

    fn report(&self, answer: Answer) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.answer = Some(answer);
        let waker = state.waker.take();
        drop(state);
        self.0.answered.notify_all();
        if let Some(waker) = waker {
            // A waker that panics must not end the thread with a message.
            drop(catch_unwind(AssertUnwindSafe(|| waker.wake())));
        }
    }

    /// Waits for the answer on this thread, no longer than this.
    pub(crate) fn wait(self, at_most: Duration) -> Answer {
        let deadline = Deadline::after(at_most);
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            let Some(left) = deadline.left() else { return Err(StoreError::TimedOut) };
            let waited = self.0.answered.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Future for Swapping {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let waker = cx.waker().clone();
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = state.answer.take() {
            return Poll::Ready(answer);
        }
        let before = state.waker.replace(waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the store panicked")]
pub(crate) struct StorePanicked;

#[derive(Debug, thiserror::Error)]
#[error("the store has not yet returned from the swap before")]
struct StillWorking;

#[derive(Debug, thiserror::Error)]
#[error("the process was forked after the client was built: build the client after the fork")]
struct Forked;

#[cfg(all(test, not(imts_loom)))]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use imts_core::swap::Swap;

    use super::{Begun, Declared, SharedStore};
    use crate::store::{MemoryStore, Store, StoreError};

    #[test]
    fn a_client_from_before_a_fork_does_not_swap() {
        let memory = Arc::new(MemoryStore::new());
        let asked = Arc::clone(&memory);
        let declared = Declared::Blocks(Arc::new(move |swap: &Swap| asked.swap(swap)));
        let of_parent = SharedStore::new(declared);
        let forked = SharedStore { process: of_parent.process.wrapping_add(1), ..of_parent };
        let within = Duration::from_secs(60);
        let look = Arc::new(Swap::look("https://service.example", "agent", within));
        let Begun::OnThread(swapping) = forked.begin(&look, |work| work()) else {
            panic!("it blocks")
        };
        let error = swapping.wait(within).unwrap_err();
        assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
        assert!(error.to_string().contains("forked"), "{error}");
        assert_eq!(format!("{memory:?}"), "MemoryStore { entries: 0, .. }");
    }
}
