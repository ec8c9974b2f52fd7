//! A renewal in a thread of its own, which lives no longer than the renewal.
//!
//! Owns that thread. A flight belongs to the client, and continues if the caller who started it
//! stops waiting. The session decides what to do.

use std::io;
use std::sync::{Arc, PoisonError};

use imts_core::TransportError;
use imts_core::swap::Swap;
use imts_core::transport_error::NotSent;

use super::flight::Flight;
use crate::client::common::{Answer, Begun, Common, Next, Work};
use crate::store::StoreError;
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
                shared.fly(marked, work);
            }
        });
        match spawned {
            Ok(thread) => *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread),
            Err(error) => {
                if let Some(work) = take(&hand) {
                    let landed = flight.on_this_thread(|| self.fail_unsent(flight, work, error));
                    self.land(flight.clone(), landed);
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

    /// Runs a flight on this thread, and what it has to report to siblings after that.
    pub(super) fn fly(&self, flight: Flight, work: Box<Work>) {
        let landed = flight.on_this_thread(|| self.run(&flight, work));
        self.land(flight, landed);
    }

    /// Ends a flight. Its rest continues as another flight, for which no caller waits.
    fn land(&self, mut flight: Flight, mut landed: Landed) {
        while let Some(work) = landed.rest {
            let rest = Flight::default();
            self.follow(&flight, landed.outcome, &rest);
            landed = rest.on_this_thread(|| self.run(&rest, work));
            flight = rest;
        }
        self.end(&flight, landed.outcome);
    }

    fn run(&self, flight: &Flight, mut work: Box<Work>) -> Landed {
        loop {
            let next = match *work {
                Work::Send(ticket, request, bounds, _) => {
                    self.common.on_reply(ticket, send(&*self.transport, request, bounds))
                }
                Work::Save(ticket, saved) => self.common.save(ticket, &saved),
                Work::Read(reading, _) => self.common.read_here(reading),
                Work::Swap(ticket, swap) => {
                    let answer = self.swap(flight, &swap);
                    self.common.on_swapped(ticket, &swap, &answer)
                }
                Work::Rest(seen, wait) => {
                    self.common.changes().wait(seen, wait);
                    self.common.rested()
                }
            };
            match next {
                Next::Work(more) => work = more,
                Next::Landed(outcome, rest) => return Landed { outcome, rest: Some(rest) },
                Next::Ended(outcome) => return Landed { outcome, rest: None },
            }
        }
    }

    /// Asks the store, and waits for its answer no longer than the swap says.
    fn swap(&self, flight: &Flight, swap: &Arc<Swap>) -> Answer {
        let marked = flight.clone();
        match self.common.begin_swap(swap, move |work| marked.on_this_thread(work)) {
            Some(Begun::OnThread(swapping)) => swapping.wait(swap.within()),
            // The builder of a blocking client accepts no other store.
            Some(Begun::ToAwait(_)) | None => Err(StoreError::TimedOut),
        }
    }

    /// Ends a flight for which the machine has no thread: nothing was sent.
    fn fail_unsent(&self, flight: &Flight, work: Box<Work>, error: io::Error) -> Landed {
        match *work {
            Work::Send(ticket, ..) => {
                let failure = TransportError::not_sent(NotSent::vouch()).because(error);
                match self.common.on_reply(ticket, Err(failure)) {
                    Next::Work(more) => self.run(flight, more),
                    Next::Landed(outcome, rest) => Landed { outcome, rest: Some(rest) },
                    Next::Ended(outcome) => Landed { outcome, rest: None },
                }
            }
            here => self.run(flight, Box::new(here)),
        }
    }

    /// Lets another flight take the place of this one, which ends.
    fn follow(&self, flight: &Flight, outcome: Result<(), TokenError>, rest: &Flight) {
        if let Some(current) = self.common.lock().flight.as_mut().filter(|it| it.is(flight)) {
            *current = rest.clone();
        }
        flight.end(outcome);
    }

    pub(super) fn end(&self, flight: &Flight, outcome: Result<(), TokenError>) {
        self.common.lock().flight.take_if(|current| current.is(flight));
        flight.end(outcome);
    }
}

/// What became of a flight.
struct Landed {
    outcome: Result<(), TokenError>,
    /// What is left to report to siblings.
    rest: Option<Box<Work>>,
}

fn take<T>(place: &Mutex<Option<T>>) -> Option<T> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}
