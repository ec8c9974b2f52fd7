//! Why a renewal did not bring a usable token: one value for the session and everyone who waits.
//!
//! Owns [`Trouble`], and [`Failure`], by which a driver reports that no reply came. A request that
//! left may have been processed; that it did not leave takes a [`NotSent`] to say.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::ReplyError;
use crate::exchange::Purpose;
use crate::recovery::Recovery;

/// An error of the driver's own, kept as the source of a [`Failure`].
pub type Source = Arc<dyn StdError + Send + Sync>;

/// A renewal that failed, and how.
#[derive(Clone, Debug)]
pub struct Trouble {
    purpose: Option<Purpose>,
    fault: Fault,
}

/// How a renewal failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The service answered, and not with a grant.
    Reply(ReplyError),
    /// No reply came.
    Failed(Failure),
    /// The grant's access token was dead when it came: the exchange took longer than it lives.
    DeadOnArrival,
    /// The grant's access token was good, and lives shorter than 100 ms, or than `policy.renew_after`
    /// where that is less: after it there is no token until that has passed.
    ShortLived,
    /// The service refused a token within `policy.settle` of granting it.
    Rejected,
}

impl Trouble {
    pub(crate) fn of(purpose: Purpose, fault: Fault) -> Self {
        Self { purpose: Some(purpose), fault }
    }

    pub(crate) fn rejected() -> Self {
        Self { purpose: None, fault: Fault::Rejected }
    }

    /// What the renewal's request was for; `None` where a call, not a renewal, met the trouble.
    #[must_use]
    pub fn purpose(&self) -> Option<Purpose> {
        self.purpose
    }

    /// How it failed.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// What kind of failure it is, in a word or two that do not change: `refused`, `unexpected`,
    /// `malformed`, `not sent`, `timed out`, `lost`, `dead on arrival`, `short-lived` or `rejected`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.fault {
            Fault::Reply(ReplyError::Refused(_)) => "refused",
            Fault::Reply(ReplyError::Unexpected(_)) => "unexpected",
            Fault::Reply(_) => "malformed",
            Fault::Failed(failure) if failure.is_not_sent() => "not sent",
            Fault::Failed(failure) if failure.is_timed_out() => "timed out",
            Fault::Failed(_) => "lost",
            Fault::DeadOnArrival => "dead on arrival",
            Fault::ShortLived => "short-lived",
            Fault::Rejected => "rejected",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match &self.fault {
            Fault::Reply(error) => error.recovery(),
            Fault::Failed(_) | Fault::Rejected => Recovery::Retry { after: None },
            Fault::DeadOnArrival | Fault::ShortLived => Recovery::Report,
        }
    }

    /// How long the service asks to wait, where it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.fault {
            Fault::Reply(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(purpose), false) = (self.purpose, matches!(self.fault, Fault::ShortLived)) {
            write!(f, "{purpose} failed: ")?;
        }
        match &self.fault {
            Fault::Reply(error) => error.fmt(f),
            Fault::Failed(failure) => failure.fmt(f),
            Fault::DeadOnArrival => {
                f.write_str("the token was dead on arrival: the reply took longer than it lives")
            }
            Fault::ShortLived => {
                f.write_str("the token lived too short a time to be renewed at once")
            }
            Fault::Rejected => f.write_str("the service rejected a token that it had just granted"),
        }
    }
}

impl StdError for Trouble {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.fault {
            Fault::Failed(failure) => failure.source(),
            _ => None,
        }
    }
}

/// That no reply came, as the driver reports it.
///
/// ```
/// use imts_core::{Failure, NotSent};
///
/// let refused = Failure::not_sent(NotSent::vouch());
/// assert!(refused.is_not_sent());
/// let lost = Failure::unknown().timed_out();
/// assert!(!lost.is_not_sent() && lost.is_timed_out());
/// ```
#[derive(Clone, Debug)]
pub struct Failure {
    not_sent: Option<NotSent>,
    timed_out: bool,
    source: Option<Source>,
}

impl Failure {
    /// The request never left, as the proof says.
    #[must_use]
    pub fn not_sent(proof: NotSent) -> Self {
        Self { not_sent: Some(proof), timed_out: false, source: None }
    }

    /// The request may have left and been processed: whatever a driver does not know better.
    #[must_use]
    pub fn unknown() -> Self {
        Self { not_sent: None, timed_out: false, source: None }
    }

    /// The same failure, by running out of time.
    #[must_use]
    pub fn timed_out(self) -> Self {
        Self { timed_out: true, ..self }
    }

    /// The same failure, with the driver's error as its [cause](Failure::cause). Its text, which must
    /// hold no secret, becomes a part of the failure's own.
    #[must_use]
    pub fn because(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// The driver's own error, if it gave one.
    ///
    /// The failure's text includes that of the cause. So the failure's `source()` is what caused the
    /// cause: whoever prints an error and all its sources prints each of them once.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.source.as_deref()
    }

    /// The proof that the request did not leave, where there is one.
    pub(crate) fn proof(&self) -> Option<&NotSent> {
        self.not_sent.as_ref()
    }

    /// Whether the request is known not to have left.
    #[must_use]
    pub fn is_not_sent(&self) -> bool {
        self.not_sent.is_some()
    }

    /// Whether it failed by running out of time.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        self.timed_out
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.is_not_sent(), self.timed_out) {
            (true, false) => "the service could not be reached",
            (true, true) => "the service could not be reached in time",
            (false, false) => "the connection broke before a whole reply came",
            (false, true) => "no whole reply came in time",
        })?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref()?.source()
    }
}

/// Proof that a request never left this machine, so that it cannot have been processed.
#[derive(Clone, Debug)]
#[must_use]
pub struct NotSent(());

impl NotSent {
    /// Vouches that not one byte of the request was handed to a connection that could have
    /// delivered it: resolution, connect or TLS handshake failed, or the HTTP client handed the
    /// unsent message back.
    ///
    /// Never for a pooled connection that died, and never for "connection closed before the message
    /// completed", which proves nothing: a request vouched for wrongly may be sent, and processed,
    /// twice.
    pub fn vouch() -> Self {
        Self(())
    }
}
