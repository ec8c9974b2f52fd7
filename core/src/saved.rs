//! What to persist of a session, so that it continues after a restart or in a sibling process.
//!
//! Owns the saved form: its fields, its version, its JSON. Does not know about files or databases.
//! The session decides what is restored and what is not trusted.

#[cfg(feature = "persist")]
mod form;

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::secret::{Token, TokenId};
use crate::stamp::Stamp;
use crate::time::Wall;

/// The tokens of a session and everything that is needed to judge them later. **Holds secrets.**
///
/// It belongs to one endpoint and one agent. A session of another endpoint or agent refuses it. Its
/// generation grows with each save: of two states of one session, the one with the higher
/// generation is newer.
#[derive(Clone)]
pub struct Saved {
    /// Names it for good in a shared store. Elsewhere its holder and its serial are 0.
    pub(crate) stamp: Stamp,
    /// The service that it belongs to, if that has a name.
    pub(crate) service: Option<String>,
    pub(crate) endpoint: String,
    pub(crate) agent_id: Option<String>,
    /// The person whose tokens it holds, if the service has several for one agent.
    pub(crate) subject: Option<String>,
    /// The service's own id of the tokens, if it gives one.
    pub(crate) token_id: Option<TokenId>,
    /// The ids of tokens that refreshes replaced, latest first.
    pub(crate) earlier_ids: Vec<SavedTokenId>,
    pub(crate) saved_at: Wall,
    /// Failed renewals since a token last settled.
    pub(crate) failures: u32,
    /// Whether its access token replaces one that was rejected while it was young.
    pub(crate) after_rejection: bool,
    pub(crate) access: Option<SavedAccess>,
    pub(crate) refresh: Option<SavedRefresh>,
}

#[derive(Clone)]
pub(crate) struct SavedTokenId {
    pub(crate) id: TokenId,
    /// When the last of its tokens ends, by the local wall clock.
    pub(crate) ends_at: Wall,
}

#[derive(Clone)]
pub(crate) struct SavedAccess {
    pub(crate) token: Token,
    /// Its end by the local wall clock.
    pub(crate) ends_at: Wall,
    pub(crate) lifetime: Duration,
    /// Its end by the server's clock.
    pub(crate) expire_at: Wall,
}

#[derive(Clone)]
pub(crate) struct SavedRefresh {
    pub(crate) token: Token,
    /// Its end by the local wall clock.
    pub(crate) ends_at: Wall,
    /// Its end by the server's clock.
    pub(crate) expire_at: Wall,
    /// What is known about its use.
    pub(crate) usage: RefreshUse,
}

/// What is known about the use of a refresh token. Of two values, the greater one knows of more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RefreshUse {
    /// Not sent, or sent and known to be still good.
    Unspent,
    /// Sent, with an unknown outcome: it may be spent.
    InDoubt,
    /// Sent once more after an unknown outcome.
    Replayed,
}

/// The version of the saved form that this crate writes. It also reads version 1.
pub(crate) const VERSION: u32 = 2;

/// The longest saved form that is read, in bytes.
#[cfg(feature = "persist")]
const MAX_LENGTH: usize = 65_536;

impl Saved {
    /// Returns the number of this save in its session, counted from 1 across restarts and siblings.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.stamp.generation
    }

    /// Returns the name that it has in a shared store.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Returns the name of the service that its tokens belong to. `None` if that has no name.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Returns the person whose tokens it holds. `None` if they are the agent's own.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Returns the service's own id of the tokens, which a revocation names. `None` if it gave none.
    #[must_use]
    pub fn token_id(&self) -> Option<&TokenId> {
        self.token_id.as_ref()
    }

    /// Returns how many renewals had failed in a row when it was saved.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns whether it holds no token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.access.is_none() && self.refresh.is_none()
    }

    /// Returns the base URL of the service that its tokens belong to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the agent that its tokens belong to.
    #[must_use]
    pub fn agent_id(&self) -> Option<&str> {
        self.agent_id.as_deref()
    }

    /// Returns when it was saved, by the wall clock of the machine that saved it.
    #[must_use]
    pub fn saved_at(&self) -> Wall {
        self.saved_at
    }

    /// Returns how long after it was saved its last token ends, by the wall clock of the machine
    /// that saved it. Zero if it holds no token.
    #[must_use]
    pub fn left(&self) -> Duration {
        let access = self.access.as_ref().map(|access| access.ends_at);
        let refresh = self.refresh.as_ref().map(|refresh| refresh.ends_at);
        let last = access.max(refresh);
        last.map_or(Duration::ZERO, |last| last.since(self.saved_at))
    }

    /// Returns whether its refresh token was about to be used when this was saved. If so, a session
    /// that restores it counts that token as possibly spent.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.refresh.as_ref().is_some_and(|refresh| refresh.usage != RefreshUse::Unspent)
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("generation", &self.stamp.generation)
            .field("endpoint", &self.endpoint)
            .field("agent_id", &self.agent_id)
            .field("saved_at", &self.saved_at)
            .field("in_doubt", &self.is_in_doubt())
            .finish_non_exhaustive()
    }
}

/// Why bytes are not a saved state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SavedError {
    /// The bytes are not the JSON of a saved state: cut off, damaged, or something else.
    #[error("not a saved session: damaged at line {line}, column {column}")]
    Damaged {
        /// The line, counted from 1.
        line: usize,
        /// The column in the line, counted in bytes from 1.
        column: usize,
    },
    /// A newer version of this crate wrote it. Use at least that version, or sign in anew.
    #[error("the saved session has version {found}, and this library reads at most {VERSION}")]
    Newer {
        /// The version found.
        found: u32,
    },
    /// It has a version that no release of this crate has written.
    #[error("the saved session has version {found}, which does not exist")]
    Version {
        /// The version found.
        found: u32,
    },
    /// It has a token or a lifetime that a session could not have saved.
    #[error("the saved session's field `{field}` has a value that is not valid")]
    Value {
        /// The field's name.
        field: &'static str,
    },
    /// It is longer than 65,536 bytes.
    #[error("longer than 65536 bytes: not a saved session")]
    TooLarge,
}
