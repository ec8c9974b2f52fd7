//! What a second request with the same id does, and so what a lost or refusing reply means.
//!
//! Owns the three rules. If the service replays its reply, the same bytes go again. If it refuses a
//! repeated request, nothing goes again, and its refusal proves that an earlier one arrived. If it
//! is not known, nothing goes again. Does not know how a reply was read.

use http::StatusCode;

use super::meaning::{Meaning, Pause, Proof};
use super::outcome::CallError;
use super::setup::Frozen;
use crate::error::ReplyError;
use crate::operation::{Class, Repeat};
use crate::refusal::Refusal;

impl Frozen {
    fn repeat(&self) -> &Repeat {
        const UNKNOWN: &Repeat = &Repeat::Unknown;
        self.extras.as_ref().map_or(UNKNOWN, |extras| &extras.conduct.repeat)
    }

    /// Whether the service replays its reply to a request that it has already.
    pub(super) fn is_replayed(&self) -> bool {
        self.class != Class::Read && *self.repeat() == Repeat::Replayed
    }

    /// Whether the service refuses a request that it has already.
    pub(super) fn is_refused_again(&self) -> bool {
        matches!(self.repeat(), Repeat::Refused { .. })
    }
}

/// What a refusal means if it says, or could say, that the service has the request already.
pub(super) fn duplicate<R>(frozen: &Frozen, refusal: &Refusal) -> Option<Meaning<R>> {
    let Repeat::Refused { codes } = frozen.repeat() else { return None };
    if !refusal.code().is_some_and(|code| codes.contains(code)) {
        return None;
    }
    let why = CallError::Duplicate(refusal.clone());
    Some(if frozen.class == Class::Read { Meaning::Failed(why) } else { Meaning::Unknown(why) })
}

/// Whether any refusal could say that the service has the request already.
pub(super) fn could_be_duplicate(frozen: &Frozen) -> bool {
    frozen.class != Class::Read
        && matches!(frozen.repeat(), Repeat::Refused { codes } if codes.is_empty())
}

/// What a reply means once an earlier attempt may have arrived. The reply may be the first one,
/// replayed, or one to this attempt alone. Only what the service says under a success is taken for
/// the former.
pub(super) fn after_loss<R>(frozen: &Frozen, error: ReplyError, status: StatusCode) -> Meaning<R> {
    match &error {
        ReplyError::Refused(refusal) if status.is_success() && refusal.is_proven() => {
            Meaning::Refused(refusal.clone())
        }
        _ => again(frozen, Meaning::Unknown(CallError::Reply(error)), status),
    }
}

/// Sends a call again whose outcome is not known, if the service replays its reply and may soon have
/// one.
pub(super) fn again<R>(frozen: &Frozen, meaning: Meaning<R>, status: StatusCode) -> Meaning<R> {
    let may_pass = matches!(status.as_u16(), 408 | 425 | 429 | 500..=599);
    match (meaning, Proof::of_replayed(frozen)) {
        (Meaning::Unknown(why), Some(proof)) if may_pass => {
            let retry_after = match &why {
                CallError::Reply(error) => error.retry_after(),
                _ => None,
            };
            Meaning::Again { proof, why, pause: Pause::BackOff(retry_after) }
        }
        (meaning, _) => meaning,
    }
}
