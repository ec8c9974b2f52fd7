//! Callbacks in tasks: what a dropped task leaves behind.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use imts::callback::{
    Alarm, Answers, AsyncAnswers, AsyncCallbacks, AsyncHandler, Claimed, Decision, Delivery,
    MemoryAnswers, OnThreads, PaymentResult, Undecided,
};
use imts::sign::pg_sig::OwnUrl;
use imts::transport::BoxFuture;
use tokio::sync::Notify;

use crate::answers::claim;
use crate::message::{paid, post, tag};
use crate::shop::{judge, receiver};

/// Never decides about the first delivery.
struct Slow {
    asked: Arc<Notify>,
}

impl AsyncHandler for Slow {
    fn result<'a>(
        &'a self,
        result: &'a PaymentResult,
        delivery: Delivery,
    ) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(async move {
            self.asked.notify_one();
            match delivery {
                Delivery::First(_) => pending().await,
                Delivery::Again => Ok(judge(result, delivery)),
            }
        })
    }

    fn alarm(&self, _: &Alarm) {}
}

#[tokio::test]
async fn a_dropped_task_closes_its_claim_and_the_next_delivery_is_decided_again() {
    let asked = Arc::new(Notify::new());
    let answers = OnThreads::new(MemoryAnswers::new());
    let callbacks = AsyncCallbacks::new(receiver(), Slow { asked: Arc::clone(&asked) }, answers);
    let first = tokio::spawn({
        let callbacks = callbacks.clone();
        async move { callbacks.handle(OwnUrl::Result, &post(paid("1", "21", "s"))).await }
    });
    asked.notified().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let answer = callbacks.handle(OwnUrl::Result, &post(paid("1", "21", "s"))).await;
    assert_eq!(tag(answer.body(), "pg_status"), Some("ok"), "it can no longer be rejected");
}

#[test]
fn a_claim_that_nobody_waits_for_any_more_does_not_stay_open() {
    let inner = Arc::new(MemoryAnswers::new());
    let answers = OnThreads::new(Arc::clone(&inner));
    inner.claim(&claim("1", 1)).unwrap();
    let late = claim("1", 2);
    {
        let mut waits = pin!(answers.claim(&late));
        assert!(waits.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    inner.release(&claim("1", 1));
    let next = claim("1", 3).with_times(Duration::from_secs(30), Duration::from_secs(30));
    assert_eq!(inner.claim(&next).unwrap(), Claimed::Again);
}

/// Answers that panic.
struct Panics;

impl Answers for Panics {
    fn claim(&self, _: &imts::callback::Claim) -> Result<Claimed, imts::callback::AnswersError> {
        panic!("as a test asks")
    }

    fn settle(
        &self,
        _: &imts::callback::Claim,
        _: &[u8],
    ) -> Result<imts::callback::Kept, imts::callback::AnswersError> {
        panic!("as a test asks")
    }

    fn release(&self, _: &imts::callback::Claim) {}
}

#[tokio::test]
async fn answers_that_panic_leave_no_task_waiting() {
    assert!(OnThreads::new(Panics).claim(&claim("1", 1)).await.is_err());
}
