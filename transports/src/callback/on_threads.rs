//! Answers that block, for tasks: each operation runs on a thread of its own.
//!
//! Owns the threads and what becomes of an operation that nobody waits for any more.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;

use super::answers::{Answers, AnswersError, AsyncAnswers, Claim, Claimed, Kept};
use crate::transport::BoxFuture;

/// Makes [`AsyncAnswers`] of [`Answers`], in any runtime.
///
/// A task that is dropped while its message is claimed leaves no claim open: the thread closes it.
pub struct OnThreads<A>(Arc<A>);

impl<A: Answers + 'static> OnThreads<A> {
    /// Takes answers that block.
    #[must_use]
    pub fn new(answers: A) -> Self {
        Self(Arc::new(answers))
    }
}

impl<A: Answers + 'static> AsyncAnswers for OnThreads<A> {
    fn claim<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Claimed, AnswersError>> {
        let (answers, claim) = (Arc::clone(&self.0), claim.clone());
        let (late, unclaimed) = (Arc::clone(&self.0), claim.clone());
        Box::pin(run(move || answers.claim(&claim), move || late.release(&unclaimed)))
    }

    fn settle<'a>(
        &'a self,
        claim: &'a Claim,
        answer: &'a [u8],
    ) -> BoxFuture<'a, Result<Kept, AnswersError>> {
        let (answers, claim, answer) = (Arc::clone(&self.0), claim.clone(), answer.to_vec());
        Box::pin(run(move || answers.settle(&claim, &answer), || ()))
    }

    fn release(&self, claim: &Claim) {
        self.0.release(claim);
    }
}

impl<A> fmt::Debug for OnThreads<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnThreads").finish_non_exhaustive()
    }
}

/// Where a thread leaves its result.
struct Place<T> {
    result: Option<T>,
    waker: Option<Waker>,
    is_left: bool,
}

type Shared<T> = Arc<Mutex<Place<T>>>;

/// Tells the thread that nobody waits any more.
struct Waiting<T>(Shared<T>);

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        locked(&self.0).is_left = true;
    }
}

/// Runs an operation on a thread, and waits for it. If the wait is dropped, `late` runs behind it.
async fn run<T: Send + 'static>(
    operation: impl FnOnce() -> Result<T, AnswersError> + Send + 'static,
    late: impl FnOnce() + Send + 'static,
) -> Result<T, AnswersError> {
    let place = Place { result: None, waker: None, is_left: false };
    let waiting = Waiting(Arc::new(Mutex::new(place)));
    let there = Arc::clone(&waiting.0);
    let started = thread::Builder::new().name("imts-answers".to_owned()).spawn(move || {
        // A panic of the operation must not leave the task waiting.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(operation));
        let panicked = || AnswersError::unreachable(io::Error::other("the operation panicked"));
        let result = result.unwrap_or_else(|_| Err(panicked()));
        let mut place = locked(&there);
        if place.is_left {
            drop(place);
            return late();
        }
        place.result = Some(result);
        let waker = place.waker.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    });
    started.map_err(AnswersError::unreachable)?;
    poll_fn(|cx| {
        let mut place = locked(&waiting.0);
        match place.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                place.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

fn locked<T>(place: &Shared<T>) -> MutexGuard<'_, Place<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}
