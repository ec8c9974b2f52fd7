//! The last thing that a request passes before the HTTP client: where an interrupt stops it.
//!
//! Owns what is known of a call's request: whether it was handed to the HTTP client, whether it is
//! still there, whether a byte of it may have left. Knows nothing of signals.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, Response};
use imts::{
    AsyncTransport, Body, Bounds, BoxFuture, Clock, Failure, NotSent, SystemClock, Transport, Wall,
};

/// A gate that is open until it is closed. Clones are one gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_closed: bool,
    /// Whether the HTTP client has a call's request in hand.
    is_on_its_way: bool,
    /// When a call's request was handed over of which a byte may have left.
    may_have_left: Option<Wall>,
}

impl Gate {
    /// The same transport behind this gate. A call is known by its token: no other request has one.
    pub(crate) fn wrap<T>(&self, transport: T) -> Gated<T> {
        Gated { gate: self.clone(), transport }
    }

    /// Lets nothing pass from now on. Says whether a call's request is on its way.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state();
        state.is_closed = true;
        state.is_on_its_way
    }

    /// When a call's request was handed over of which a byte may have left.
    pub(crate) fn may_have_left(&self) -> Option<Wall> {
        self.state().may_have_left
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, request: &Request<Body>) -> Result<Passage, Failure> {
        let mut state = self.state();
        if state.is_closed {
            return Err(Failure::not_sent(NotSent::vouch()).because(Interrupted));
        }
        let call = request.headers().contains_key(AUTHORIZATION).then(|| self.clone());
        if call.is_some() {
            state.is_on_its_way = true;
            state.may_have_left.get_or_insert_with(|| SystemClock.now().wall);
        }
        Ok(Passage(call))
    }
}

/// A request in the HTTP client's hands. If it is given up there, it may have left.
struct Passage(Option<Gate>);

impl Passage {
    fn end(self, outcome: &Result<Response<Vec<u8>>, Failure>) {
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
            gate.state().is_on_its_way = false;
        }
    }
}

/// A transport behind a gate.
pub(crate) struct Gated<T> {
    gate: Gate,
    transport: T,
}

impl<T: Transport> Transport for Gated<T> {
    fn send(&self, request: Request<Body>, bounds: Bounds) -> Result<Response<Vec<u8>>, Failure> {
        let passage = self.gate.pass(&request)?;
        let outcome = self.transport.send(request, bounds);
        passage.end(&outcome);
        outcome
    }
}

impl<T: AsyncTransport> AsyncTransport for Gated<T> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, Failure>> {
        Box::pin(async move {
            let passage = self.gate.pass(&request)?;
            let outcome = self.transport.send(request, bounds).await;
            passage.end(&outcome);
            outcome
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.transport.sleep(duration)
    }
}

/// Why a request was not sent that came to a closed gate.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the command was interrupted")
    }
}

impl std::error::Error for Interrupted {}
