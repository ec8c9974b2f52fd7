//! One session shared by everyone who holds a client: the lock, the clock, the hook.
//!
//! Owns the translation between the session's steps and what a driver does. Knows nothing of
//! threads or futures: both clients drive a flight by [`Hub::ask`], then [`Hub::on_reply`] or
//! [`Hub::save`] until there is nothing left to do.

use std::error::Error;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use imts_core::{
    Bearer, Body, Credentials, Epoch, Failure, Keep, Now, Phase, Reply, SaveTicket, Saved, Session,
    Source, Step, Ticket, Trouble,
};
use zeroize::Zeroize;

use crate::clock::Clock;
use crate::error::CallError;
use crate::trace::{Journal, Notes};
use crate::transport::Bounds;

/// Whatever a hook failed with.
pub type HookError = Box<dyn Error + Send + Sync>;

/// Receives each state that must outlive the process, before it is acted on.
pub(crate) type OnGrant = Box<dyn Fn(&Saved) -> Result<(), HookError> + Send + Sync>;

/// `F` is what a kind of client keeps of a flight, for those who join it.
pub(crate) struct Hub<F> {
    state: Mutex<State<F>>,
    clock: Arc<dyn Clock>,
    on_grant: Option<OnGrant>,
    /// Added to each request, unless it has them.
    headers: HeaderMap,
}

pub(crate) struct State<F> {
    pub(crate) session: Session,
    pub(crate) flight: Option<F>,
    door: Door,
    /// Why the last save failed.
    save_failure: Option<Source>,
    journal: Journal,
}

/// Holds the state. What was noted meanwhile is told once it is let go.
pub(crate) struct Held<'a, F> {
    state: MutexGuard<'a, State<F>>,
    /// Dropped after the guard.
    notes: Notes,
}

/// Whether a client still takes asks, and a flight of its own still goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Open,
    /// No more asks; a flight under way is brought to its end.
    Closing,
    /// Nothing more is done.
    Closed,
}

impl<F> Deref for Held<'_, F> {
    type Target = State<F>;

    fn deref(&self) -> &State<F> {
        &self.state
    }
}

impl<F> DerefMut for Held<'_, F> {
    fn deref_mut(&mut self) -> &mut State<F> {
        &mut self.state
    }
}

impl<F> Drop for Held<'_, F> {
    fn drop(&mut self) {
        self.notes = self.state.journal.take();
    }
}

/// What an asker is told.
pub(crate) enum Ask {
    /// A token that is valid now.
    Ready(Bearer),
    /// The asker is to start a flight with this; the token, where there is one, serves meanwhile.
    Fly(Box<Work>, Option<Bearer>),
    /// A flight is under way, which the session counts as lost after this time.
    Join(Duration),
}

/// One thing for a flight to do.
pub(crate) enum Work {
    Send(Ticket, Request<Body>, Bounds),
    Save(SaveTicket, Saved),
}

impl Work {
    /// How long it may take, as far as that is known beforehand.
    pub(crate) fn time_limit(&self) -> Duration {
        match self {
            Self::Send(_, _, bounds) => bounds.time_limit,
            Self::Save(..) => Duration::ZERO,
        }
    }
}

/// What is left of a flight.
pub(crate) enum Next {
    Work(Box<Work>),
    Landed(Result<(), CallError>),
}

impl<F> Hub<F> {
    pub(crate) fn new(
        session: Session,
        clock: Arc<dyn Clock>,
        on_grant: Option<OnGrant>,
        headers: HeaderMap,
    ) -> Self {
        let state = Mutex::new(State {
            session,
            flight: None,
            door: Door::Open,
            save_failure: None,
            journal: Journal::default(),
        });
        Self { state, clock, on_grant, headers }
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// The shared state. A holder that panicked left it consistent: every change is one call.
    pub(crate) fn lock(&self) -> Held<'_, F> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Held { state, notes: Notes::default() }
    }

    pub(crate) fn reject(&self, epoch: Epoch) {
        let (mut held, now) = (self.lock(), self.now());
        let State { session, journal, .. } = &mut *held;
        journal.rejected(session, epoch, now);
        session.reject(epoch, now);
    }

    pub(crate) fn sign_in(&self, credentials: Credentials, keep: Keep) {
        self.lock().session.sign_in(credentials, keep, self.now());
    }

    pub(crate) fn sign_out(&self) {
        self.lock().session.sign_out();
    }

    pub(crate) fn phase<R>(&self, read: impl FnOnce(Phase<'_>) -> R) -> R {
        read(self.lock().session.phase(self.now()))
    }

    pub(crate) fn saved(&self) -> Option<Saved> {
        self.lock().session.saved(self.now())
    }

    pub(crate) fn save_failure(&self) -> Option<Source> {
        self.lock().save_failure.clone()
    }

    /// Asks for a token with `at_least` left.
    pub(crate) fn ask(&self, state: &mut State<F>, at_least: Duration) -> Result<Ask, CallError> {
        match state.door {
            Door::Open => {
                let asked = self.step(state, at_least);
                if let Ok(Ask::Fly(work, _)) = &asked {
                    state.journal.started(&state.session, work, at_least, self.now());
                }
                asked
            }
            Door::Closing | Door::Closed => Err(CallError::Closed),
        }
    }

    /// Takes no more asks. Returns the flight under way, which goes on.
    pub(crate) fn close(&self) -> Option<F>
    where
        F: Clone,
    {
        let mut state = self.lock();
        if state.door == Door::Open {
            state.door = Door::Closing;
        }
        state.flight.clone()
    }

    /// Does nothing more. Returns the flight that is still under way, and what to persist.
    pub(crate) fn abandon(&self) -> (Option<F>, Option<Saved>) {
        let mut state = self.lock();
        state.door = Door::Closed;
        (state.flight.take(), state.session.saved(self.now()))
    }

    fn step(&self, state: &mut State<F>, at_least: Duration) -> Result<Ask, CallError> {
        let now = self.now();
        match state.session.poll_for(now, at_least) {
            Step::Ready(bearer) => {
                let remaining = bearer.remaining(now);
                if remaining < at_least {
                    return Err(CallError::ShortLived { remaining });
                }
                Ok(Ask::Ready(bearer))
            }
            Step::Busy { until } => Ok(Ask::Join(until.since(now.mono))),
            Step::Wait { until, last } => {
                Err(CallError::Waiting { wait: until.since(now.mono), last })
            }
            Step::SignIn { last } => Err(CallError::SignIn { last }),
            Step::Send(ticket, exchange) => {
                let bounds = Bounds::from(&exchange);
                let work = Work::Send(ticket, self.dress(exchange.into_request()), bounds);
                Ok(Ask::Fly(Box::new(work), meanwhile(&state.session, now, at_least)))
            }
            Step::Save(ticket, saved) => {
                let work = Work::Save(ticket, saved);
                Ok(Ask::Fly(Box::new(work), meanwhile(&state.session, now, at_least)))
            }
        }
    }

    /// Reports what came of a request, and goes on.
    pub(crate) fn on_reply(
        &self,
        ticket: Ticket,
        outcome: Result<Response<Vec<u8>>, Failure>,
    ) -> Next {
        let mut state = self.lock();
        let now = self.now();
        let outcome = match outcome {
            Ok(mut response) => {
                let outcome = state.session.on_reply(ticket, Reply::from(&response), now);
                response.body_mut().zeroize();
                outcome
            }
            Err(failure) => Err(state.session.on_failure(ticket, failure, now)),
        };
        if outcome.is_ok() && self.on_grant.is_none() {
            return self.landed(&mut state, Ok(()));
        }
        self.next(&mut state, outcome)
    }

    /// Hands a state to the hook, outside the lock, and goes on whatever came of it.
    pub(crate) fn save(&self, ticket: SaveTicket, saved: &Saved) -> Next {
        let outcome = match &self.on_grant {
            Some(hook) => catch_unwind(AssertUnwindSafe(|| hook(saved)))
                .unwrap_or_else(|_| Err(HookPanicked.into())),
            None => Ok(()),
        };
        let mut state = self.lock();
        state.save_failure = outcome.err().map(Source::from);
        state.session.on_saved(ticket, self.now());
        if saved.is_in_doubt() {
            return self.next(&mut state, Ok(()));
        }
        self.landed(&mut state, Ok(()))
    }

    /// Goes on where the renewal is not over: a save, or a sign-in after a refresh of no use. It is
    /// over with its grant, even one that is due for renewal from the start: that is for the next
    /// ask to begin, or a service slower than its tokens would be asked for ever.
    fn next(&self, state: &mut State<F>, outcome: Result<(), Arc<Trouble>>) -> Next {
        if state.door == Door::Closed {
            return Next::Landed(Err(CallError::Closed));
        }
        let outcome = match self.step(state, Duration::ZERO) {
            Ok(Ask::Fly(work, _)) => {
                state.journal.went_on(&work);
                return Next::Work(work);
            }
            Ok(Ask::Ready(_) | Ask::Join(_)) => outcome.map_err(CallError::Renewal),
            Err(CallError::Waiting { wait, last }) => {
                state.journal.backed_off(wait);
                Err(CallError::Renewal(last))
            }
            Err(error) => Err(error),
        };
        self.landed(state, outcome)
    }

    fn landed(&self, state: &mut State<F>, outcome: Result<(), CallError>) -> Next {
        state.journal.ended(&state.session, &outcome, self.now());
        Next::Landed(outcome)
    }

    fn dress(&self, mut request: Request<Body>) -> Request<Body> {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        request
    }
}

/// The old token, for an asker who starts its renewal.
fn meanwhile(session: &Session, now: Now, at_least: Duration) -> Option<Bearer> {
    let usable = session.phase(now).usable()?;
    Some(usable.bearer().clone()).filter(|_| usable.remaining() >= at_least)
}

#[derive(Debug, thiserror::Error)]
#[error("the on_grant hook panicked")]
struct HookPanicked;

/// Why an exchange failed whose transport panicked.
#[derive(Debug, thiserror::Error)]
#[error("the transport panicked")]
pub(crate) struct TransportPanicked;
