//! What a client needs of an HTTP client: one function from request to response.
//!
//! Owns the two traits, for threads and for tasks, and the bounds of an exchange. Also owns how far
//! a request has come, as its transport reports it: the proof that nothing of it was sent. A
//! transport that reports nothing proves nothing. Does not know about sessions. A transport makes
//! one decision only: whether a failed request is known not to have been sent.

mod pointers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use http::{Request, Response};
use imts_core::endpoint::PlainHost;
use imts_core::secret::Body;
use imts_core::{Exchange, TransportError};

/// How much of a response is read, and how long the whole exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many bytes of the body are read at most. Stop one byte after this limit: from the
    /// length, the session sees that the body was too long.
    pub reply_limit: usize,
    /// How long the exchange may take, from resolving the host to the last byte of the body.
    pub time_limit: Duration,
}

impl From<&Exchange> for Bounds {
    fn from(exchange: &Exchange) -> Self {
        Self { reply_limit: exchange.reply_limit(), time_limit: exchange.time_limit() }
    }
}

/// Sends a request and waits for its response, on the calling thread.
///
/// A closure is a transport. A transport for production follows no redirect and reads no proxy from
/// the environment. It never resends a request that may have been sent, and returns
/// [`TransportError::not_sent`] only if it knows.
///
/// ```
/// use http::{Request, Response};
/// use imts::secret::Body;
/// use imts::transport::Bounds;
/// use imts::transport_error::NotSent;
/// use imts::{Transport, TransportError};
///
/// let transport = |_request: Request<Body>, _bounds: Bounds| -> Result<Response<Vec<u8>>, TransportError> {
///     Err(TransportError::not_sent(NotSent::vouch()))
/// };
/// # let bounds = Bounds { reply_limit: 0, time_limit: std::time::Duration::ZERO };
/// let failure = Transport::send(&transport, Request::new(Body::from(Vec::new())), bounds).unwrap_err();
/// assert!(failure.is_not_sent());
/// ```
pub trait Transport: Send + Sync {
    /// Sends the request once, within the bounds.
    ///
    /// # Errors
    ///
    /// Returns [`TransportError`] if no complete response was received. A body that was cut one byte past
    /// the limit counts as complete.
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError>;

    /// Returns whether the transport sends plain `http` to this host, which is not this machine. It
    /// must open a connection only if [`PlainHost::allows`] each address of the host. A client of
    /// [`Endpoint::plain_named`] is built over no other transport. Default `false`.
    ///
    /// [`Endpoint::plain_named`]: crate::Endpoint::plain_named
    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        let _ = host;
        false
    }
}

impl<F> Transport for F
where
    F: Fn(Request<Body>, Bounds) -> Result<Response<Vec<u8>>, TransportError> + Send + Sync,
{
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        self(request, bounds)
    }
}

/// Sends a request. If the transport panics, the request has failed with unknown outcome.
pub(crate) fn send(
    transport: &dyn Transport,
    request: Request<Body>,
    bounds: Bounds,
) -> Result<Response<Vec<u8>>, TransportError> {
    catch_unwind(AssertUnwindSafe(|| transport.send(request, bounds)))
        .unwrap_or_else(|_| Err(TransportError::unknown().because(TransportPanicked)))
}

/// Why an exchange failed: its transport panicked.
#[derive(Debug, thiserror::Error)]
#[error("the transport panicked")]
pub(crate) struct TransportPanicked;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends a request as a future, and provides the matching timer.
///
/// A pair of closures is an async transport: the first sends, the second sleeps. The rules for a
/// [`Transport`] hold here too. Any task that asks for a token polls the futures. They run on any
/// executor, or without one, if the HTTP client inside them does.
///
/// ```
/// use std::future::ready;
/// use std::time::Duration;
/// use http::Request;
/// use imts::secret::Body;
/// use imts::transport::Bounds;
/// use imts::transport_error::NotSent;
/// use imts::{AsyncTransport, TransportError};
///
/// let transport = (
///     |_request: Request<Body>, _bounds: Bounds| ready(Err(TransportError::not_sent(NotSent::vouch()))),
///     |_for: Duration| std::future::pending(), // with tokio: tokio::time::sleep
/// );
/// # use std::task::{Context, Poll, Waker};
/// # let bounds = Bounds { reply_limit: 0, time_limit: Duration::ZERO };
/// let mut sending = AsyncTransport::send(&transport, Request::new(Body::from(Vec::new())), bounds);
/// # let polled = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
/// # let Poll::Ready(Err(failure)) = polled else { panic!("{polled:?}") };
/// assert!(failure.is_not_sent());
/// ```
pub trait AsyncTransport: Send + Sync {
    /// Sends the request once, within the bounds. If no complete response was received, the future
    /// fails with [`TransportError`]. A body that was cut one byte past the limit counts as complete.
    ///
    /// Dropping the future before it completes abandons the request. The client enforces the time
    /// limit with [`sleep`](AsyncTransport::sleep), unless the transport [does](Self::keeps_time)
    /// so itself.
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>>;

    /// Sends as [`send`](AsyncTransport::send) does, and reports how far the request has come. If a
    /// request is known not to have been sent, it is not in doubt, no matter who abandons it, and
    /// when.
    ///
    /// The default does not report and only sends: its requests count as sent.
    fn send_reporting(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        drop(progress);
        self.send(request, bounds)
    }

    /// Returns whether the transport itself ends each request by its time limit. The client then
    /// sets no timer of its own. Such a request fails as [timed out](TransportError::timed_out), and a
    /// request that was not sent by then is never sent. Default `false`.
    fn keeps_time(&self) -> bool {
        false
    }

    /// Returns whether the transport sends plain `http` to this host, which is not this machine. It
    /// must open a connection only if [`PlainHost::allows`] each address of the host. A client of
    /// [`Endpoint::plain_named`] is built over no other transport. Default `false`.
    ///
    /// [`Endpoint::plain_named`]: crate::Endpoint::plain_named
    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        let _ = host;
        false
    }

    /// Completes after this time.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl<S, Sending, T, Sleeping> AsyncTransport for (S, T)
where
    S: Fn(Request<Body>, Bounds) -> Sending + Send + Sync,
    Sending: Future<Output = Result<Response<Vec<u8>>, TransportError>> + Send + 'static,
    T: Fn(Duration) -> Sleeping + Send + Sync,
    Sleeping: Future<Output = ()> + Send + 'static,
{
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        Box::pin((self.0)(request, bounds))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin((self.1)(duration))
    }
}

/// How far one request has come. Clones share it: the transport writes it, and the client reads it
/// when it needs to, also from another task.
///
/// ```
/// use imts::transport::Progress;
///
/// let progress = Progress::default();
/// assert!(!progress.is_held()); // No transport has reported it.
/// progress.hold();
/// assert!(progress.is_held());
/// assert!(progress.leave());
/// assert!(!progress.is_held());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU8>);

impl Progress {
    /// Reports that nothing was sent yet, and that [`leave`](Self::leave) is called before anything
    /// is sent.
    pub fn hold(&self) {
        self.change(UNREPORTED, HELD);
    }

    /// Reports that bytes of the request are about to be sent. Call it before the first byte, or
    /// more of the request, is given to the network. `false`: the request was withdrawn, and must
    /// not be sent.
    #[must_use]
    pub fn leave(&self) -> bool {
        self.set_out().is_some()
    }

    /// Returns whether the transport has reported that nothing of the request was sent.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.0.load(Ordering::SeqCst), HELD | WITHDRAWN | STRANDED)
    }

    /// Writes a part of the request, unless it was withdrawn. If the first write wrote nothing, the
    /// request is still held.
    #[cfg(feature = "hyper-util")]
    pub(crate) fn write<T>(
        &self,
        write: impl FnOnce() -> T,
        wrote: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        let before = self.set_out()?;
        let outcome = write();
        if before == HELD && !wrote(&outcome) {
            self.change(LEFT, HELD);
        }
        Some(outcome)
    }

    /// Withdraws a request that is held: from now on it cannot be sent. Returns `false` if it may
    /// have been sent.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.change(HELD, WITHDRAWN) || self.is_held()
    }

    /// Withdraws a request that is held because what drove it is gone: no attempt counts as failed.
    pub(crate) fn strand(&self) {
        self.change(HELD, STRANDED);
    }

    /// Returns whether a request was withdrawn because what drove it is gone.
    pub(crate) fn is_stranded(&self) -> bool {
        self.0.load(Ordering::SeqCst) == STRANDED
    }

    /// Marks the request as sent, if it was not withdrawn. Returns its state before.
    fn set_out(&self) -> Option<u8> {
        let leaves = |it| (it != WITHDRAWN && it != STRANDED).then_some(LEFT);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, leaves).ok()
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// The transport reported nothing.
const UNREPORTED: u8 = 0;
/// Nothing of it was sent.
const HELD: u8 = 1;
/// It is being sent, or was sent.
const LEFT: u8 = 2;
/// Nothing of it was sent, and nothing will be.
const WITHDRAWN: u8 = 3;
/// The same, because what drove it is gone.
const STRANDED: u8 = 4;

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn what_was_withdrawn_cannot_leave_and_what_may_have_left_cannot_be_withdrawn() {
        let held = || {
            let progress = Progress::default();
            progress.hold();
            progress
        };
        let withdrawn = held();
        assert!(withdrawn.withdraw() && withdrawn.withdraw() && withdrawn.is_held());
        assert!(!withdrawn.leave() && withdrawn.is_held());
        let stranded = held();
        stranded.strand();
        assert!(stranded.is_stranded() && stranded.withdraw() && stranded.is_held());
        assert!(!stranded.leave() && stranded.is_stranded());
        withdrawn.strand();
        assert!(!withdrawn.is_stranded());
        let left = held();
        assert!(left.leave() && left.leave());
        left.strand();
        assert!(!left.is_stranded());
        assert!(!left.withdraw() && !left.is_held());
        let unreported = Progress::default();
        assert!(!unreported.withdraw() && !unreported.is_held() && unreported.leave());
        unreported.hold();
        assert!(!unreported.is_held(), "it had left before");
    }

    #[test]
    #[cfg(feature = "hyper-util")]
    fn a_first_write_that_wrote_nothing_leaves_it_held() {
        let progress = Progress::default();
        progress.hold();
        assert_eq!(progress.write(|| 0, |wrote| *wrote > 0), Some(0));
        assert!(progress.is_held());
        assert_eq!(progress.write(|| 3, |wrote| *wrote > 0), Some(3));
        assert!(!progress.is_held());
        assert_eq!(progress.write(|| 0, |wrote| *wrote > 0), Some(0));
        assert!(!progress.is_held(), "a later write proves nothing");
        let withdrawn = Progress::default();
        withdrawn.hold();
        assert!(withdrawn.withdraw());
        assert_eq!(withdrawn.write(|| panic!("it leaves"), |(): &()| true), None);
    }
}
