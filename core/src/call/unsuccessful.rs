//! A call's outcome as a `Result`, for `?`.
//!
//! Owns the three ends other than success, kept apart. Does not know which reply leads to which end.

use std::error::Error as StdError;
use std::fmt;

use super::outcome::{Failed, Outcome, Unknown};
use crate::recovery::Recovery;
use crate::refusal::Refusal;

/// How a call ended that is not known to be done.
///
/// It is not a [`std::error::Error`], so `?` does not turn it into `Box<dyn Error>` or the like: an
/// [`Unknown`] would then look like any failure, and be sent again. Match it, or convert it into an
/// error of your own that has a case for the unknown outcome. Each case by itself is an error. The
/// large ones are boxed, so that a `Result` stays small.
///
/// ```
/// use imts_core::call::{Unknown, Unsuccessful};
/// use imts_core::Outcome;
///
/// #[derive(Debug)]
/// enum PayError {
///     NotPaid(Box<dyn std::error::Error>),
///     AskTheService(Box<Unknown>),
/// }
///
/// impl<R: 'static> From<Unsuccessful<R>> for PayError {
///     fn from(end: Unsuccessful<R>) -> Self {
///         match end {
///             Unsuccessful::Refused(refusal) => Self::NotPaid(refusal.into()),
///             Unsuccessful::Failed(failed) => Self::NotPaid(failed.into()),
///             Unsuccessful::Unknown(unknown) => Self::AskTheService(unknown),
///         }
///     }
/// }
///
/// fn pay<R: 'static>(outcome: Outcome<R>) -> Result<R, PayError> {
///     Ok(outcome.into_result()?)
/// }
/// assert_eq!(pay(Outcome::Done(17)).unwrap(), 17);
/// ```
///
/// ```compile_fail,E0277
/// # use imts_core::Outcome;
/// # use imts_core::operation::Json;
/// fn pay(outcome: Outcome<Json>) -> Result<Json, Box<dyn std::error::Error>> {
///     Ok(outcome.into_result()?) // the unknown outcome is not named
/// }
/// ```
#[must_use]
pub enum Unsuccessful<R> {
    /// The service refused it: nothing was created, and no money moved.
    Refused(Box<Refusal>),
    /// It may have been done. Ask the service before anything is sent again.
    Unknown(Box<Unknown>),
    /// It was not done: nothing was sent, or the call only reads and got no answer.
    Failed(Failed<R>),
}

impl<R> fmt::Debug for Unsuccessful<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            Self::Unknown(unknown) => f.debug_tuple("Unknown").field(unknown).finish(),
            Self::Failed(failed) => f.debug_tuple("Failed").field(failed).finish(),
        }
    }
}

impl<R> Unsuccessful<R> {
    /// Returns what to do about it, as [`Outcome::recovery`] does.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Refused(refusal) => refusal.recovery_of_call(),
            Self::Unknown(_) => Recovery::Resolve,
            Self::Failed(failed) => failed.why().recovery(),
        }
    }
}

impl<R> Outcome<R> {
    /// Returns the reply if the call was done, and otherwise how it ended. The three other ends
    /// stay apart: see [`Unsuccessful`].
    ///
    /// # Errors
    ///
    /// Returns [`Unsuccessful`] if the call is not known to be done.
    pub fn into_result(self) -> Result<R, Unsuccessful<R>> {
        match self {
            Self::Done(reply) => Ok(reply),
            Self::Refused(refusal) => Err(Unsuccessful::Refused(refusal.into())),
            Self::Unknown(unknown) => Err(Unsuccessful::Unknown(unknown.into())),
            Self::Failed(failed) => Err(Unsuccessful::Failed(failed)),
        }
    }
}

impl StdError for Unknown {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.why().source()
    }
}

impl<R> fmt::Display for Failed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call was not done: {}", self.why())
    }
}

impl<R> StdError for Failed<R> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.why().source()
    }
}
