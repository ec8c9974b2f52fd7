//! Callbacks for threads.
//!
//! Owns nothing but the wait: the steps are those of [`AsyncCallbacks`].

use std::pin::pin;

use http::{Request, Response};
use imts_core::callback::Receiver;
use imts_core::sign::pg_sig::OwnUrl;

use super::answers::{Answers, AnswersError, AsyncAnswers, Claim, Claimed, Kept};
use super::handler::{AtOnce, Handler};
use super::nonblocking::AsyncCallbacks;
use crate::sync;
use crate::transport::BoxFuture;

/// Receives the callbacks of one merchant, in threads. A clone shares everything.
///
/// ```
/// use http::Request;
/// use imts::callback::{
///     Alarm, Callbacks, Decision, Delivery, Expected, Handler, MemoryAnswers, PaymentResult,
///     Receiver, Undecided, Verdict,
/// };
/// use imts::sign::pg_sig::{AcceptingKey, OwnUrl, OwnUrls, PgSigner};
///
/// struct Shop;
///
/// impl Handler for Shop {
///     fn result(&self, result: &PaymentResult, delivery: Delivery) -> Result<Decision, Undecided> {
///         // Your own order, by result.order_id().
///         let expected = Expected::new("23", "500.00", "KZT").map_err(Undecided::new)?;
///         Ok(match result.verdict(&expected) {
///             Verdict::Paid(_) => result.ok("Order paid"),
///             Verdict::NotPaid(_) => result.ok("Noted"),
///             Verdict::Mismatch(_) => result.refuse(delivery, "The order is not known"),
///             Verdict::AskStatus(_) => return Err(Undecided::new("ask the service first")),
///         })
///     }
///
///     fn alarm(&self, alarm: &Alarm) {
///         eprintln!("{alarm}");
///     }
/// }
///
/// let signer = PgSigner::new().with_accepting(AcceptingKey::new("secret")?);
/// let urls = OwnUrls::new([(OwnUrl::Result, "https://shop.example/pay/result")])?;
/// let callbacks = Callbacks::new(Receiver::new(signer, urls)?, Shop, MemoryAnswers::new());
///
/// let body = "pg_order_id=23&pg_payment_id=7&pg_amount=500&pg_currency=KZT&pg_result=1&pg_salt=x\
///             &pg_sig=e9d18061d8a96785a05819158b67a28d";
/// let request = Request::post("/pay/result").body(body.as_bytes().to_vec())?;
/// let first = callbacks.handle(OwnUrl::Result, &request);
/// let again = callbacks.handle(OwnUrl::Result, &request);
/// assert_eq!((first.status(), first.body()), (again.status(), again.body()));
/// assert!(String::from_utf8_lossy(first.body()).contains("<pg_status>ok</pg_status>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Callbacks(AsyncCallbacks);

impl Callbacks {
    /// Takes the merchant's receiver, its code and the place of its answers.
    #[must_use]
    pub fn new(
        receiver: Receiver,
        handler: impl Handler + 'static,
        answers: impl Answers + 'static,
    ) -> Self {
        Self(AsyncCallbacks::new(receiver, AtOnce(handler), InPlace(answers)))
    }

    /// Answers a request to one of the merchant's URLs. Its body must have been read, 256 KiB of it
    /// at most.
    ///
    /// It blocks while another delivery of the same message is decided, for ten seconds at most.
    #[must_use]
    pub fn handle(&self, url: OwnUrl, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        sync::wait(pin!(self.0.handle(url, request)))
    }

    /// Returns the URL to which a request came, by the last part of its path.
    #[must_use]
    pub fn called_at(&self, path: &str) -> Option<OwnUrl> {
        self.0.called_at(path)
    }
}

/// Answers that are looked up on the thread that asks.
struct InPlace<A>(A);

impl<A: Answers> AsyncAnswers for InPlace<A> {
    fn claim<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Claimed, AnswersError>> {
        Box::pin(async move { self.0.claim(claim) })
    }

    fn settle<'a>(
        &'a self,
        claim: &'a Claim,
        answer: &'a [u8],
    ) -> BoxFuture<'a, Result<Kept, AnswersError>> {
        Box::pin(async move { self.0.settle(claim, answer) })
    }

    fn release(&self, claim: &Claim) {
        self.0.release(claim);
    }
}
