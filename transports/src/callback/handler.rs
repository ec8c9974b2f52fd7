//! What a merchant's own code decides.
//!
//! Owns the two traits, for threads and for tasks. Does not know how a message came.

use std::error::Error as StdError;
use std::fmt;

use http::Response;
use imts_core::callback::{
    Alarm, Check, Decision, Delivery, PaymentResult, PayoutResult, ReceiveError, Redirect,
};

use super::reply;
use crate::transport::BoxFuture;

/// Decides about verified messages.
///
/// [`result`](Handler::result) and [`payout`](Handler::payout) return a decision at most once for
/// each [`AnswerKey`](imts_core::callback::AnswerKey). They may be called again if they returned
/// [`Undecided`], or if the process died before the answer was stored. So do your own work in one
/// transaction, and record the payment's id in it.
pub trait Handler: Send + Sync {
    /// The gateway asks whether a payment may be taken. It may ask more than once. Default: the
    /// answer `error`.
    ///
    /// # Errors
    ///
    /// [`Undecided`]: the gateway takes it as a refusal (published).
    fn check(&self, check: &Check) -> Result<Decision, Undecided> {
        Ok(check.error("Checks are not served"))
    }

    /// The gateway reports how a payment ended.
    ///
    /// # Errors
    ///
    /// [`Undecided`]: the answer is a 503, and the gateway delivers the message again. It takes no
    /// rejection then.
    fn result(&self, result: &PaymentResult, delivery: Delivery) -> Result<Decision, Undecided>;

    /// The gateway reports how a payout ended. Default: [`Undecided`].
    ///
    /// # Errors
    ///
    /// [`Undecided`], as for a result.
    fn payout(&self, _payout: &PayoutResult) -> Result<Decision, Undecided> {
        Err(Undecided::new("no code for payouts"))
    }

    /// The user's browser came back. Nothing may follow from it: return a page, or a redirect to
    /// one. Default: a short text.
    fn redirect(&self, _redirect: Redirected<'_>) -> Response<Vec<u8>> {
        reply::text(200, "The payment is being processed")
    }

    /// A person must look into something. It may be called twice for one message.
    fn alarm(&self, alarm: &Alarm);
}

/// Decides about verified messages in tasks. The same rules as for a [`Handler`] hold here.
///
/// If the connection breaks, a server may drop the future of a decision. That is the same as a
/// process that died: the next delivery is decided again, and can no longer be rejected.
pub trait AsyncHandler: Send + Sync {
    /// The gateway asks whether a payment may be taken; see [`Handler::check`].
    fn check<'a>(&'a self, check: &'a Check) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(std::future::ready(Ok(check.error("Checks are not served"))))
    }

    /// The gateway reports how a payment ended; see [`Handler::result`].
    fn result<'a>(
        &'a self,
        result: &'a PaymentResult,
        delivery: Delivery,
    ) -> BoxFuture<'a, Result<Decision, Undecided>>;

    /// The gateway reports how a payout ended; see [`Handler::payout`].
    fn payout<'a>(
        &'a self,
        _payout: &'a PayoutResult,
    ) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(std::future::ready(Err(Undecided::new("no code for payouts"))))
    }

    /// The user's browser came back; see [`Handler::redirect`].
    fn redirect<'a>(&'a self, _redirect: Redirected<'a>) -> BoxFuture<'a, Response<Vec<u8>>> {
        Box::pin(std::future::ready(reply::text(200, "The payment is being processed")))
    }

    /// A person must look into something; see [`Handler::alarm`]. It must not block.
    fn alarm(&self, alarm: &Alarm);
}

/// A [`Handler`] whose decisions are ready at once, for the task that asks.
pub(super) struct AtOnce<H>(pub(super) H);

impl<H: Handler> AsyncHandler for AtOnce<H> {
    fn check<'a>(&'a self, check: &'a Check) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(async move { self.0.check(check) })
    }

    fn result<'a>(
        &'a self,
        result: &'a PaymentResult,
        delivery: Delivery,
    ) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(async move { self.0.result(result, delivery) })
    }

    fn payout<'a>(
        &'a self,
        payout: &'a PayoutResult,
    ) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(async move { self.0.payout(payout) })
    }

    fn redirect<'a>(&'a self, redirect: Redirected<'a>) -> BoxFuture<'a, Response<Vec<u8>>> {
        Box::pin(async move { self.0.redirect(redirect) })
    }

    fn alarm(&self, alarm: &Alarm) {
        self.0.alarm(alarm);
    }
}

/// A browser that came back.
#[derive(Clone, Copy, Debug)]
pub enum Redirected<'a> {
    /// The gateway has signed where it goes. It proves no payment either way.
    Signed(&'a Redirect),
    /// Anyone may have written the URL: show nothing of it.
    Unsigned(ReceiveError),
}

/// A merchant's code could not decide: its database is down, say. The message is not answered, and
/// will come again.
#[derive(Debug)]
pub struct Undecided(Box<dyn StdError + Send + Sync>);

impl Undecided {
    /// Gives the reason. Nothing of it is sent.
    #[must_use]
    pub fn new(why: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Undecided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no decision was made")
    }
}

impl StdError for Undecided {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.0.as_ref())
    }
}
