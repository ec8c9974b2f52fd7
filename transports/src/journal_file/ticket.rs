//! Waiting for a record to be durable: by a task, which is woken, or by a thread, which sleeps.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use imts_core::journal::RecordError;

use super::error::JournalError;

/// What becomes of a record, to be told to whoever waits.
#[derive(Debug)]
pub(super) struct Promise(Arc<Slot>);

/// Is ready once the record is durable, or failed. Dropping it changes nothing for anyone else.
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
    /// Tells whoever waits. No lock may be held: waking may run anything.
    pub(super) fn resolve(self, outcome: Result<(), JournalError>) {
        self.0.resolve(outcome);
    }
}

impl Drop for Promise {
    /// Whoever should have kept it is gone: what was written is not known.
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
    /// As a journal hands it out.
    pub(super) fn into_durable(self) -> imts_core::journal::Durable {
        Box::pin(async move { self.await.map_err(|why| RecordError::Failed(Arc::new(why))) })
    }
}
