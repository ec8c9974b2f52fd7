//! What a reply, or its absence, means for a call: done, refused, unknown, or to be sent again.
//!
//! Owns the table of replies by class. What a repeated request does is in `repeats`.

use http::StatusCode;

use super::meaning::{Meaning, Pause, Proof};
use super::outcome::CallError;
use super::repeats;
use super::setup::Frozen;
use crate::error::ReplyError;
use crate::operation::{Auth, Class};
use crate::refusal::Refusal;
use crate::transport_error::TransportError;
use crate::wire::{self, Asked, Reply};

/// What a reply means, after it was read as `outcome`.
pub(super) fn reply<R>(
    frozen: &Frozen,
    outcome: Result<R, ReplyError>,
    reply: Reply<'_>,
    asked: Asked<'_>,
    past: Past,
) -> Meaning<R> {
    let error = match outcome {
        Ok(reply) => return Meaning::Over(reply),
        Err(error) => error,
    };
    if let ReplyError::Refused(refusal) = &error
        && let Some(meaning) = repeats::duplicate(frozen, refusal)
    {
        return meaning;
    }
    if past.may_have_arrived {
        return repeats::after_loss(frozen, error, reply.status);
    }
    if !reply.status.is_success() {
        let other;
        let refusal = match &error {
            ReplyError::Refused(refusal) => refusal,
            _ => {
                other = wire::refusal(reply, asked);
                &other
            }
        };
        if is_decided(frozen, refusal) {
            return Meaning::Refused(refusal.clone());
        }
    }
    if matches!(error, ReplyError::Refused(_)) && repeats::could_be_duplicate(frozen) {
        return Meaning::Unknown(CallError::Reply(error));
    }
    let is_whole = reply.body.len() <= asked.limit;
    match frozen.class {
        // If the request carried no token, the token was not the reason for the refusal.
        Class::Read => read(error, frozen, past.retried_after_401 || frozen.auth != Auth::Bearer),
        Class::Create | Class::Money => {
            let meaning = write(error, frozen, is_whole, past.retried_after_401);
            repeats::again(frozen, meaning, reply.status)
        }
    }
}

/// What happened to a call before a reply came.
#[derive(Clone, Copy)]
pub(super) struct Past {
    /// It was sent again because of a 401.
    pub(super) retried_after_401: bool,
    /// An earlier attempt may have arrived.
    pub(super) may_have_arrived: bool,
}

/// What it means that no reply came.
pub(super) fn failure<R>(frozen: &Frozen, failure: TransportError) -> Meaning<R> {
    let proof = failure.proof().map(Proof::of_not_sent);
    let proof = proof.or_else(|| Proof::of_read(frozen)).or_else(|| Proof::of_replayed(frozen));
    let why = CallError::Failed(failure);
    match proof {
        Some(proof) => Meaning::Again { proof, why, pause: Pause::BackOff(None) },
        None if frozen.class == Class::Read => Meaning::Failed(why),
        None => Meaning::Unknown(why),
    }
}

/// Whether the catalogue says that this refusal comes before any processing.
fn is_decided(frozen: &Frozen, refusal: &Refusal) -> bool {
    let code_is = |code| frozen.decided.codes.contains(code);
    frozen.decided.statuses.contains(&refusal.status().as_u16())
        || refusal.is_whole() && refusal.code().is_some_and(code_is)
}

/// Judges a reply that is not a success, to a call that changes nothing.
fn read<R>(error: ReplyError, frozen: &Frozen, retried_after_401: bool) -> Meaning<R> {
    let status = match &error {
        ReplyError::Refused(refusal) => refusal.status(),
        ReplyError::Unexpected { status, .. } | ReplyError::Unbelieved { status, .. } => *status,
        ReplyError::Malformed(_) | ReplyError::UnknownPath => {
            return Meaning::Failed(CallError::Reply(error));
        }
    };
    let pause = match status.as_u16() {
        401 if !retried_after_401 => Some(Pause::None),
        408 | 425 | 429 | 500..=599 if !frozen.is_refused_again() => {
            Some(Pause::BackOff(error.retry_after()))
        }
        _ => None,
    };
    let refusal = match &error {
        ReplyError::Refused(refusal) => Some(refusal.clone()),
        _ => None,
    };
    match (pause, refusal) {
        (Some(pause), refusal) => {
            let proof = Proof::of_unanswered_read(refusal);
            Meaning::Again { proof, why: CallError::Reply(error), pause }
        }
        (None, Some(refusal)) => Meaning::Refused(refusal),
        (None, None) => Meaning::Failed(CallError::Reply(error)),
    }
}

/// Judges a reply that is not a success, to a call that creates something or moves money.
fn write<R>(
    error: ReplyError,
    frozen: &Frozen,
    is_whole: bool,
    retried_after_401: bool,
) -> Meaning<R> {
    let ReplyError::Refused(refusal) = &error else {
        return Meaning::Unknown(CallError::Reply(error));
    };
    let status = refusal.status();
    if refusal.is_proven() && !status.is_server_error() {
        return Meaning::Refused(refusal.clone());
    }
    match status {
        // A 401 alone proves nothing: it is not published whether the token is judged first.
        StatusCode::UNAUTHORIZED => match Proof::of_unauthorized(frozen) {
            Some(_) if retried_after_401 => Meaning::Failed(CallError::Reply(error)),
            Some(proof) => {
                Meaning::Again { proof, why: CallError::Reply(error), pause: Pause::None }
            }
            None => Meaning::Unknown(CallError::Reply(error)),
        },
        status if status.is_client_error() && is_whole && !may_pass(status) => {
            Meaning::Refused(refusal.clone())
        }
        _ => Meaning::Unknown(CallError::Reply(error)),
    }
}

/// Statuses that a proxy, or a service under load, may return for a request that it accepted.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429)
}
