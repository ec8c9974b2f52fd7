//! Waits for a record to be durable: a task is woken, a thread sleeps.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use imts_core::journal::RecordError;

use super::error::JournalError;

/// Reports the outcome of a record to its waiter.
#[derive(Debug)]
pub(super) struct Promise(Arc<Slot>);

/// Completes once the record is durable, or has failed. Dropping it does not affect anyone else.
#[derive(Debug)]
pub(super) struct Ticket(Arc<Slot>);

#[derive(Debug, Default)]
struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<(), JournalError>>,
    waker: Option<Waker>,
}

pub(super) fn pair() -> (Promise, Ticket) {
    let slot = Arc::<Slot>::default();
    (Promise(Arc::clone(&slot)), Ticket(slot))
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only the first outcome counts.
    fn resolve(&self, outcome: Result<(), JournalError>) {
        let mut state = self.lock();
        if state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Promise {
    /// Reports the outcome to the waiter. No lock may be held: waking may run any code.
    pub(super) fn resolve(self, outcome: Result<(), JournalError>) {
        self.0.resolve(outcome);
    }
}

impl Drop for Promise {
    /// The promise's owner is gone, so it is not known what was written.
    fn drop(&mut self) {
        self.0.resolve(Err(JournalError::Broken));
    }
}

impl Future for Ticket {
    type Output = Result<(), JournalError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Ticket {
    /// Returns it in the form that a journal hands out.
    pub(super) fn into_durable(self) -> imts_core::journal::Durable {
        Box::pin(async move { self.await.map_err(|why| RecordError::Failed(Arc::new(why))) })
    }
}
