//! One session that all clones of a client share, with its lock, clock, hook and published token.
//!
//! Owns the translation between the session's steps and what a driver does. Does not know about
//! threads or futures: both clients drive a flight with [`Common::ask`], then with
//! [`Common::on_reply`] or [`Common::save`] until nothing is left to do.

mod call_journal;
mod calls;
mod credentials;
mod driver;
mod keep_alive;
mod locked;
mod panicked;
mod reading;
mod reconciling;
mod reporting;
mod shared_store;
mod sharing;
mod signing;
mod swapping;
mod undriven;
mod waiting;
mod work;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use imts_core::secret::TokenId;
use imts_core::transport_error::Source;
use imts_core::{Credentials, Endpoint, Epoch, Keep, Now, Phase, Saved, Session, Step};

pub(crate) use self::call_journal::CallJournal;
pub(crate) use self::calls::{NoBearer, ON_THE_WAY, is_valid_at};
pub(crate) use self::credentials::{Callback, Read};
pub(crate) use self::driver::Driver;
pub(crate) use self::keep_alive::NextCheck;
use self::locked::Lifecycle;
pub(crate) use self::locked::{Driven, Locked, State};
pub(crate) use self::panicked::{CallbackPanicked, CallbackTimedOut};
pub(crate) use self::reconciling::{Found, reconcile};
pub use self::sharing::StoreCounts;
pub(crate) use self::sharing::StoreEvent;
pub(crate) use self::signing::Signer;
pub(crate) use self::swapping::{Answer, Begun, Declared, SharedStore, StorePanicked};
pub(crate) use self::waiting::{RetryBudget, token_waiting};
pub(crate) use self::work::{Next, Work};
use crate::client::bearer::{BearerGuard, PublishedToken};
use crate::client::changes::Changes;
use crate::clock::{self, Clock};
use crate::sync::Mutex;
use crate::token_error::TokenError;
use crate::transport::{Bounds, Progress};

/// Any error that a hook or a callback returns.
pub type HookError = Box<dyn Error + Send + Sync>;

/// Receives each state that must outlive the process, before the client acts on it.
pub(crate) type OnGrant = Box<dyn Fn(&Saved) -> Result<(), HookError> + Send + Sync>;

/// What keeps the session's state outside the process.
pub(crate) enum Kept {
    Nowhere,
    /// The caller's hook.
    ByHook(OnGrant),
    /// A store that other processes use too.
    InStore(SharedStore),
}

/// The part of a client that both kinds have in common. A flight is one renewal under way; `F` is
/// what a kind of client keeps of it, for the callers that join it.
pub(crate) struct Common<F> {
    state: Mutex<State<F>>,
    /// The token that answers most asks. The holder of the state publishes it before releasing the
    /// lock.
    pub(crate) token: PublishedToken,
    driven: Driven,
    clock: clock::Source,
    /// Rings when an ask may return something else than before.
    changes: Arc<Changes>,
    /// Reports a change when a virtual clock is set, as long as the client exists.
    _clock_was_set: Arc<dyn Fn() + Send + Sync>,
    kept: Kept,
    credentials: Option<Callback>,
    /// Records calls.
    journal: CallJournal,
    /// Signs calls that need no session.
    signer: Option<Signer>,
    /// The service that the tokens belong to.
    endpoint: Endpoint,
    /// How often one call is sent at most.
    call_attempts: u32,
    /// How long one exchange, or one reading of the credentials, may take.
    time_limit: Duration,
    /// Headers to add to each request, unless the request has them.
    headers: HeaderMap,
}

/// The answer to an ask.
pub(crate) enum Ask {
    /// A token that is valid now.
    Ready(BearerGuard),
    /// The caller must start a flight with this work. If there is a token, it can be used
    /// meanwhile.
    Start(Box<Work>, Option<BearerGuard>),
    /// A flight is under way. The session counts it as lost after this time.
    Join(Duration),
    /// A sibling process renews. The session must be asked again after this time.
    Rest(Duration),
}

impl<F> Common<F> {
    pub(crate) fn new(
        session: Session,
        clock: clock::Source,
        kept: Kept,
        credentials: Option<Callback>,
        journal: CallJournal,
        headers: HeaderMap,
        driven: Driven,
    ) -> Self {
        let changes = Arc::new(Changes::new());
        let weak = Arc::downgrade(&changes);
        let clock_was_set: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
            if let Some(changes) = weak.upgrade() {
                changes.notify();
            }
        });
        clock.on_set(Arc::downgrade(&clock_was_set));
        let common = Self {
            endpoint: session.endpoint().clone(),
            call_attempts: session.policy().call_attempts,
            time_limit: session.policy().time_limit,
            state: Mutex::new(State::new(session)),
            token: PublishedToken::nothing(clock.clone()),
            driven,
            clock,
            changes,
            _clock_was_set: clock_was_set,
            kept,
            credentials,
            journal,
            signer: None,
            headers,
        };
        // A session that was restored has a token to publish.
        drop(common.lock());
        common
    }

    /// Sets what signs calls that need no session.
    pub(crate) fn with_signer(self, signer: Option<Signer>) -> Self {
        Self { signer, ..self }
    }

    /// Handles an ask that no cached token can answer: returns the locked session, to
    /// [ask](Common::ask). If another caller holds the session, a usable old token is still served
    /// while its renewal is due.
    #[cold]
    pub(crate) fn cached_or_lock(&self, at_least: Duration) -> Result<BearerGuard, Locked<'_, F>> {
        if let Some(locked) = self.try_lock() {
            return Err(locked);
        }
        self.token.usable(at_least).ok_or_else(|| self.lock())
    }

    /// Returns the token, if it has this much life left.
    pub(crate) fn lasting(
        &self,
        bearer: BearerGuard,
        at_least: Duration,
    ) -> Result<BearerGuard, TokenError> {
        if at_least.is_zero() {
            return Ok(bearer);
        }
        let remaining = bearer.remaining(self.clock.now());
        if remaining < at_least { Err(TokenError::ShortLived { remaining }) } else { Ok(bearer) }
    }

    pub(crate) fn reject(&self, epoch: Epoch) {
        let (mut locked, now) = (self.lock(), self.clock.now());
        let State { session, notes, .. } = &mut *locked;
        notes.rejected(session, epoch, now);
        session.reject(epoch, now);
        locked.mark_changed();
    }

    pub(crate) fn revoked(&self, id: &TokenId) -> bool {
        let (mut locked, now) = (self.lock(), self.clock.now());
        let is_own = locked.session.revoked(id, now);
        if is_own {
            locked.mark_changed();
        }
        is_own
    }

    pub(crate) fn sign_in(&self, credentials: Credentials, keep: Keep) {
        let mut locked = self.lock();
        locked.session.sign_in(credentials, keep, self.clock.now());
        locked.reading.signed_in();
        locked.mark_changed();
    }

    pub(crate) fn sign_out(&self) {
        let mut locked = self.lock();
        locked.session.sign_out();
        locked.reading.signed_out();
        locked.mark_changed();
    }

    pub(crate) fn phase<R>(&self, read: impl FnOnce(Phase<'_>) -> R) -> R {
        read(self.lock().session.phase(self.clock.now()))
    }

    pub(crate) fn saved(&self) -> Option<Saved> {
        self.lock().session.saved(self.clock.now())
    }

    pub(crate) fn save_failure(&self) -> Option<Source> {
        self.lock().save_failure.clone()
    }

    /// Asks the session for a token with `at_least` left.
    pub(crate) fn ask(&self, state: &mut State<F>, at_least: Duration) -> Result<Ask, TokenError> {
        match state.lifecycle {
            Lifecycle::Open => {
                if self.credentials.is_some() && state.flight.is_none() {
                    state.reading.without_flight();
                }
                let now = self.clock.now();
                let asked = match self.step(state, at_least, now) {
                    Ok(Ask::Rest(wait)) if state.flight.is_some() => Ok(Ask::Join(wait)),
                    Ok(Ask::Rest(wait)) => Ok(Ask::Start(self.rest(state, wait), None)),
                    asked => asked,
                };
                if let Ok(Ask::Start(work, _)) = &asked {
                    state.notes.started(&state.session, work, at_least, now);
                }
                asked
            }
            Lifecycle::Closing | Lifecycle::Closed => Err(TokenError::Closed),
        }
    }

    /// Refuses all further asks. Returns the flight under way, which continues.
    pub(crate) fn close(&self) -> Option<F>
    where
        F: Clone,
    {
        let mut state = self.lock();
        if state.lifecycle == Lifecycle::Open {
            state.lifecycle = Lifecycle::Closing;
        }
        state.mark_changed();
        state.flight.clone()
    }

    /// Stops all work. Returns the flight that is still under way, and the state to persist.
    pub(crate) fn abandon(&self) -> (Option<F>, Option<Saved>) {
        let mut state = self.lock();
        state.lifecycle = Lifecycle::Closed;
        state.mark_changed();
        (state.flight.take(), state.session.saved(self.clock.now()))
    }

    /// Asks the session for the next step.
    fn step(&self, state: &mut State<F>, at_least: Duration, now: Now) -> Result<Ask, TokenError> {
        match self.credentials {
            None => self.step_of_session(state, at_least, now),
            Some(_) => self.step_with_callback(state, at_least, now),
        }
    }

    fn step_of_session(
        &self,
        state: &mut State<F>,
        at_least: Duration,
        now: Now,
    ) -> Result<Ask, TokenError> {
        match state.session.poll_for(now, at_least) {
            Step::Ready(bearer) => {
                let remaining = bearer.remaining(now);
                if remaining < at_least {
                    return Err(TokenError::ShortLived { remaining });
                }
                Ok(Ask::Ready(self.token.share(bearer)))
            }
            Step::Busy { until } => Ok(Ask::Join(until.since(now.mono))),
            Step::Wait { until, last } => {
                Err(TokenError::Waiting { wait: until.since(now.mono), last })
            }
            Step::SignIn { last } => Err(TokenError::SignIn { last }),
            Step::Send(ticket, exchange) => {
                let bounds = Bounds::from(&exchange);
                let progress = Progress::default();
                state.sending = Some((ticket, progress.clone()));
                self.note_sending(state);
                let request = self.with_headers(exchange.into_request());
                let work = Work::Send(ticket, request, bounds, progress);
                Ok(Ask::Start(Box::new(work), meanwhile(&state.session, now, at_least)))
            }
            Step::Save(ticket, saved) => {
                let work = Work::Save(ticket, saved);
                Ok(Ask::Start(Box::new(work), meanwhile(&state.session, now, at_least)))
            }
            Step::Swap(ticket, swap) => {
                let work = self.swap(state, ticket, swap, now);
                Ok(Ask::Start(work, meanwhile(&state.session, now, at_least)))
            }
            Step::Rest { until } => Ok(Ask::Rest(until.since(now.mono))),
        }
    }
}

/// Returns the old token for a caller who starts its renewal, if enough life is left.
fn meanwhile(session: &Session, now: Now, at_least: Duration) -> Option<BearerGuard> {
    let usable = session.phase(now).usable()?;
    (usable.remaining() >= at_least).then(|| BearerGuard::owned(usable.bearer().clone()))
}
