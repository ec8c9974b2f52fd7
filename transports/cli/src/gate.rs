//! The last thing that a request passes before the HTTP client: where an interrupt stops it.
//!
//! Owns what is known of a call's request: whether it was handed to the HTTP client, whether it is
//! still there, whether a byte of it may have left. Knows nothing of signals.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, Response};
use imts::{
    AsyncTransport, Body, Bounds, BoxFuture, Clock, Failure, NotSent, Progress, SystemClock,
    Transport, Wall,
};

/// A gate that is open until it is closed. Clones are one gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_closed: bool,
    /// How far the call's request has come that the HTTP client has in hand.
    on_its_way: Option<Progress>,
    /// When a call's request was handed over of which a byte may have left.
    may_have_left: Option<Wall>,
    /// The task that has a request in hand.
    waker: Option<Waker>,
}

impl Gate {
    /// The same transport behind this gate. A call is known by its token: no other request has one.
    pub(crate) fn wrap<T>(&self, transport: T) -> Gated<T> {
        Gated { gate: self.clone(), transport }
    }

    /// Lets nothing pass from now on, and takes back what has not left yet. Says whether a call's request
    /// is on its way.
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

    /// When a call's request was handed over of which a byte may have left.
    pub(crate) fn may_have_left(&self) -> Option<Wall> {
        self.state().may_have_left
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the gate is closed. Otherwise the task is woken once it is.
    fn is_closed(&self, waker: &Waker) -> bool {
        let mut state = self.state();
        if !state.is_closed {
            state.waker = Some(waker.clone());
        }
        state.is_closed
    }

    fn pass(&self, request: &Request<Body>, progress: &Progress) -> Result<Passage, Failure> {
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
    fn send(&self, request: Request<Body>, bounds: Bounds) -> Result<Response<Vec<u8>>, Failure> {
        let passage = self.gate.pass(&request, &Progress::default())?;
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
        self.send_told(request, bounds, Progress::default())
    }

    fn send_told(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, Failure>> {
        Box::pin(async move {
            let passage = self.gate.pass(&request, &progress)?;
            let mut sending = self.transport.send_told(request, bounds, progress.clone());
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

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.transport.sleep(duration)
    }
}

fn interrupted() -> Failure {
    Failure::not_sent(NotSent::vouch()).because(Interrupted)
}

/// Why a request was not sent that came to a closed gate, or that a closing gate took back.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the command was interrupted")
    }
}

impl std::error::Error for Interrupted {}
