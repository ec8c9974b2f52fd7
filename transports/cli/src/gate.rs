//! The last thing that a request passes before the HTTP client. An interrupt stops requests here.
//!
//! Owns what is known of a call's request: whether the HTTP client received it, whether it is still
//! there, whether a byte may have been sent. Does not know signals.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, Response};
use imts::clock::{Clock, SystemClock};
use imts::endpoint::PlainHost;
use imts::secret::Body;
use imts::time::Wall;
use imts::transport::{Bounds, BoxFuture, Progress};
use imts::transport_error::NotSent;
use imts::{AsyncTransport, Transport, TransportError};

/// A gate that is open until it is closed. Clones are the same gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_closed: bool,
    /// The progress of the call's request that the HTTP client has now.
    on_its_way: Option<Progress>,
    /// When a call's request was passed to the HTTP client, if a byte of it may have been sent.
    may_have_left: Option<Wall>,
    /// The task whose request the HTTP client has now.
    waker: Option<Waker>,
}

impl Gate {
    /// Wraps a transport with this gate. A call is recognised by its token: no other request has
    /// one.
    pub(crate) fn wrap<T>(&self, transport: T) -> Gated<T> {
        Gated { gate: self.clone(), transport }
    }

    /// Stops all further requests, and withdraws what was not sent yet. Returns whether a call's
    /// request is still on its way.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state();
        state.is_closed = true;
        if state.on_its_way.take_if(|progress| progress.withdraw()).is_some() {
            state.may_have_left = None;
        }
        let (is_on_its_way, waker) = (state.on_its_way.is_some(), state.waker.take());
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        is_on_its_way
    }

    /// Returns when a call's request was passed on, if a byte of it may have been sent.
    pub(crate) fn may_have_left(&self) -> Option<Wall> {
        self.state().may_have_left
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the gate is closed. If not, the task is woken when it closes.
    fn is_closed(&self, waker: &Waker) -> bool {
        let mut state = self.state();
        if !state.is_closed {
            state.waker = Some(waker.clone());
        }
        state.is_closed
    }

    fn pass(
        &self,
        request: &Request<Body>,
        progress: &Progress,
    ) -> Result<Passage, TransportError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(interrupted());
        }
        let call = request.headers().contains_key(AUTHORIZATION).then(|| self.clone());
        if call.is_some() {
            state.on_its_way = Some(progress.clone());
            state.may_have_left.get_or_insert_with(|| SystemClock.now().wall);
        }
        Ok(Passage(call))
    }
}

/// A request that the HTTP client has. If it is dropped there, it may have been sent.
struct Passage(Option<Gate>);

impl Passage {
    fn end(self, outcome: &Result<Response<Vec<u8>>, TransportError>) {
        if let (Some(gate), Err(failure)) = (&self.0, outcome)
            && failure.is_not_sent()
        {
            gate.state().may_have_left = None;
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.state().on_its_way = None;
        }
    }
}

/// A transport behind a gate.
pub(crate) struct Gated<T> {
    gate: Gate,
    transport: T,
}

impl<T: Transport> Transport for Gated<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let passage = self.gate.pass(&request, &Progress::default())?;
        let outcome = self.transport.send(request, bounds);
        passage.end(&outcome);
        outcome
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        self.transport.checks_plain_host(host)
    }
}

impl<T: AsyncTransport> AsyncTransport for Gated<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        self.send_reporting(request, bounds, Progress::default())
    }

    fn send_reporting(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        Box::pin(async move {
            let passage = self.gate.pass(&request, &progress)?;
            let mut sending = self.transport.send_reporting(request, bounds, progress.clone());
            let outcome = poll_fn(|cx| {
                if self.gate.is_closed(cx.waker()) && progress.withdraw() {
                    return Poll::Ready(Err(interrupted()));
                }
                sending.as_mut().poll(cx)
            })
            .await;
            passage.end(&outcome);
            outcome
        })
    }

    fn keeps_time(&self) -> bool {
        self.transport.keeps_time()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.transport.sleep(duration)
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        self.transport.checks_plain_host(host)
    }
}

fn interrupted() -> TransportError {
    TransportError::not_sent(NotSent::vouch()).because(Interrupted)
}

/// The error of a request that met a closed gate, or that a closing gate withdrew. It was not sent.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the command was interrupted")
    }
}

impl std::error::Error for Interrupted {}
