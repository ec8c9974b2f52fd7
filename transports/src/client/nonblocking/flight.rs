//! One renewal under way: a future that no task owns and that every waiting task polls.
//!
//! Owns the polling, the waking, and the sharing of the one outcome. Does not know about sessions.
//! A waiter may stop waiting at any moment: the other waiters are woken for the same events. If no
//! waiter is left, the next one to come continues polling.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use crate::sync::{Mutex, MutexGuard, thread_local};
use crate::token_error::TokenError;
use crate::transport::BoxFuture;

type Outcome = Result<(), TokenError>;
type Work = BoxFuture<'static, Outcome>;

/// A flight as its pollers and waiters see it.
#[derive(Clone)]
pub(crate) struct Flight(Arc<Inner>);

struct Inner(Mutex<State>);

struct State {
    /// Taken out while it is polled, and gone once the flight has ended.
    work: Option<Work>,
    /// Whether polling it could bring something new.
    due: bool,
    outcome: Option<Outcome>,
    waiting: BTreeMap<u64, Waker>,
    /// The number of the last waiter.
    serial: u64,
}

impl Flight {
    pub(crate) fn new(work: impl Future<Output = Outcome> + Send + 'static) -> Self {
        Self(Arc::new(Inner(Mutex::new(State {
            work: Some(Box::pin(work)),
            due: true,
            outcome: None,
            waiting: BTreeMap::new(),
            serial: 0,
        }))))
    }

    /// Polls the flight once, if that could bring something new and no one else is polling it.
    pub(crate) fn advance(&self) {
        let Some(mut work) = self.0.lock().take_due() else { return };
        let waker = Waker::from(Arc::clone(&self.0));
        let poll = || self.marked(|| work.as_mut().poll(&mut Context::from_waker(&waker)));
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(Poll::Ready(outcome)) => {
                self.end(outcome);
                discard(work);
            }
            Ok(Poll::Pending) => self.0.put_back(work),
            // When the waiters ask again, they get what the session knows of it.
            Err(_) => {
                self.end(Ok(()));
                discard(work);
            }
        }
    }

    /// Ends the flight. All waiters, and those that come later, get this outcome, unless there was
    /// one before.
    pub(crate) fn end(&self, outcome: Outcome) {
        let mut state = self.0.lock();
        state.outcome.get_or_insert(outcome);
        let (work, waiting) = (state.work.take(), mem::take(&mut state.waiting));
        drop(state);
        discard(work);
        wake(waiting);
    }

    /// Waits for the outcome, polling the flight meanwhile.
    pub(crate) fn wait(&self) -> Wait {
        let serial = {
            let mut state = self.0.lock();
            state.serial += 1;
            state.serial
        };
        Wait { flight: self.clone(), serial }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.lock().outcome.is_some()
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns whether the current thread is polling this flight: waiting for it would never end.
    pub(crate) fn is_on_this_thread(&self) -> bool {
        MARKED.with(|marked| marked.borrow().contains(&self.mark()))
    }

    fn marked<R>(&self, work: impl FnOnce() -> R) -> R {
        MARKED.with(|marked| marked.borrow_mut().push(self.mark()));
        let _unmark = Unmark;
        work()
    }

    fn mark(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// The outcome of a flight, for one waiter.
pub(crate) struct Wait {
    flight: Flight,
    serial: u64,
}

impl Future for Wait {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let waker = cx.waker().clone();
        let mut state = self.flight.0.lock();
        if state.outcome.is_none() {
            let before = state.waiting.insert(self.serial, waker);
            drop(state);
            drop(before);
            self.flight.advance();
            state = self.flight.0.lock();
        }
        match &state.outcome {
            Some(outcome) => Poll::Ready(outcome.clone()),
            None => Poll::Pending,
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut state = self.flight.0.lock();
        let waker = state.waiting.remove(&self.serial);
        drop(state);
        drop(waker);
    }
}

impl Inner {
    /// Locks the state. While it is locked, only code of this file runs: no poll, no waker, no drop
    /// of the work.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_back(&self, work: Work) {
        let mut state = self.lock();
        if state.outcome.is_some() {
            drop(state);
            return discard(work);
        }
        state.work = Some(work);
        // Woken while it was polled: polling again here could block the thread for ever.
        let waiting = if state.due { mem::take(&mut state.waiting) } else { BTreeMap::new() };
        drop(state);
        wake(waiting);
    }
}

impl State {
    fn take_due(&mut self) -> Option<Work> {
        let work = self.work.take_if(|_| self.due)?;
        self.due = false;
        Some(work)
    }
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.lock();
        state.due = true;
        // While the work is being polled, its poller wakes the waiters.
        let polled = state.work.is_none();
        let waiting = if polled { BTreeMap::new() } else { mem::take(&mut state.waiting) };
        drop(state);
        wake(waiting);
    }
}

/// Removes a flight from the current thread's list, also if its poll unwinds.
struct Unmark;

impl Drop for Unmark {
    fn drop(&mut self) {
        MARKED.with(|marked| marked.borrow_mut().pop());
    }
}

/// Wakes all waiters, even if the waker of an earlier one panics.
fn wake(waiting: BTreeMap<u64, Waker>) {
    for waker in waiting.into_values() {
        drop(catch_unwind(AssertUnwindSafe(|| waker.wake())));
    }
}

/// Drops a foreign value. If its destructor panics, this does not affect the waiters.
pub(super) fn discard<T>(foreign: T) {
    drop(catch_unwind(AssertUnwindSafe(|| drop(foreign))));
}

thread_local! {
    /// The flights that the current thread is polling, one inside the other.
    static MARKED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}
