//! Why a client could not return a token.
//!
//! Owns the error that a caller gets. The core explains why a renewal failed.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use imts_core::Recovery;
use imts_core::session::{RenewalCause, RenewalError};
use imts_core::transport_error::Source;

/// Why a client could not return a token. Cheap to clone: all callers that waited for one renewal
/// get the same error.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The renewal that the caller waited for failed.
    Renewal(Arc<RenewalError>),
    /// A renewal failed a moment ago, and the next one is not due yet.
    Waiting {
        /// How long until the next renewal is due.
        wait: Duration,
        /// Why the last renewal failed.
        last: Arc<RenewalError>,
    },
    /// The client needs new credentials.
    SignIn {
        /// Why the last renewal failed, if one was tried.
        last: Option<Arc<RenewalError>>,
    },
    /// The client needs credentials, and the
    /// [callback](crate::Builder::credentials_from) returned none.
    Credentials {
        /// How long until the callback may be called again.
        wait: Duration,
        /// Why the callback failed. Its text is part of this error's text. It is in two boxes,
        /// because a wide pointer here made the ask of a handle 4 instructions longer.
        why: Arc<Source>,
    },
    /// The caller's own patience ended. The renewal continues without this caller.
    TimedOut,
    /// A token was received, but the service's tokens do not live as long as the caller asked for.
    ShortLived {
        /// The remaining life of the token that was received.
        remaining: Duration,
    },
    /// A transport or a hook of the client asked the same client for a token, inside the renewal
    /// that it would have to wait for.
    Reentrant,
    /// The client was closed.
    Closed,
}

impl TokenError {
    /// Returns the renewal's error behind this one, if there is one.
    #[must_use]
    pub fn renewal_error(&self) -> Option<&RenewalError> {
        match self {
            Self::Renewal(last) | Self::Waiting { last, .. } => Some(last),
            Self::SignIn { last } => last.as_deref(),
            _ => None,
        }
    }

    /// Returns what to do about the error.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Renewal(error) => error.recovery(),
            Self::Waiting { wait, .. } | Self::Credentials { wait, .. } => {
                Recovery::Retry { after: Some(*wait) }
            }
            Self::SignIn { .. } => Recovery::SignIn,
            Self::TimedOut => Recovery::Retry { after: None },
            Self::ShortLived { .. } | Self::Reentrant | Self::Closed => Recovery::Fix,
        }
    }

    /// Returns whether a time limit ended: the caller's or the exchange's.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        match (self, self.renewal_error().map(RenewalError::why)) {
            (Self::TimedOut, _) => true,
            (_, Some(RenewalCause::Failed(failure))) => failure.is_timed_out(),
            _ => false,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renewal(error) => error.fmt(f),
            Self::Waiting { wait, last } => {
                write!(f, "the next renewal is due in {:.1} s: {last}", wait.as_secs_f64())
            }
            Self::SignIn { last: Some(last) } => write!(f, "new credentials are needed: {last}"),
            Self::SignIn { last: None } => f.write_str("credentials are needed to sign in"),
            Self::Credentials { why, .. } => {
                write!(f, "the credentials could not be read: {why}")
            }
            Self::TimedOut => f.write_str("timed out waiting for a token"),
            Self::ShortLived { remaining } => {
                let left = remaining.as_secs_f64();
                write!(
                    f,
                    "the service's tokens do not live as long as was asked for: {left:.1} s \
                           are left"
                )
            }
            Self::Reentrant => f.write_str(
                "a transport or a hook of the client asked the same client for a token, inside the \
                 renewal: this would wait for ever",
            ),
            Self::Closed => f.write_str("the client is closed"),
        }
    }
}

impl StdError for TokenError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Credentials { why, .. } => why.source(),
            _ => self.renewal_error().and_then(StdError::source),
        }
    }
}
