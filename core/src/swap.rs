//! The one operation of a store that several processes share: a swap, and what it answers.
//!
//! Owns what a session asks of such a store, and what the store reports. Does not know when a swap
//! comes, or what its answer means: the session decides both. Does not know about files and servers.

mod register;
mod store_time;

use std::time::Duration;

use thiserror::Error;

pub use self::register::{Lease, Register};
pub use self::store_time::StoreTime;
use crate::saved::Saved;
pub use crate::stamp::Stamp;

/// What a session asks of a shared store: put one state in the place of another, or only look.
///
/// The store answers with [`Swapped`]. It decides nothing: [`Register::swap`] is the whole rule, for
/// a store that keeps its entry itself. A swap must be atomic. It must not be done if it comes
/// later than [`is_late`](Swap::is_late) allows.
///
/// The store keeps one entry for each endpoint, agent, service and user. `Debug` prints no token.
#[derive(Debug)]
pub struct Swap {
    pub(crate) endpoint: String,
    pub(crate) service: Option<String>,
    pub(crate) agent_id: String,
    pub(crate) subject: Option<String>,
    pub(crate) expects: Stamp,
    pub(crate) put: Option<Saved>,
    pub(crate) lease: Duration,
    pub(crate) resting: bool,
    pub(crate) holder: u64,
    pub(crate) within: Duration,
    pub(crate) at: Option<StoreTime>,
}

impl Swap {
    /// Makes a look, for a tool or a test: it changes nothing, and the answer says what is there.
    #[must_use]
    pub fn look(
        endpoint: impl Into<String>,
        agent_id: impl Into<String>,
        within: Duration,
    ) -> Self {
        Self {
            endpoint: endpoint.into(),
            service: None,
            agent_id: agent_id.into(),
            subject: None,
            expects: Stamp::NONE,
            put: None,
            lease: Duration::ZERO,
            resting: false,
            holder: 0,
            within,
            at: None,
        }
    }

    /// Sets the service's name and the user, for a service with a session for each user.
    #[must_use]
    pub fn of_user(self, service: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { service: Some(service.into()), subject: Some(subject.into()), ..self }
    }

    /// Makes a swap that puts a state, for a test of a store. The holder is that of the state.
    #[must_use]
    pub fn putting(self, expects: Stamp, put: Saved) -> Self {
        Self { expects, holder: put.stamp().holder, put: Some(put), ..self }
    }

    /// Sets the lease, for a test of a store.
    #[must_use]
    pub fn with_lease(self, lease: Duration, resting: bool) -> Self {
        Self { lease, resting, ..self }
    }

    /// Sets when it was made, for a test of a store.
    #[must_use]
    pub fn made_at(self, at: StoreTime) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Returns the base URL of the service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the agent. Endpoint, agent, service and user together name the entry.
    #[must_use]
    pub fn agent_id(&self) -> &str {
        &self.agent_id
    }

    /// Returns the name of the service. `None` if it has none.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Returns the user whose tokens the entry holds. `None` if they are the agent's own.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Returns whether a state belongs into the entry: it has the same endpoint, agent, service and
    /// user.
    #[must_use]
    pub fn is_for(&self, state: &Saved) -> bool {
        state.endpoint() == self.endpoint
            && state.agent_id() == Some(&self.agent_id)
            && state.service() == self.service()
            && state.subject() == self.subject()
    }

    /// Returns the stamp of the state that is to be replaced.
    #[must_use]
    pub fn expects(&self) -> Stamp {
        self.expects
    }

    /// Returns the state to put. `None` if the session only looks.
    #[must_use]
    pub fn put(&self) -> Option<&Saved> {
        self.put.as_ref()
    }

    /// Returns how long nobody else may replace the state, counted from the swap by the store's
    /// clock. Zero if everyone may at once.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Returns whether the lease is a back-off: its holder sends nothing while it runs.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.resting
    }

    /// Returns the random number of the session that asks. It becomes the holder of the lease.
    #[must_use]
    pub fn holder(&self) -> u64 {
        self.holder
    }

    /// Returns how long the session waits for the answer.
    #[must_use]
    pub fn within(&self) -> Duration {
        self.within
    }

    /// Returns when it was made, by the store's clock. `None` if the session does not know that
    /// clock yet.
    #[must_use]
    pub fn at(&self) -> Option<StoreTime> {
        self.at
    }

    /// Returns when the state that it puts was made, by the store's clock, which shows `now`.
    #[must_use]
    pub fn put_at(&self, now: StoreTime) -> StoreTime {
        self.at.map_or(now, |at| at.min(now))
    }

    /// Returns whether nobody awaits its answer any more. The store then only answers.
    #[must_use]
    pub fn is_late(&self, now: StoreTime) -> bool {
        self.at.is_some_and(|at| now > at.after(self.within))
    }
}

/// How a store answers a swap.
#[derive(Clone, Debug)]
pub enum Swapped {
    /// The state was put.
    Done {
        /// Whether the store may have lost writes since the replaced state was put: its server was
        /// restarted or replaced, or its files were copied.
        moved: bool,
        /// What the store's clock shows.
        at: StoreTime,
    },
    /// Nothing was put. This is what is there.
    Other(Found),
}

impl Swapped {
    /// Returns what the store's clock showed.
    #[must_use]
    pub fn at(&self) -> StoreTime {
        match self {
            Self::Done { at, .. } => *at,
            Self::Other(found) => found.at,
        }
    }
}

/// What a store holds for an agent. `Debug` prints no token.
#[derive(Clone, Debug)]
pub struct Found {
    pub(crate) stamp: Stamp,
    pub(crate) state: Option<Box<Saved>>,
    pub(crate) age: Duration,
    pub(crate) held: Option<Held>,
    pub(crate) moved: bool,
    pub(crate) at: StoreTime,
}

impl Found {
    /// Makes the answer of a store that holds nothing.
    #[must_use]
    pub fn nothing(at: StoreTime) -> Self {
        Self { stamp: Stamp::NONE, state: None, age: Duration::ZERO, held: None, moved: false, at }
    }

    /// Makes the answer of a store that holds this state, put `age` ago.
    #[must_use]
    pub fn state(state: Saved, age: Duration, at: StoreTime) -> Self {
        Self { stamp: state.stamp(), state: Some(Box::new(state)), age, ..Self::nothing(at) }
    }

    /// Makes the answer of a store whose entry has this stamp, and a state that cannot be read: its
    /// bytes are damaged. The session may replace it.
    #[must_use]
    pub fn damaged(stamp: Stamp, at: StoreTime) -> Self {
        Self { stamp, ..Self::nothing(at) }
    }

    /// Adds the lease of another holder.
    #[must_use]
    pub fn with_held(self, held: impl Into<Option<Held>>) -> Self {
        Self { held: held.into(), ..self }
    }

    /// Says whether the swap that put the state was answered with [`Done`](Swapped::Done) and
    /// `moved`. A session whose answer was lost learns it from here.
    #[must_use]
    pub fn with_moved(self, moved: bool) -> Self {
        Self { moved, ..self }
    }

    /// Returns the stamp of the state that is there.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Returns the state. `None` if nothing is there, or nothing that can be read.
    #[must_use]
    pub fn saved(&self) -> Option<&Saved> {
        self.state.as_deref()
    }

    /// Returns how long ago the state was made, by the store's clock.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }

    /// Returns the lease of another holder that still runs.
    #[must_use]
    pub fn held(&self) -> Option<Held> {
        self.held
    }

    /// Returns whether the swap that put the state was `moved`.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        self.moved
    }
}

/// A lease of another holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub(crate) left: Duration,
    pub(crate) resting: bool,
}

impl Held {
    /// Makes one that still runs for so long. `resting` is as in [`Swap::is_resting`].
    #[must_use]
    pub fn new(left: Duration, resting: bool) -> Self {
        Self { left, resting }
    }

    /// Returns how long it still runs.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.left
    }

    /// Returns whether its holder sends nothing while it runs.
    #[must_use]
    pub fn is_resting(&self) -> bool {
        self.resting
    }
}

/// Why a session counts the shared store as out of reach, where the store itself reported nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SwapError {
    /// No answer came within the time limit.
    #[error("no answer came within the time limit")]
    TimedOut,
    /// The store answered with a state of another endpoint, agent or service.
    #[error(
        "the entry holds a state of another endpoint or agent: it is neither used nor replaced"
    )]
    Foreign,
    /// The store did not put a state in the place of the very state that it showed.
    #[error("it shows the expected state, and does not replace it")]
    Stuck,
}
