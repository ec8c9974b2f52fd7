//! Why an ask brought no token.
//!
//! Owns what an asker is told. Why a renewal failed is the core's to say.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use imts_core::{Fault, Recovery, Trouble};

/// Why a client could not give a token. Cheap to clone: all who waited for one renewal are told the
/// same one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The renewal that the caller waited for failed.
    Renewal(Arc<Trouble>),
    /// A renewal failed a moment ago, and the next one is not due yet.
    Waiting {
        /// How long until the next one is due.
        wait: Duration,
        /// Why the last one failed.
        last: Arc<Trouble>,
    },
    /// Only new credentials help.
    SignIn {
        /// Why the last renewal failed, where one was tried.
        last: Option<Arc<Trouble>>,
    },
    /// The caller's own patience ended. The renewal goes on without it.
    TimedOut,
    /// A token came, and the service's tokens do not live as long as was asked for.
    ShortLived {
        /// What is left of the token that came.
        remaining: Duration,
    },
    /// The ask came from inside the renewal that it would have to wait for: from a transport or a
    /// hook of the same client.
    Reentrant,
    /// The client was closed.
    Closed,
}

impl CallError {
    /// The renewal's trouble behind this error, where there is one.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Renewal(last) | Self::Waiting { last, .. } => Some(last),
            Self::SignIn { last } => last.as_deref(),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Renewal(trouble) => trouble.recovery(),
            Self::Waiting { wait, .. } => Recovery::Retry { after: Some(*wait) },
            Self::SignIn { .. } => Recovery::SignIn,
            Self::TimedOut => Recovery::Retry { after: None },
            Self::ShortLived { .. } | Self::Reentrant | Self::Closed => Recovery::Fix,
        }
    }

    /// Whether time ran out: the caller's, or the exchange's.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        match (self, self.trouble().map(Trouble::fault)) {
            (Self::TimedOut, _) => true,
            (_, Some(Fault::Failed(failure))) => failure.is_timed_out(),
            _ => false,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renewal(trouble) => trouble.fmt(f),
            Self::Waiting { wait, last } => {
                write!(f, "no renewal is due for another {:.1} s: {last}", wait.as_secs_f64())
            }
            Self::SignIn { last: Some(last) } => write!(f, "new credentials are needed: {last}"),
            Self::SignIn { last: None } => f.write_str("credentials are needed to sign in"),
            Self::TimedOut => f.write_str("no token came within the caller's time limit"),
            Self::ShortLived { remaining } => {
                let left = remaining.as_secs_f64();
                write!(f, "the service's tokens do not live that long: {left:.1} s are left")
            }
            Self::Reentrant => f.write_str(
                "a token was asked for from inside the renewal that would bring it (by a \
                 transport or a hook of the same client)",
            ),
            Self::Closed => f.write_str("the client is closed"),
        }
    }
}

impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.trouble().and_then(StdError::source)
    }
}
