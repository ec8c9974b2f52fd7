//! What a client needs of an HTTP client: one function from request to response.
//!
//! Owns the two traits, for threads and for tasks, and the bounds of an exchange. Knows nothing of sessions; a transport decides
//! nothing but whether a request that failed is known not to have left.

use std::pin::Pin;
use std::time::Duration;

use http::{Request, Response};
use imts_core::{Body, Exchange, Failure};

use crate::progress::Progress;

/// How much of a reply is read, and how long the whole exchange may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many bytes of body are worth reading. Stop after one more: by the length the session
    /// sees that it was too much.
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
/// A closure is a transport. One that is fit for production follows no redirect, resends nothing
/// that may have left, reads no proxy from the environment, and says [`Failure::not_sent`] only
/// where it knows.
///
/// ```
/// use http::{Request, Response};
/// use imts::{Body, Bounds, Failure, NotSent, Transport};
///
/// let transport = |_request: Request<Body>, _bounds: Bounds| -> Result<Response<Vec<u8>>, Failure> {
///     Err(Failure::not_sent(NotSent::vouch()))
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
    /// [`Failure`], where no whole response came; a body cut at one byte past the limit is whole.
    fn send(&self, request: Request<Body>, bounds: Bounds) -> Result<Response<Vec<u8>>, Failure>;
}

impl<F> Transport for F
where
    F: Fn(Request<Body>, Bounds) -> Result<Response<Vec<u8>>, Failure> + Send + Sync,
{
    fn send(&self, request: Request<Body>, bounds: Bounds) -> Result<Response<Vec<u8>>, Failure> {
        self(request, bounds)
    }
}

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends a request as a future, and brings the timer that goes with it.
///
/// A pair of closures is one: the first sends, the second sleeps. What is said of a [`Transport`]
/// holds for this one too. Its futures are polled by whichever task asks for a token; they run on
/// any executor, or on none in particular, as far as the HTTP client within does.
///
/// ```
/// use std::future::ready;
/// use std::time::Duration;
/// use http::Request;
/// use imts::{AsyncTransport, Body, Bounds, Failure, NotSent};
///
/// let transport = (
///     |_request: Request<Body>, _bounds: Bounds| ready(Err(Failure::not_sent(NotSent::vouch()))),
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
    /// Sends the request once, within the bounds. The future fails with [`Failure`], where no whole
    /// response came; a body cut at one byte past the limit is whole.
    ///
    /// A future that is dropped before its end gives up the request. The client holds it to the time
    /// limit with [`sleep`](AsyncTransport::sleep), unless the transport [does](Self::keeps_time) itself.
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, Failure>>;

    /// Sends as [`send`](AsyncTransport::send) does, and tells how far the request has come. What is
    /// known not to have left is then not in doubt, whoever gives it up, and when.
    ///
    /// A transport that does not tell only sends, which is the default: its requests count as sent.
    fn send_told(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, Failure>> {
        drop(progress);
        self.send(request, bounds)
    }

    /// Whether each request ends by its time limit without the client, which then sets no timer of its
    /// own: the failure is [timed out](Failure::timed_out), and what has not left by then never does.
    /// Default `false`.
    fn keeps_time(&self) -> bool {
        false
    }

    /// Ends after this time.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

impl<S, Sending, T, Sleeping> AsyncTransport for (S, T)
where
    S: Fn(Request<Body>, Bounds) -> Sending + Send + Sync,
    Sending: Future<Output = Result<Response<Vec<u8>>, Failure>> + Send + 'static,
    T: Fn(Duration) -> Sleeping + Send + Sync,
    Sleeping: Future<Output = ()> + Send + 'static,
{
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, Failure>> {
        Box::pin((self.0)(request, bounds))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin((self.1)(duration))
    }
}
