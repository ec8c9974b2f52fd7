//! How a call ends, and what each end allows the caller to do.
//!
//! Owns the four ends and the permit. Does not know which reply leads to which end:
//! [`judge`](super::judge) decides that.

use std::error::Error as StdError;
use std::fmt;

use super::question::Question;
use super::setup::Frozen;
use super::{Call, Decode};
use crate::error::ReplyError;
use crate::journal::Digest;
use crate::operation::Class;
use crate::printable::Printable;
use crate::recovery::Recovery;
use crate::refusal::Refusal;
use crate::time::{Mono, Wall};
use crate::transport_error::{Source, TransportError};

/// The outcome of a call.
#[derive(Debug)]
#[must_use]
pub enum Outcome<R> {
    /// The service did it, and this is its reply: a 2xx that is not a refusal.
    Done(R),
    /// The service refused it: nothing was created, and no money moved.
    Refused(Refusal),
    /// The call was sent, and no reply says what happened: it may have been done. **Never simply
    /// send it again**: ask Status, Info or Search first.
    Unknown(Unknown),
    /// It was not done: nothing was sent, or the call only reads and got no answer.
    Failed(Failed<R>),
}

impl<R> Outcome<R> {
    /// Returns what to do about it. `None` if it was done.
    #[must_use]
    pub fn recovery(&self) -> Option<Recovery> {
        match self {
            Self::Done(_) => None,
            Self::Refused(refusal) => Some(refusal.recovery_of_call()),
            Self::Unknown(_) => Some(Recovery::Resolve),
            Self::Failed(failed) => Some(failed.why().recovery()),
        }
    }

    /// Returns what a journal records of it.
    #[must_use]
    pub fn ending(&self) -> Ending {
        match self {
            Self::Done(_) => Ending::Done,
            Self::Refused(_) => Ending::Refused,
            Self::Unknown(_) => Ending::Unknown,
            Self::Failed(_) => Ending::NotSent,
        }
    }
}

/// The outcome of a call, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The service did it.
    Done,
    /// The service refused it.
    Refused,
    /// Its outcome is not known.
    Unknown,
    /// It was not processed.
    NotSent,
}

impl Ending {
    /// Returns the name in lower case, as outputs and journals show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::NotSent => "not_sent",
        }
    }
}

/// A call that was sent and whose outcome no reply reports. It holds what is needed to find out.
#[derive(Clone, Debug)]
#[must_use = "it may have been done: find out before anything is sent again"]
pub struct Unknown {
    pub(super) operation: String,
    pub(super) class: Class,
    pub(super) reference: Option<String>,
    pub(super) sent_at: Wall,
    pub(super) digest: Digest,
    pub(super) question: Option<Question>,
    pub(super) why: CallError,
}

impl Unknown {
    /// Returns the operation's name.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the operation's class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// Returns the caller's own name for what was asked for.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    /// Returns when it was first sent, by this machine's clock.
    #[must_use]
    pub fn sent_at(&self) -> Wall {
        self.sent_at
    }

    /// Returns the digest of the bytes that were sent.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns what to ask the service, if it is known which operation says what became of this one.
    #[must_use]
    pub fn question(&self) -> Option<&Question> {
        self.question.as_ref()
    }

    /// Returns why the outcome is not known.
    #[must_use]
    pub fn why(&self) -> &CallError {
        &self.why
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if let Some(reference) = &self.reference {
            write!(f, " (reference {})", Printable(reference))?;
        }
        write!(f, ": outcome unknown: {}. It may have been done: ", self.why)?;
        match &self.question {
            Some(question) => write!(
                f,
                "{question}, and do not send it again unless that says that it was not done"
            ),
            None => f.write_str(
                "ask status, info or search, and do not send it again unless they say that it was \
                 not done",
            ),
        }
    }
}

/// A call that was not done.
#[must_use]
pub struct Failed<R> {
    pub(super) why: CallError,
    pub(super) permit: Option<Permit<R>>,
}

impl<R> Failed<R> {
    /// Returns why it was not done.
    #[must_use]
    pub fn why(&self) -> &CallError {
        &self.why
    }

    /// Returns the permit to send the same bytes again. There is one if this call's request was
    /// made.
    #[must_use]
    pub fn into_permit(self) -> Option<Permit<R>> {
        self.permit
    }
}

impl<R> fmt::Debug for Failed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failed").field("why", &self.why).finish_non_exhaustive()
    }
}

/// Permits one more try of a call that is known not to have been processed. It holds the call's
/// request, so it permits no other. A retry consumes it. Only this crate can make one.
///
/// ```compile_fail,E0061
/// # use imts_core::operation::Json;
/// # use imts_core::time::Mono;
/// # use imts_core::Permit;
/// fn again(permit: Permit<Json>, until: Mono) {
///     let call = Permit::retry(until); // a retry without a permit
/// }
/// ```
///
/// ```compile_fail,E0382
/// # use imts_core::operation::Json;
/// # use imts_core::time::Mono;
/// # use imts_core::Permit;
/// fn twice(permit: Permit<Json>, until: Mono) {
///     let (one, two) = (permit.retry(until), permit.retry(until));
/// }
/// ```
///
/// ```compile_fail,E0599
/// # use imts_core::call::Unknown;
/// # use imts_core::operation::Json;
/// # use imts_core::time::Mono;
/// fn after_all(unknown: Unknown, until: Mono) {
///     let call = unknown.into_permit().unwrap().retry(until);
/// }
/// ```
///
/// ```
/// # use imts_core::operation::Json;
/// # use imts_core::time::Mono;
/// # use imts_core::{Call, Permit};
/// fn once(permit: Permit<Json>, until: Mono) -> Call<Json> {
///     permit.retry(until)
/// }
/// ```
pub struct Permit<R> {
    pub(super) frozen: Box<Frozen>,
    pub(super) decode: Decode<R>,
}

impl<R> Permit<R> {
    /// Makes the call again, with the same bytes. It must end by `deadline`.
    #[must_use]
    pub fn retry(self, deadline: Mono) -> Call<R> {
        Call::thawed(self.frozen, self.decode, deadline)
    }
}

impl<R> fmt::Debug for Permit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("operation", &self.frozen.name).finish_non_exhaustive()
    }
}

/// The reason why a call brought no usable reply.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallError {
    /// The service answered, but not with a success.
    Reply(ReplyError),
    /// No reply came.
    Failed(TransportError),
    /// There was no token to send it with. Holds the reason and what to do about it.
    NoToken(Source, Recovery),
    /// The journal could not be written.
    Journal(Source),
    /// The caller's time limit passed before it could be sent.
    OutOfTime,
    /// The service says that it has this request already, so an earlier one arrived.
    Duplicate(Refusal),
}

impl CallError {
    /// Returns what to do about it, if it is known that nothing was done.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Reply(error) => error.recovery(),
            Self::NoToken(_, recovery) => *recovery,
            Self::Failed(_) | Self::OutOfTime => Recovery::Retry { after: None },
            Self::Journal(_) | Self::Duplicate(_) => Recovery::Fix,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(error) => error.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
            Self::NoToken(source, _) => write!(f, "no token for the call: {source}"),
            Self::Journal(source) => {
                write!(f, "cannot write the journal, so nothing was sent: {source}")
            }
            Self::OutOfTime => f.write_str("timed out before the call was sent"),
            Self::Duplicate(refusal) => {
                write!(f, "the service has a request with this id already: {refusal}")
            }
        }
    }
}

impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed(failure) => failure.source(),
            // Their texts are already part of this error's text.
            Self::NoToken(source, _) | Self::Journal(source) => source.source(),
            _ => None,
        }
    }
}
