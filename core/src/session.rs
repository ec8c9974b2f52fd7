//! The token state machine: every transition, and nothing else.
//!
//! Owns the facts of a session (grants, deadlines, who is renewing, when the service asked for
//! quiet) and computes everything else from them and from `now`: no phase is stored. Knows nothing
//! of bytes beyond handing them to [`wire`](crate::wire), and nothing of who drives it.

mod grant;
mod judge;
mod outlook;
mod pace;
mod rejected;
mod renewal;
mod step;
mod store;

use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use self::grant::Grant;
pub use self::grant::{Phase, Usable};
pub use self::outlook::Outlook;
use self::pace::Pace;
use self::rejected::Rejected;
pub use self::step::{Keep, Step, Ticket};
use self::store::Store;
pub use self::store::{AdoptError, SaveTicket};
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
    policy: Policy,
    /// The latest monotonic reading: time never runs backwards for a session.
    seen: Mono,
    /// Whom the grant, or the credentials, belong to.
    agent_id: Option<String>,
    held: Option<Held>,
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
    /// Where a store is declared: what is to be saved before it is used.
    store: Option<Store>,
    /// Counts what was saved, across restarts and siblings.
    generation: u64,
}

#[derive(Debug)]
struct Held {
    credentials: Credentials,
    keep: Keep,
    standing: Standing,
}

/// What the service thinks of the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Untried,
    Worked {
        /// Refusals in a row since.
        refusals: u32,
    },
    /// Refused for good: only other credentials help.
    Dead,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    ticket: Ticket,
    deadline: Mono,
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
        let sign_in_uri = shared(endpoint.join(&contract.sign_in.path)?);
        let refresh = contract.refresh.as_ref();
        let refresh_uri = refresh.map(|refresh| endpoint.join(&refresh.path)).transpose()?;
        Ok(Self {
            endpoint,
            contract,
            sign_in_uri,
            refresh_uri: refresh_uri.map(shared),
            policy,
            seen: Mono::default(),
            agent_id: None,
            held: None,
            grant: None,
            rejected: Rejected::default(),
            epoch: Epoch::default(),
            serial: 0,
            stale_to: 0,
            flight: None,
            pace: Pace::default(),
            refresh_aside_until: None,
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
    /// [`Policy::renew_after`], a renewal would not help: the step is the same as
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
    /// A grant of another agent is dropped; requests under way are stale from here on. Credentials
    /// that were refused are forgotten with all that was held against them.
    pub fn sign_in(&mut self, credentials: Credentials, keep: Keep, now: Now) {
        self.observe(now);
        let same_agent = self.agent_id.as_deref() == Some(credentials.agent_id());
        if !same_agent {
            self.drop_grant();
            self.rejected.forget();
            self.agent_id = Some(credentials.agent_id().to_owned());
        }
        self.abandon_flight();
        self.held = Some(Held { credentials, keep, standing: Standing::Untried });
    }

    /// Forgets the grant and the credentials. What a store holds is the caller's to erase.
    pub fn sign_out(&mut self) {
        self.drop_grant();
        self.abandon_flight();
        self.rejected.forget();
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
        let is_fresh = grant.is_younger_than(self.policy.settle, now);
        self.rejected.add(&access.bearer);
        self.pace.settle(now.mono, &self.policy);
        if is_fresh {
            self.pace.rejected(Trouble::rejected(), now.mono, &self.policy);
        }
    }

    /// The session's phase, computed from what it holds and `now`.
    #[must_use]
    pub fn phase(&self, now: Now) -> Phase<'_> {
        grant::phase(self.grant.as_ref(), &self.policy, self.clamped(now))
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
            && !grant.is_younger_than(self.policy.renew_after, now)
        {
            return None;
        }
        let due = self.signs_in_once() || remaining <= self.policy.margin_of(access.lifetime);
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

/// Whether a usable token is to be renewed meanwhile.
enum Due {
    Yes,
    No,
}

/// A URL whose clones share memory from the first one on.
fn shared(uri: Uri) -> Uri {
    drop(uri.clone());
    uri
}
