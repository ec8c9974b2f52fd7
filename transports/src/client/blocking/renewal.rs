//! A renewal in a thread of its own, which lives no longer than the renewal.
//!
//! Owns that thread. A flight belongs to the client, and continues if the caller who started it
//! stops waiting. The session decides what to do.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use http::{Request, Response};
use imts_core::{Body, NotSent, TransportError};

use super::flight::Flight;
use crate::client::common::{Hub, Next, TransportPanicked, Work};
use crate::error::TokenError;
use crate::sync::{Mutex, thread};
use crate::transport::{Bounds, Transport};

/// What all clones of a client share.
pub(super) struct Shared {
    pub(super) hub: Hub<Flight>,
    transport: Arc<dyn Transport>,
    /// The thread of the last flight.
    last: Mutex<Option<thread::JoinHandle<()>>>,
    /// The thread that keeps the client alive.
    pub(super) keeper: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Shared {
    pub(super) fn new(hub: Hub<Flight>, transport: Arc<dyn Transport>) -> Self {
        Self { hub, transport, last: Mutex::new(None), keeper: Mutex::new(None) }
    }

    /// Runs a flight on a thread of its own.
    pub(super) fn start(self: &Arc<Self>, flight: &Flight, work: Box<Work>) {
        let hand = Arc::new(Mutex::new(Some(work)));
        let (shared, aboard, handed) = (Arc::clone(self), flight.clone(), Arc::clone(&hand));
        let spawned = thread::Builder::new().name("imts-renewal".to_owned()).spawn(move || {
            if let Some(work) = take(&handed) {
                let outcome = aboard.on_this_thread(|| shared.fly(work));
                shared.land(&aboard, outcome);
            }
        });
        match spawned {
            Ok(thread) => *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread),
            Err(error) => {
                if let Some(work) = take(&hand) {
                    let outcome = flight.on_this_thread(|| self.ground(work, error));
                    self.land(flight, outcome);
                }
            }
        }
    }

    /// Waits for the end of the client's threads, which have nothing left to do.
    pub(super) fn join(&self) {
        for thread in [take(&self.last), take(&self.keeper)].into_iter().flatten() {
            if thread.thread().id() != thread::current().id() {
                // The thread has reported its outcome, so how it ends does not matter.
                let _ended = thread.join();
            }
        }
    }

    /// Sends a request. If the transport panics, the request has failed with unknown outcome.
    pub(super) fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        catch_unwind(AssertUnwindSafe(|| self.transport.send(request, bounds)))
            .unwrap_or_else(|_| Err(TransportError::unknown().because(TransportPanicked)))
    }

    pub(super) fn fly(&self, mut work: Box<Work>) -> Result<(), TokenError> {
        loop {
            let next = match *work {
                Work::Send(ticket, request, bounds, _) => {
                    self.hub.on_reply(ticket, self.send(request, bounds))
                }
                Work::Save(ticket, saved) => self.hub.save(ticket, &saved),
            };
            match next {
                Next::Work(more) => work = more,
                Next::Landed(outcome) => return outcome,
            }
        }
    }

    /// Ends a flight for which the machine has no thread: nothing was sent.
    fn ground(&self, work: Box<Work>, error: io::Error) -> Result<(), TokenError> {
        match *work {
            Work::Send(ticket, ..) => {
                let failure = TransportError::not_sent(NotSent::vouch()).because(error);
                match self.hub.on_reply(ticket, Err(failure)) {
                    Next::Work(more) => self.fly(more),
                    Next::Landed(outcome) => outcome,
                }
            }
            save @ Work::Save(..) => self.fly(Box::new(save)),
        }
    }

    pub(super) fn land(&self, flight: &Flight, outcome: Result<(), TokenError>) {
        self.hub.lock().flight.take_if(|current| current.is(flight));
        flight.land(outcome);
    }
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
