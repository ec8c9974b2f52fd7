//! One session shared by everyone who holds a client: the lock, the clock, the hook.
//!
//! Owns the translation between the session's steps and what a driver does. Knows nothing of
//! threads or futures: both clients drive a flight by [`Hub::ask`], then [`Hub::on_reply`] or
//! [`Hub::save`] until there is nothing left to do.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use imts_core::{
    Bearer, Body, Failure, Now, Reply, SaveTicket, Saved, Session, Source, Step, Ticket, Trouble,
};
use zeroize::Zeroize;

use crate::clock::Clock;
use crate::error::CallError;
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
    pub(crate) closed: bool,
    /// Why the last save failed.
    save_failure: Option<Source>,
}

/// What an asker is told.
pub(crate) enum Ask {
    /// A token that is valid now.
    Ready(Bearer),
    /// The asker is to start a flight with this; the token, where there is one, serves meanwhile.
    Fly(Work, Option<Bearer>),
    /// A flight is under way.
    Join,
}

/// One thing for a flight to do.
pub(crate) enum Work {
    Send(Ticket, Request<Body>, Bounds),
    Save(SaveTicket, Saved),
}

/// What is left of a flight.
pub(crate) enum Next {
    Work(Work),
    Landed(Result<(), CallError>),
}

impl<F> Hub<F> {
    pub(crate) fn new(
        session: Session,
        clock: Arc<dyn Clock>,
        on_grant: Option<OnGrant>,
        headers: HeaderMap,
    ) -> Self {
        let state = State { session, flight: None, closed: false, save_failure: None };
        Self { state: Mutex::new(state), clock, on_grant, headers }
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    /// The shared state. A holder that panicked left it consistent: every change is one call.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn save_failure(&self) -> Option<Source> {
        self.lock().save_failure.clone()
    }

    /// Asks for a token with `at_least` left.
    pub(crate) fn ask(&self, state: &mut State<F>, at_least: Duration) -> Result<Ask, CallError> {
        if state.closed {
            return Err(CallError::Closed);
        }
        let now = self.now();
        match state.session.poll_for(now, at_least) {
            Step::Ready(bearer) => {
                let remaining = bearer.remaining(now);
                if remaining < at_least {
                    return Err(CallError::ShortLived { remaining });
                }
                Ok(Ask::Ready(bearer))
            }
            Step::Busy { .. } => Ok(Ask::Join),
            Step::Wait { until, last } => {
                Err(CallError::Waiting { wait: until.since(now.mono), last })
            }
            Step::SignIn { last } => Err(CallError::SignIn { last }),
            Step::Send(ticket, exchange) => {
                let bounds = Bounds::from(&exchange);
                let work = Work::Send(ticket, self.dress(exchange.into_request()), bounds);
                Ok(Ask::Fly(work, meanwhile(&state.session, now, at_least)))
            }
            Step::Save(ticket, saved) => {
                let work = Work::Save(ticket, saved);
                Ok(Ask::Fly(work, meanwhile(&state.session, now, at_least)))
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
        self.next(&mut state, Ok(()))
    }

    fn next(&self, state: &mut State<F>, outcome: Result<(), Arc<Trouble>>) -> Next {
        match self.ask(state, Duration::ZERO) {
            Ok(Ask::Fly(work, _)) => Next::Work(work),
            Ok(Ask::Ready(_) | Ask::Join) => Next::Landed(outcome.map_err(CallError::Renewal)),
            Err(CallError::Waiting { last, .. }) => Next::Landed(Err(CallError::Renewal(last))),
            Err(error) => Next::Landed(Err(error)),
        }
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
