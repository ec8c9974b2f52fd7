//! The tokens that a session holds, and the phase that follows from them.
//!
//! Owns the facts of one grant, and decides which of its tokens are alive at a given moment. Does
//! not know what a refusal does to a session.

use std::fmt;
use std::time::Duration;

use super::token_ids::TokenIds;
use crate::saved::RefreshUse;
use crate::secret::{Bearer, Epoch, Token};
use crate::time::{End, Mono, Now, Wall};

/// The tokens of one successful sign-in or refresh.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) epoch: Epoch,
    /// When it came into use. `None` if it was restored and was already old.
    pub(crate) since: Option<Mono>,
    /// `None` after a rejection.
    pub(crate) access: Option<Access>,
    /// `None` if the service sent none, or refused it later.
    pub(crate) refresh: Option<Refresh>,
    /// The service's own ids of its tokens.
    pub(crate) ids: TokenIds,
}

#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) bearer: Bearer,
    /// Counted from the moment at which its request was sent.
    pub(crate) lifetime: Duration,
    /// How long before its end it must be renewed.
    pub(crate) margin: Duration,
    /// Its end by the server's clock.
    pub(crate) expire_at: Wall,
}

impl Access {
    /// How much of its lifetime has passed.
    pub(crate) fn age(&self, now: Now) -> Duration {
        self.lifetime.saturating_sub(self.bearer.remaining(now))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) token: Token,
    pub(crate) end: End,
    /// Its end by the server's clock.
    pub(crate) expire_at: Wall,
    pub(crate) usage: RefreshUse,
    /// The use of it that a store has recorded.
    pub(crate) marked: RefreshUse,
    /// Whether a shared store was asked to put a state that carries it, or showed one.
    pub(crate) is_carried: bool,
}

impl Refresh {
    /// What is known about its use once it is sent now.
    pub(crate) fn next_use(&self) -> RefreshUse {
        match self.usage {
            RefreshUse::Unspent => RefreshUse::InDoubt,
            RefreshUse::InDoubt | RefreshUse::Replayed => RefreshUse::Replayed,
        }
    }
}

impl Grant {
    /// A grant without tokens.
    pub(crate) fn none(epoch: Epoch) -> Self {
        Self { epoch, since: None, access: None, refresh: None, ids: TokenIds::default() }
    }

    pub(crate) fn is_younger_than(&self, age: Duration, now: Now) -> bool {
        self.since.is_some_and(|since| now.mono.since(since) < age)
    }

    /// When its last token ends. `None` if it has none.
    pub(super) fn last_end(&self) -> Option<End> {
        let refresh = self.refresh.as_ref().map(|refresh| refresh.end);
        refresh.or(self.access.as_ref().map(|access| access.bearer.end()))
    }

    pub(crate) fn usable_access(&self, now: Now) -> Option<&Access> {
        self.access.as_ref().filter(|access| !access.bearer.remaining(now).is_zero())
    }

    pub(crate) fn usable_refresh(&self, now: Now) -> Option<&Refresh> {
        self.refresh.as_ref().filter(|refresh| !refresh.end.is_past(now))
    }
}

pub(crate) fn phase(grant: Option<&Grant>, now: Now) -> Phase<'_> {
    let Some(grant) = grant else { return Phase::Unauthenticated };
    match grant.usable_access(now) {
        Some(access) => {
            let usable = Usable { access, refresh: grant.refresh.as_ref(), now };
            if usable.remaining() <= access.margin {
                Phase::Expiring(usable)
            } else {
                Phase::Valid(usable)
            }
        }
        None if grant.usable_refresh(now).is_some() => Phase::Expired,
        None => Phase::Unauthenticated,
    }
}

/// What a session's tokens can be used for at one moment. A phase says nothing about whether
/// credentials are held.
#[derive(Clone, Copy, Debug)]
pub enum Phase<'a> {
    /// No access token and no refresh token is alive.
    Unauthenticated,
    /// The access token is usable, and no renewal is due.
    Valid(Usable<'a>),
    /// The access token is usable, and a renewal is due. The old token serves until then.
    Expiring(Usable<'a>),
    /// The access token is dead and the refresh token is alive: the session can renew, but has no
    /// usable token.
    Expired,
}

impl<'a> Phase<'a> {
    /// Returns the grant in the two phases in which it is usable.
    #[must_use]
    pub fn usable(self) -> Option<Usable<'a>> {
        match self {
            Self::Valid(usable) | Self::Expiring(usable) => Some(usable),
            Self::Unauthenticated | Self::Expired => None,
        }
    }

    /// Returns the phase's name in lower case, as outputs show it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::Valid(_) => "valid",
            Self::Expiring(_) => "expiring",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Phase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A grant whose access token is usable. Only a usable phase has one.
#[derive(Clone, Copy, Debug)]
pub struct Usable<'a> {
    access: &'a Access,
    refresh: Option<&'a Refresh>,
    now: Now,
}

impl<'a> Usable<'a> {
    /// Returns the token to use.
    #[must_use]
    pub fn bearer(self) -> &'a Bearer {
        &self.access.bearer
    }

    /// Returns what is left of it, by the clock that leaves less. Never zero.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.access.bearer.remaining(self.now)
    }

    /// Returns its whole lifetime, counted from the moment at which its request was sent.
    #[must_use]
    pub fn lifetime(self) -> Duration {
        self.access.lifetime
    }

    /// Returns when the access token ends by the server's clock, as the server printed it.
    #[must_use]
    pub fn access_expire_at(self) -> Wall {
        self.access.expire_at
    }

    /// Returns when the refresh token ends by the server's clock. `None` if the grant has none.
    #[must_use]
    pub fn refresh_expire_at(self) -> Option<Wall> {
        self.refresh.map(|refresh| refresh.expire_at)
    }
}
