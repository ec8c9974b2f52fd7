//! The token state machine: every transition, and nothing else.
//!
//! Owns the facts of a session (grants, deadlines, who is renewing, when the service asked for
//! quiet) and computes everything else from them and from `now`: no phase is stored. Knows nothing
//! of bytes beyond handing them to [`wire`](crate::wire), and nothing of who drives it.

mod grant;
mod health;
mod judge;
mod outlook;
mod pace;
mod rejected;
mod renewal;
mod standing;
mod step;
mod store;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use self::grant::Grant;
pub use self::grant::{Phase, Usable};
pub use self::health::{CredentialsHealth, Health, InFlight, LastError};
pub use self::outlook::Outlook;
use self::pace::Pace;
use self::rejected::Rejected;
use self::standing::{Slow, Standing, Standings};
pub use self::step::{Keep, SaveTicket, Step, Ticket};
pub use self::store::AdoptError;
use self::store::Store;
use crate::contract::Contract;
use crate::endpoint::{Endpoint, EndpointError};
use crate::exchange::Purpose;
use crate::policy::Policy;
use crate::secret::{Bearer, Credentials, Epoch};
use crate::time::{Mono, Now};
use crate::trouble::Trouble;

/// One agent's session with the service: credentials in, a bearer that is valid now out.
///
/// [`poll`](Session::poll) is the one output; each kind of event has one input. Whoever holds the
/// session decides nothing: do what the step says, report what came of it, poll again.
#[derive(Debug)]
pub struct Session {
    endpoint: Endpoint,
    contract: Contract,
    sign_in_uri: Uri,
    refresh_uri: Option<Uri>,
    policy: Arc<Policy>,
    /// The latest monotonic reading: time never runs backwards for a session.
    seen: Mono,
    /// Whom the grant, or the credentials, belong to.
    agent_id: Option<Arc<str>>,
    held: Option<Held>,
    /// What the service thinks of the secrets that were given.
    standings: Standings,
    /// The grant in use.
    grant: Option<Grant>,
    rejected: Rejected,
    epoch: Epoch,
    /// The number of the last ticket.
    serial: u64,
    /// Tickets up to this number are stale: a newer grant, or new credentials, came in since.
    stale_to: u64,
    flight: Option<Flight>,
    pace: Pace,
    /// Until when a refresh endpoint that is missing, or out of reach, is left alone.
    refresh_aside_until: Option<Mono>,
    /// How slowly a refresh that was forbidden is tried again, where signing in is not possible.
    refresh_slow: Slow,
    /// Where a store is declared: what is to be saved before it is used.
    store: Option<Store>,
    /// Counts what was saved, across restarts and siblings.
    generation: u64,
}

struct Held {
    credentials: Credentials,
    keep: Keep,
    fingerprint: u64,
    standing: Standing,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    ticket: Ticket,
    deadline: Mono,
    /// How often its time limit may still begin anew.
    postponable: u8,
}

impl Session {
    /// A session without credentials and without a grant.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Malformed`], where a path of the contract and the endpoint make no URL.
    pub fn new(
        endpoint: Endpoint,
        contract: Contract,
        policy: Policy,
    ) -> Result<Self, EndpointError> {
        let sign_in_uri = endpoint.join(&contract.sign_in.path)?;
        let refresh = contract.refresh.as_ref();
        let refresh_uri = refresh.map(|refresh| endpoint.join(&refresh.path)).transpose()?;
        Ok(Self {
            contract: Contract { operations: contract.operations.at(&endpoint), ..contract },
            endpoint,
            sign_in_uri,
            refresh_uri,
            policy: Arc::new(policy),
            seen: Mono::default(),
            agent_id: None,
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
            generation: 0,
        })
    }

    /// The same session with a store declared: it yields [`Step::Save`] before a refresh token is
    /// spent and before a new grant is used.
    #[must_use]
    pub fn with_store(self) -> Self {
        Self { store: Some(Store::default()), ..self }
    }

    /// What to do next. Cheap while a token is valid: no allocation, no arithmetic to speak of.
    ///
    /// One poller at a time is asked to renew; while the old token is usable the others get it, and
    /// else [`Step::Busy`]. A usable token comes before any bad news.
    pub fn poll(&mut self, now: Now) -> Step {
        self.poll_for(now, Duration::ZERO)
    }

    /// What to do next for a token with at least `at_least` left.
    ///
    /// Where the service's tokens live no longer than that, or the present one is younger than
    /// [`Policy::renew_after`] says, a renewal would not help: the step is the same as
    /// [`poll`](Session::poll)'s, and [`Bearer::remaining`] tells.
    pub fn poll_for(&mut self, now: Now, at_least: Duration) -> Step {
        let now = self.observe(now);
        self.pass_deadlines(now);
        if let Some(save) = self.save_of_grant(now) {
            return save;
        }
        let ready = match self.usable(now, at_least) {
            Some((bearer, Due::No)) => return Step::Ready(bearer),
            Some((bearer, Due::Yes)) => Some(bearer),
            None => None,
        };
        match (self.renew(now), ready) {
            (Step::Busy { .. } | Step::Wait { .. } | Step::SignIn { .. }, Some(bearer)) => {
                Step::Ready(bearer)
            }
            (step, _) => step,
        }
    }

    /// Gives credentials, for good or for one sign-in.
    ///
    /// A grant of another agent is dropped; a secret that is new makes requests under way stale. A
    /// secret that was given before is not a new one: what the service has said of it stays, and a
    /// sign-in with it that is under way goes on. To have a refused secret tried once more, for example
    /// after the account was unlocked, [sign out](Session::sign_out) first.
    pub fn sign_in(&mut self, credentials: Credentials, keep: Keep, now: Now) {
        self.observe(now);
        let fingerprint = credentials.fingerprint();
        if let Some(held) = self.held.as_mut().filter(|held| held.fingerprint == fingerprint) {
            let changes = held.keep != keep && !held.standing.is_dead();
            if changes {
                held.keep = keep;
            }
            // A sign-in under way is the one that is asked for.
            let signs_in = self.flight.is_some_and(|it| it.ticket.purpose == Purpose::SignIn);
            if changes && !signs_in {
                self.abandon_flight();
            }
            return;
        }
        if self.agent_id.as_deref() != Some(credentials.agent_id()) {
            self.drop_grant();
            self.rejected.forget();
            self.agent_id = Some(credentials.agent_id().into());
        }
        self.abandon_flight();
        let standing = self.standings.of(fingerprint);
        let is_over = keep == Keep::Once && standing.is_dead();
        self.held = Some(Held { credentials, keep, fingerprint, standing }).filter(|_| !is_over);
    }

    /// Forgets the grant, the credentials, and what the service has said of them. What a store holds
    /// is the caller's to erase.
    pub fn sign_out(&mut self) {
        self.drop_grant();
        self.abandon_flight();
        self.rejected.forget();
        self.standings.forget();
        self.refresh_slow = Slow::default();
        self.held = None;
        self.agent_id = None;
    }

    /// The service refused this token (401): it is never handed out again, and the next poll renews.
    ///
    /// A token that is rejected within [`Policy::settle`], and that itself replaced one rejected so
    /// early, counts as a failed renewal: the next one waits for back-off. Does nothing where the epoch is not the current one: someone renewed already.
    pub fn reject(&mut self, epoch: Epoch, now: Now) {
        let now = self.observe(now);
        let Some(grant) = self.grant.as_mut().filter(|grant| grant.epoch == epoch) else { return };
        let Some(access) = grant.access.take() else { return };
        // A token that had expired by then was rightly rejected.
        let is_usable = !access.bearer.remaining(now).is_zero();
        let is_fresh = is_usable && grant.is_younger_than(self.policy.settle, now);
        self.rejected.add(&access.bearer);
        self.pace.settle(now.mono, &self.policy);
        if is_fresh {
            self.pace.rejected(Trouble::rejected(), now.mono, &self.policy);
        }
    }

    /// The session's phase, computed from what it holds and `now`.
    #[must_use]
    pub fn phase(&self, now: Now) -> Phase<'_> {
        grant::phase(self.grant.as_ref(), self.clamped(now))
    }

    /// Why the last renewal failed, until one succeeds.
    #[must_use]
    pub fn last_trouble(&self) -> Option<&Arc<Trouble>> {
        self.pace.last()
    }

    /// The agent that the session's grant or credentials belong to.
    #[must_use]
    pub fn agent_id(&self) -> Option<&str> {
        self.agent_id.as_deref()
    }

    /// Where the session's requests go.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What the session knows of the service.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The agent, to share.
    pub(crate) fn shared_agent_id(&self) -> Option<Arc<str>> {
        self.agent_id.clone()
    }

    /// The choices that the session was made with, to share.
    pub(crate) fn shared_policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// The choices that the session was made with.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn clamped(&self, now: Now) -> Now {
        Now { mono: now.mono.max(self.seen), ..now }
    }

    fn observe(&mut self, now: Now) -> Now {
        let now = self.clamped(now);
        self.seen = now.mono;
        now
    }

    /// Applies what time alone brings about.
    fn pass_deadlines(&mut self, now: Now) {
        if self.flight.is_some_and(|flight| now.mono >= flight.deadline) {
            self.time_out_flight(now);
        }
        self.time_out_save(now);
        self.pace.settle(now.mono, &self.policy);
    }

    fn usable(&self, now: Now, at_least: Duration) -> Option<(Bearer, Due)> {
        let grant = self.grant.as_ref()?;
        let access = grant.usable_access(now)?;
        let remaining = access.bearer.remaining(now);
        if remaining < at_least
            && access.lifetime > at_least
            && !grant.is_younger_than(self.policy.renew_after_of(access.lifetime), now)
        {
            return None;
        }
        let due = self.signs_in_once() || remaining <= access.margin;
        Some((access.bearer.clone(), if due { Due::Yes } else { Due::No }))
    }

    /// Whether credentials for one sign-in wait to be used, which is then due at once.
    fn signs_in_once(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.keep == Keep::Once)
    }

    /// Makes every request under way stale. A refresh token that one of them carries may be spent.
    fn abandon_flight(&mut self) {
        if self.flight.take().is_some_and(|flight| flight.ticket.purpose == Purpose::Refresh) {
            self.doubt_refresh();
        }
        self.stale_to = self.serial;
    }

    fn drop_grant(&mut self) {
        self.grant = None;
        if let Some(store) = &mut self.store {
            store.forget();
        }
    }
}

impl fmt::Debug for Held {
    /// Without the fingerprint, by which a short secret could be found.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("credentials", &self.credentials)
            .field("keep", &self.keep)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// Whether a usable token is to be renewed meanwhile.
enum Due {
    Yes,
    No,
}
