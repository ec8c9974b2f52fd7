//! A renewal in a thread of its own, which lives no longer than the renewal.
//!
//! Owns that thread. A flight belongs to the client, and continues if the caller who started it
//! stops waiting. The session decides what to do.

use std::io;
use std::sync::{Arc, PoisonError};

use imts_core::TransportError;
use imts_core::transport_error::NotSent;

use super::flight::Flight;
use crate::client::common::{Common, Next, Work};
use crate::sync::{Mutex, thread};
use crate::token_error::TokenError;
use crate::transport::{Transport, send};

/// What all clones of a client share.
pub(super) struct Shared {
    pub(super) common: Common<Flight>,
    pub(super) transport: Arc<dyn Transport>,
    /// The thread of the last flight.
    last: Mutex<Option<thread::JoinHandle<()>>>,
    /// The thread that keeps the client alive.
    pub(super) keeper: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Shared {
    pub(super) fn new(common: Common<Flight>, transport: Arc<dyn Transport>) -> Self {
        Self { common, transport, last: Mutex::new(None), keeper: Mutex::new(None) }
    }

    /// Runs a flight on a thread of its own.
    pub(super) fn start(self: &Arc<Self>, flight: &Flight, work: Box<Work>) {
        let hand = Arc::new(Mutex::new(Some(work)));
        let (shared, marked, handed) = (Arc::clone(self), flight.clone(), Arc::clone(&hand));
        let spawned = thread::Builder::new().name("imts-renewal".to_owned()).spawn(move || {
            if let Some(work) = take(&handed) {
                let outcome = marked.on_this_thread(|| shared.run(work));
                shared.end(&marked, outcome);
            }
        });
        match spawned {
            Ok(thread) => *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread),
            Err(error) => {
                if let Some(work) = take(&hand) {
                    let outcome = flight.on_this_thread(|| self.fail_unsent(work, error));
                    self.end(flight, outcome);
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

    pub(super) fn run(&self, mut work: Box<Work>) -> Result<(), TokenError> {
        loop {
            let next = match *work {
                Work::Send(ticket, request, bounds, _) => {
                    self.common.on_reply(ticket, send(&*self.transport, request, bounds))
                }
                Work::Save(ticket, saved) => self.common.save(ticket, &saved),
                Work::Read(reading, _) => self.common.read_here(reading),
            };
            match next {
                Next::Work(more) => work = more,
                Next::Ended(outcome) => return outcome,
            }
        }
    }

    /// Ends a flight for which the machine has no thread: nothing was sent.
    fn fail_unsent(&self, work: Box<Work>, error: io::Error) -> Result<(), TokenError> {
        match *work {
            Work::Send(ticket, ..) => {
                let failure = TransportError::not_sent(NotSent::vouch()).because(error);
                match self.common.on_reply(ticket, Err(failure)) {
                    Next::Work(more) => self.run(more),
                    Next::Ended(outcome) => outcome,
                }
            }
            here @ (Work::Save(..) | Work::Read(..)) => self.run(Box::new(here)),
        }
    }

    pub(super) fn end(&self, flight: &Flight, outcome: Result<(), TokenError>) {
        self.common.lock().flight.take_if(|current| current.is(flight));
        flight.end(outcome);
    }
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
