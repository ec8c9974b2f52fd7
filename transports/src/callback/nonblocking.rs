//! The steps from a request to its answer.
//!
//! Owns their order: verify, claim, decide, store, send. Does not know what a message says.

use std::fmt;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use imts_core::callback::{
    Alarm, AnswerKey, Decision, Delivery, Event, FirstDelivery, Incoming, ReceiveError, Receiver,
};
use imts_core::sign::pg_sig::OwnUrl;

use super::answers::{AnswersError, AsyncAnswers, Claim, Claimed};
use super::handler::{AsyncHandler, Redirected, Undecided};
use super::reply;
use crate::random::{random, salt};
use crate::transport::BoxFuture;

/// Receives the callbacks of one merchant, in tasks of any runtime. A clone shares everything.
///
/// For each message, in this order: the signature is verified; the message is claimed, and that is
/// made durable; the merchant's code decides; the answer is made durable; the answer is returned. A
/// repeat gets the stored bytes. Two deliveries at the same time, even in two processes that share
/// the answers, get one decision.
///
/// If the process dies between the claim and the stored answer, nobody has seen a decision. The next
/// delivery is decided again, with [`Delivery::Again`]: it can no longer be rejected.
#[derive(Clone)]
pub struct AsyncCallbacks {
    shared: Arc<Shared>,
}

struct Shared {
    receiver: Receiver,
    handler: Box<dyn AsyncHandler>,
    answers: Box<dyn AsyncAnswers>,
}

impl AsyncCallbacks {
    /// Takes the merchant's receiver, its code and the place of its answers.
    /// [`OnThreads`](super::OnThreads) makes the last one of [`Answers`](super::Answers) that block.
    #[must_use]
    pub fn new(
        receiver: Receiver,
        handler: impl AsyncHandler + 'static,
        answers: impl AsyncAnswers + 'static,
    ) -> Self {
        let (handler, answers) = (Box::new(handler), Box::new(answers));
        Self { shared: Arc::new(Shared { receiver, handler, answers }) }
    }

    /// Returns the URL to which a request came, by the last part of its path.
    #[must_use]
    pub fn called_at(&self, path: &str) -> Option<OwnUrl> {
        self.shared.receiver.urls().called_at(path)
    }

    /// Answers a request to one of the merchant's URLs. Its body must have been read, 256 KiB of it
    /// at most.
    pub async fn handle(&self, url: OwnUrl, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let is_redirect = matches!(url, OwnUrl::Success | OwnUrl::Failure);
        if is_redirect && request.method() == Method::HEAD {
            let mut response = self.redirected(url, &as_get(request)).await;
            response.body_mut().clear();
            return response;
        }
        if is_redirect {
            return self.redirected(url, request).await;
        }
        match self.shared.receiver.receive(url, Incoming::of(request)) {
            Ok(event) => self.on_event(event).await,
            Err(error) => self.unverified(url, error),
        }
    }

    async fn redirected(&self, url: OwnUrl, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let unsigned = match self.shared.receiver.receive(url, Incoming::of(request)) {
            Ok(Event::Redirect(redirect)) => {
                return self.shared.handler.redirect(Redirected::Signed(&redirect)).await;
            }
            Ok(_) => return reply::text(404, "no such address"),
            Err(ReceiveError::NotConfigured { .. }) => return reply::text(404, "no such address"),
            Err(ReceiveError::Method) => {
                return reply::method(reply::text(405, "not allowed"), "GET, HEAD, POST");
            }
            Err(error) => error,
        };
        self.shared.handler.redirect(Redirected::Unsigned(unsigned)).await
    }

    async fn on_event(&self, event: Event) -> Response<Vec<u8>> {
        let handler = &self.shared.handler;
        match event {
            Event::Check(check) => match handler.check(&check).await {
                Ok(decision) if decision.key().is_none() => match self.signed(&decision) {
                    Some(answer) => reply::xml(StatusCode::OK, &answer),
                    None => reply::later(),
                },
                _ => {
                    handler.alarm(&Alarm::Undecided { key: None });
                    reply::later()
                }
            },
            Event::Result(result) => {
                let decide = |delivery| handler.result(&result, delivery);
                self.once(result.key(), result.fingerprint(), decide).await
            }
            Event::Payout(payout) => {
                let decide = |_| handler.payout(&payout);
                self.once(payout.key(), payout.fingerprint(), decide).await
            }
            _ => reply::text(404, "no such address"),
        }
    }

    /// Returns the stored answer to a message, or lets it be decided and stores the answer.
    async fn once<'a>(
        &self,
        key: &AnswerKey,
        fingerprint: String,
        decide: impl FnOnce(Delivery) -> BoxFuture<'a, Result<Decision, Undecided>>,
    ) -> Response<Vec<u8>> {
        let Shared { handler, answers, .. } = &*self.shared;
        let claim = Claim::new(key.clone(), random(), fingerprint);
        // Whatever ends this task also closes the claim.
        let open = Open { answers: answers.as_ref(), claim: &claim };
        let delivery = match answers.claim(&claim).await {
            Ok(Claimed::Answered(kept)) => {
                if kept.fingerprint != claim.fingerprint() {
                    handler.alarm(&Alarm::Contradiction { key: key.clone() });
                }
                return reply::xml(StatusCode::OK, &kept.answer);
            }
            Ok(Claimed::First) => Delivery::First(FirstDelivery::vouch()),
            Ok(Claimed::Again) => Delivery::Again,
            Err(error) => return self.unavailable(key, &error),
        };
        let decided = decide(delivery).await.ok().filter(|it| it.key() == Some(key));
        let answer = decided.as_ref().and_then(|decision| self.signed(decision));
        let (Some(decision), Some(answer)) = (decided, answer) else {
            handler.alarm(&Alarm::Undecided { key: Some(key.clone()) });
            return reply::later();
        };
        // Twice is better than never: the process may die before the answer is stored.
        if let Some(alarm) = decision.alarm() {
            handler.alarm(alarm);
        }
        let settled = answers.settle(&claim, &answer).await;
        drop(open);
        match settled {
            Ok(kept) => reply::xml(StatusCode::OK, &kept.answer),
            Err(error) => self.unavailable(key, &error),
        }
    }

    fn unavailable(&self, key: &AnswerKey, error: &AnswersError) -> Response<Vec<u8>> {
        // Another delivery is being decided: that is no reason for an alarm.
        if !matches!(error, AnswersError::Busy) {
            self.shared.handler.alarm(&Alarm::Store { key: key.clone() });
        }
        reply::later()
    }

    /// The answer to a request that is not a callback. Its body is signed in each case.
    fn unverified(&self, url: OwnUrl, error: ReceiveError) -> Response<Vec<u8>> {
        let Ok(answer) = self.shared.receiver.answer_unverified(url, salt()) else {
            return reply::text(404, "no such address");
        };
        let mut response = reply::xml(answer.status(), answer.body());
        match error {
            ReceiveError::Method if url == OwnUrl::Payout => reply::method(response, "POST"),
            ReceiveError::Method => reply::method(response, "GET, POST"),
            ReceiveError::ContentType => {
                *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                response
            }
            _ => response,
        }
    }

    fn signed(&self, decision: &Decision) -> Option<Vec<u8>> {
        let answer = self.shared.receiver.answer(decision, salt()).ok()?;
        Some(answer.body().to_vec())
    }
}

impl fmt::Debug for AsyncCallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncCallbacks")
            .field("receiver", &self.shared.receiver)
            .finish_non_exhaustive()
    }
}

/// Closes a claim that was not settled.
struct Open<'a> {
    answers: &'a dyn AsyncAnswers,
    claim: &'a Claim,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.answers.release(self.claim);
    }
}

/// The same request as a GET.
fn as_get(request: &Request<Vec<u8>>) -> Request<Vec<u8>> {
    let mut get = Request::new(Vec::new());
    *get.uri_mut() = request.uri().clone();
    get
}
