//! What a client needs of an HTTP client: one function from request to response.
//!
//! Owns the two traits, for threads and for tasks, and the bounds of an exchange. Does not know
//! about sessions. A transport makes one decision only: whether a failed request is known not to
//! have been sent.

use std::pin::Pin;
use std::time::Duration;

use http::{Request, Response};
use imts_core::secret::Body;
use imts_core::{Exchange, TransportError};

pub use crate::progress::Progress;

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
