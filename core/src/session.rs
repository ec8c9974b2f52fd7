//! The token state machine: all transitions are in this module.
//!
//! Owns the facts of a session: grants, deadlines, who is renewing, and until when the session must
//! not send. Stores no phase: everything else is computed from the facts and from `now`. Does not
//! know about bytes, which it only hands to `wire`. Does not know who drives it.
//!
//! The four phases, and what leads from one to another:
//!
//! ```text
//! unauthenticated                valid            expiring            expired
//!        |                         |                  |                  |
//!        +--------- grant -------->|                  |                  |
//!        |                         +----- margin ---->|                  |
//!        |                         |<----- grant -----+------------------+
//!        |                         |                  +----- expires --->|
//!        |                         +------------------+---- rejected --->|
//!        |<----------- expires, no refresh -----------+                  |
//!        |< rejected, no refresh --+------------------+                  |
//!        |<---------------------- refresh expires -----------------------+
//!        |<---------------------- refresh refused -----------------------+
//!        |<----- signed out -------+------------------+------------------+
//! ```
//!
//! The margin comes before the access token expires. "No refresh" means that no refresh token is
//! alive. A saved state that is adopted counts as a grant. Credentials of another agent, and
//! a revocation of the tokens, count as "signed out". If a grant comes late, or a saved state is old, its token may be in a later phase
//! already. If the wall clock is set back, a phase that had ended may come again.

mod credentials;
mod grant;
mod health;
mod judge;
mod pace;
mod renewal;
mod revocation;
mod share;
mod step;
mod store;
mod token_ids;

use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use self::credentials::Held;
use self::grant::Grant;
pub use self::grant::{Phase, Usable};
pub use self::health::{CredentialsHealth, Health, InFlight, LastError};
use self::pace::{Pace, Rejected, Slow, Standings};
use self::share::Share;
pub use self::step::{SaveTicket, Step, SwapTicket, Ticket};
pub use self::store::AdoptError;
use self::store::Store;
use crate::endpoint::{Endpoint, EndpointError};
use crate::exchange::Purpose;
use crate::policy::Policy;
pub use crate::renewal_error::{RenewalCause, RenewalError};
pub use crate::secret::Keep;
use crate::secret::{Bearer, Epoch, TokenId};
use crate::service::{Service, Tokens};
use crate::time::{End, Mono, Now};

/// One agent's session with the service: takes credentials, and yields an access token that is
/// valid now.
///
/// [`poll`](Session::poll) is the only output. Each kind of event has one input. The driver decides
/// nothing: it does what the step says, reports the result, and polls again.
#[derive(Debug)]
pub struct Session {
    endpoint: Endpoint,
    service: Service,
    sign_in_uri: Option<Uri>,
    refresh_uri: Option<Uri>,
    policy: Arc<Policy>,
    /// The latest monotonic reading. Time never runs backwards for a session.
    seen: Mono,
    /// The agent that the grant or the credentials belong to.
    agent_id: Option<Arc<str>>,
    /// The user whose tokens it has, if the service has a session for each user.
    subject: Option<Arc<str>>,
    /// The id whose tokens the service revoked last.
    revoked: Option<TokenId>,
    held: Option<Held>,
    /// What the service has said about the secrets that were given.
    standings: Standings,
    /// The grant in use.
    grant: Option<Grant>,
    rejected: Rejected,
    epoch: Epoch,
    /// The number of the last ticket.
    serial: u64,
    /// Tickets up to this number are stale: a newer grant or new credentials came in after them.
    stale_to: u64,
    flight: Option<Flight>,
    pace: Pace,
    /// Until when the refresh endpoint is not used, because it is missing or out of reach.
    refresh_aside_until: Option<Mono>,
    /// The pace at which a forbidden refresh is retried, if signing in is not possible.
    refresh_slow: Slow,
    /// What must be saved before it is used. `None` if no store is declared.
    store: Option<Store>,
    /// What is known of a shared store. `None` if none is declared.
    share: Option<Box<Share>>,
    /// Counts the saves, across restarts and sibling processes.
    generation: u64,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    ticket: Ticket,
    deadline: Mono,
    /// How many more times its time limit may start again.
    postponable: u8,
}

impl Flight {
    /// Whether this is its ticket. Its number alone could be that of another session's ticket.
    fn is_of(&self, ticket: Ticket) -> bool {
        (self.ticket.serial, self.ticket.sent) == (ticket.serial, ticket.sent)
    }
}

impl Session {
    /// Creates a session without credentials and without a grant. If the service has no tokens, the
    /// session never has one, but it can make calls that need none.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Malformed`] if a path of the service and the endpoint do not make a URL.
    pub fn new(
        endpoint: Endpoint,
        service: Service,
        policy: Policy,
    ) -> Result<Self, EndpointError> {
        let tokens = service.tokens();
        let sign_in = tokens.map(|tokens| endpoint.join(tokens.sign_in().path()));
        let refresh = tokens.and_then(Tokens::refresh).map(|it| endpoint.join(it.path()));
        let (sign_in_uri, refresh_uri) = (sign_in.transpose()?, refresh.transpose()?);
        Ok(Self {
            service: Service { operations: service.operations.at(&endpoint), ..service },
            endpoint,
            sign_in_uri,
            refresh_uri,
            policy: Arc::new(policy),
            seen: Mono::default(),
            agent_id: None,
            subject: None,
            revoked: None,
            held: None,
            standings: Standings::default(),
            grant: None,
            rejected: Rejected::default(),
            epoch: Epoch::default(),
            serial: 0,
            stale_to: 0,
            flight: None,
            pace: Pace::default(),
            refresh_aside_until: None,
            refresh_slow: Slow::default(),
            store: None,
            share: None,
            generation: 0,
        })
    }

    /// Declares a store. The session then yields [`Step::Save`] before it spends a refresh token
    /// and before it uses a new grant.
    #[must_use]
    pub fn with_store(self) -> Self {
        Self { store: Some(Store::default()), ..self }
    }

    /// Returns what to do next. While a token is valid this is cheap: it allocates nothing and
    /// computes almost nothing.
    ///
    /// The session asks one poller at a time to renew. Meanwhile, if the old token is usable, the
    /// other pollers get it; otherwise they get [`Step::Busy`]. A usable token comes before any
    /// failure.
    pub fn poll(&mut self, now: Now) -> Step {
        self.poll_for(now, Duration::ZERO)
    }

    /// Returns what to do next for a token with at least `at_least` left.
    ///
    /// If the service's tokens do not live longer than that, a renewal would not help. The same
    /// holds if the present token is younger than [`Policy::renew_after`] requires. The step is
    /// then the one that [`poll`](Session::poll) returns, and [`Bearer::remaining`] says how much
    /// is left.
    pub fn poll_for(&mut self, now: Now, at_least: Duration) -> Step {
        let now = self.observe(now);
        self.pass_deadlines(now);
        if self.store.is_some()
            && let Some(save) = self.save_of_grant(now)
        {
            return save;
        }
        if self.share.is_some()
            && let Some(swap) = self.swap_due(now)
        {
            return swap;
        }
        let ready = match self.usable(now, at_least) {
            Some((bearer, Due::No)) => return Step::Ready(bearer),
            Some((bearer, Due::Yes)) => Some(bearer),
            None => None,
        };
        match (self.renew(now), ready) {
            (
                Step::Busy { .. } | Step::Rest { .. } | Step::Wait { .. } | Step::SignIn { .. },
                Some(bearer),
            ) => Step::Ready(bearer),
            (step, _) => step,
        }
    }

    /// Reports that the service refused this token (401). The session never hands it out again, and
    /// the next poll renews.
    ///
    /// If a token is rejected within [`Policy::settle`], and it replaced a token that was rejected
    /// as early, the renewal counts as failed. The next one then waits for the back-off. If the
    /// epoch is not the current one, this does nothing: the token was already renewed.
    pub fn reject(&mut self, epoch: Epoch, now: Now) {
        let now = self.observe(now);
        let Some(grant) = self.grant.as_mut().filter(|grant| grant.epoch == epoch) else { return };
        let Some(access) = grant.access.take() else { return };
        // A token that had already expired was rightly rejected.
        let is_usable = !access.bearer.remaining(now).is_zero();
        let is_fresh = is_usable && grant.is_younger_than(self.policy.settle, now);
        self.rejected.add(&access.bearer);
        self.pace.settle(now.mono, &self.policy);
        if is_fresh {
            self.pace.rejected(RenewalError::rejected(), now.mono, &self.policy);
        }
    }

    /// Returns the session's phase, computed from its facts and `now`.
    #[must_use]
    pub fn phase(&self, now: Now) -> Phase<'_> {
        grant::phase(self.grant.as_ref(), self.clamped(now))
    }

    /// Returns why the last renewal failed, until one succeeds.
    #[must_use]
    pub fn last_error(&self) -> Option<&Arc<RenewalError>> {
        self.pace.last()
    }

    /// Returns the endpoint that the session's requests go to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns what the session knows about the service.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The agent, shared.
    pub(crate) fn shared_agent_id(&self) -> Option<Arc<str>> {
        self.agent_id.clone()
    }

    /// The policy of the session, shared.
    pub(crate) fn shared_policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// Returns the policy that the session was made with.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the token that polls yield until the next reply, report, rejection, or other input,
    /// and the time before which a [`poll`](Session::poll) only yields that token, if both clocks
    /// are before it. A driver can then serve the token without access to the session.
    ///
    /// That time ends when a renewal is due, a renewal under way times out, or a back-off ends. It
    /// is `None` if a poll may send or save at any time. Without a token that is usable at the
    /// latest time that the session has seen, returns `None`.
    ///
    /// ```
    /// use imts_core::{Endpoint, Policy, Session, services};
    ///
    /// let endpoint = Endpoint::https("https://service.example")?;
    /// let session = Session::new(endpoint, services::transfer(), Policy::default())?;
    /// assert!(session.outlook().is_none(), "no token yet");
    /// # Ok::<(), imts_core::endpoint::EndpointError>(())
    /// ```
    #[must_use]
    pub fn outlook(&self) -> Option<(&Bearer, Option<Now>)> {
        let access = self.grant.as_ref()?.access.as_ref()?;
        let end = access.bearer.end();
        if self.seen >= end.sooner(Duration::ZERO).mono {
            return None;
        }
        let waits = self.store.as_ref().is_some_and(Store::waits);
        let due = self.yields_until(end, access.margin).filter(|_| !waits);
        Some((&access.bearer, due))
    }

    /// Until when polls yield the token with this end, even if something else becomes due.
    fn yields_until(&self, end: End, margin: Duration) -> Option<Now> {
        let (due, dead) = (end.sooner(margin), end.sooner(Duration::ZERO));
        let swaps = self.share.as_ref().and_then(|share| share.may_swap_at());
        let until = match (self.flight, swaps) {
            (Some(flight), _) => Some(flight.deadline).filter(|deadline| self.seen < *deadline),
            (None, Some(until)) => until.filter(|until| self.seen < *until),
            (None, None) if self.seen < due.mono && !self.signs_in_once() => return Some(due),
            (None, None) => self.renews_at(due).filter(|until| self.seen < *until),
        };
        until.map(|until| Now { mono: until.min(dead.mono), ..dead })
    }

    fn clamped(&self, now: Now) -> Now {
        Now { mono: now.mono.max(self.seen), ..now }
    }

    fn observe(&mut self, now: Now) -> Now {
        let now = self.clamped(now);
        self.seen = now.mono;
        now
    }

    /// Applies the deadlines that have passed.
    fn pass_deadlines(&mut self, now: Now) {
        if self.flight.is_some_and(|flight| now.mono >= flight.deadline) {
            self.time_out_flight(now);
        }
        if self.store.is_some() {
            self.time_out_save(now);
        }
        if self.share.is_some() {
            self.time_out_swap(now);
        }
        self.pace.settle(now.mono, &self.policy);
    }

    fn usable(&self, now: Now, at_least: Duration) -> Option<(Bearer, Due)> {
        let grant = self.grant.as_ref()?;
        let access = grant.access.as_ref()?;
        let remaining = access.bearer.remaining(now);
        let is_too_short = remaining < at_least
            && access.lifetime > at_least
            && !grant.is_younger_than(self.policy.renew_after_of(access.lifetime), now);
        if remaining.is_zero() || is_too_short {
            return None;
        }
        let due = self.signs_in_once() || remaining <= access.margin;
        Some((access.bearer.clone(), if due { Due::Yes } else { Due::No }))
    }

    /// Whether credentials for one sign-in are waiting. That sign-in is then due at once.
    fn signs_in_once(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.keep == Keep::Once)
    }

    /// Whether the same credentials can sign in again. If they cannot, a refresh token that may be
    /// spent is never sent again, and nothing is used before it is saved.
    pub(super) fn has_way_back(&self) -> bool {
        self.service.tokens().is_none_or(Tokens::has_way_back)
    }

    /// Makes every request under way stale. If one of them carries a refresh token, it may be
    /// spent.
    fn abandon_flight(&mut self) {
        match self.flight.take().map(|flight| flight.ticket.purpose) {
            Some(Purpose::Refresh) => self.doubt_refresh(),
            Some(Purpose::SignIn) => _ = self.use_up_code(),
            None => {}
        }
        self.stale_to = self.serial;
    }

    /// How long before its end a token of this lifetime is renewed.
    fn margin_of(&self, lifetime: Duration) -> Duration {
        let margin = self.policy.margin_of(lifetime);
        if self.share.is_some() { self.policy.spread(margin) } else { margin }
    }

    fn drop_grant(&mut self) {
        self.grant = None;
        if let Some(store) = &mut self.store {
            store.forget();
        }
    }
}

/// Whether to renew a token that is still usable.
enum Due {
    Yes,
    No,
}
