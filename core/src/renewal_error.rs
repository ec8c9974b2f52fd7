//! Why a renewal brought no usable token. The session and all waiting callers get the same value.
//!
//! Owns that error: its kind, its text, and what to do about it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::error::ReplyError;
use crate::exchange::Purpose;
use crate::recovery::Recovery;
use crate::transport_error::{Source, TransportError};

/// A renewal that failed, and how.
#[derive(Clone, Debug)]
pub struct RenewalError {
    purpose: Option<Purpose>,
    why: RenewalCause,
}

/// How a renewal failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RenewalCause {
    /// The service answered, but not with a grant.
    Reply(ReplyError),
    /// No reply came.
    Failed(TransportError),
    /// The grant's access token had expired when it arrived: the exchange took longer than the
    /// token lives.
    DeadOnArrival,
    /// The grant's access token was good, but its lifetime is under 100 ms, or under
    /// `policy.renew_after` if that is less. After it ends, the session has no token until that
    /// time has passed.
    ShortLived,
    /// The service refused a token within `policy.settle` of granting it.
    Rejected,
    /// The shared store did not answer, or its answer cannot be used. The source says why.
    Store(Source),
    /// A sibling's renewal failed, and its back-off counts for all that share the store.
    Sibling,
}

impl RenewalError {
    pub(crate) fn of(purpose: Purpose, why: RenewalCause) -> Self {
        Self { purpose: Some(purpose), why }
    }

    pub(crate) fn store(source: Source) -> Self {
        Self { purpose: None, why: RenewalCause::Store(source) }
    }

    pub(crate) fn sibling() -> Self {
        Self { purpose: None, why: RenewalCause::Sibling }
    }

    pub(crate) fn rejected() -> Self {
        Self { purpose: None, why: RenewalCause::Rejected }
    }

    /// Returns what the renewal's request was for. `None` if the error came from a call, not from a
    /// renewal.
    #[must_use]
    pub fn purpose(&self) -> Option<Purpose> {
        self.purpose
    }

    /// Returns how it failed.
    #[must_use]
    pub fn why(&self) -> &RenewalCause {
        &self.why
    }

    /// Returns the kind of failure, in one to three words that do not change: `refused`,
    /// `unexpected`, `malformed`, `not sent`, `timed out`, `lost`, `dead on arrival`, `short-lived`,
    /// `rejected`, `store` or `sibling`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.why {
            RenewalCause::Reply(ReplyError::Refused(_)) => "refused",
            RenewalCause::Reply(ReplyError::Unexpected { .. }) => "unexpected",
            RenewalCause::Reply(_) => "malformed",
            RenewalCause::Failed(failure) if failure.is_not_sent() => "not sent",
            RenewalCause::Failed(failure) if failure.is_timed_out() => "timed out",
            RenewalCause::Failed(_) => "lost",
            RenewalCause::DeadOnArrival => "dead on arrival",
            RenewalCause::ShortLived => "short-lived",
            RenewalCause::Rejected => "rejected",
            RenewalCause::Store(_) => "store",
            RenewalCause::Sibling => "sibling",
        }
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match &self.why {
            RenewalCause::Reply(error) => error.recovery(),
            RenewalCause::Failed(_)
            | RenewalCause::Rejected
            | RenewalCause::Store(_)
            | RenewalCause::Sibling => Recovery::Retry { after: None },
            RenewalCause::DeadOnArrival | RenewalCause::ShortLived => Recovery::Report,
        }
    }

    /// Returns how long the service asks to wait, if it asks.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.why {
            RenewalCause::Reply(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl fmt::Display for RenewalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(purpose), false) = (self.purpose, matches!(self.why, RenewalCause::ShortLived))
        {
            write!(f, "{purpose} failed: ")?;
        }
        match &self.why {
            RenewalCause::Reply(error) => error.fmt(f),
            RenewalCause::Failed(failure) => failure.fmt(f),
            RenewalCause::DeadOnArrival => f.write_str(
                "the token had expired when it arrived: the reply took longer than the token lives",
            ),
            RenewalCause::ShortLived => {
                f.write_str("the token's lifetime is too short to renew it at once")
            }
            RenewalCause::Rejected => {
                f.write_str("the service rejected a token that it had just granted")
            }
            RenewalCause::Store(source) => {
                write!(f, "the shared store is of no use now ({source})")
            }
            RenewalCause::Sibling => f.write_str(
                "another process that shares this session failed to renew it, and is backing off",
            ),
        }
    }
}

impl StdError for RenewalError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.why {
            RenewalCause::Failed(failure) => failure.source(),
            RenewalCause::Store(source) => source.source(),
            _ => None,
        }
    }
}
