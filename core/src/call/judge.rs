//! What a reply, or its absence, means for a call: done, refused, unknown, or to be sent again.
//!
//! Owns the table of replies by class, and the proofs that a retry needs. Only this module makes a
//! proof, and the retry consumes it.

use std::time::Duration;

use http::StatusCode;

use super::outcome::CallError;
use super::setup::Frozen;
use crate::error::ReplyError;
use crate::operation::{Auth, Class};
use crate::refusal::Refusal;
use crate::transport_error::{NotSent, TransportError};
use crate::wire::{self, Asked, Reply};

pub(super) enum Meaning<R> {
    Over(R),
    Refused(Refusal),
    Failed(CallError),
    Unknown(CallError),
    Again { proof: Proof, why: CallError, pause: Pause },
}

/// How long to wait before the next attempt.
#[derive(Clone, Copy)]
pub(super) enum Pause {
    /// No wait: only the token was refused. A call has at most one such attempt.
    None,
    /// As long as the back-off, or as the service asks if that is longer.
    BackOff(Option<Duration>),
}

/// Proof that a request may be sent again. Not `Clone`: each retry needs its own.
pub(super) struct Proof(Ground);

enum Ground {
    /// The request never left.
    NotSent,
    /// The service refused it for its token, and the policy says that this comes before any
    /// processing.
    Unauthorized,
    /// The request changes nothing. Holds the refusal, if a refusal came.
    Reads(Option<Refusal>),
}

impl Proof {
    fn of_not_sent(_: &NotSent) -> Self {
        Self(Ground::NotSent)
    }

    /// Such a 401 is about the token. If the request carries no token, it proves nothing.
    fn of_unauthorized(frozen: &Frozen) -> Option<Self> {
        let is_proof = frozen.policy.unauthorized_is_unprocessed && frozen.auth == Auth::Bearer;
        is_proof.then_some(Self(Ground::Unauthorized))
    }

    fn of_read(class: Class) -> Option<Self> {
        (class == Class::Read).then_some(Self(Ground::Reads(None)))
    }

    /// The refusal with which the call ends, if it is not sent again after all.
    pub(super) fn into_refusal(self) -> Option<Refusal> {
        match self.0 {
            Ground::Reads(refusal) => refusal,
            Ground::NotSent | Ground::Unauthorized => None,
        }
    }
}

/// What a reply means, after it was read as `outcome`.
pub(super) fn reply<R>(
    frozen: &Frozen,
    outcome: Result<R, ReplyError>,
    reply: Reply<'_>,
    asked: Asked<'_>,
    retried_after_401: bool,
) -> Meaning<R> {
    let error = match outcome {
        Ok(reply) => return Meaning::Over(reply),
        Err(error) => error,
    };
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
    let is_whole = reply.body.len() <= asked.limit;
    match frozen.class {
        // If the request carried no token, the token was not the reason for the refusal.
        Class::Read => read(error, retried_after_401 || frozen.auth == Auth::None),
        Class::Create | Class::Money => write(error, frozen, is_whole, retried_after_401),
    }
}

/// What it means that no reply came.
pub(super) fn failure<R>(class: Class, failure: TransportError) -> Meaning<R> {
    let proof = failure.proof().map(Proof::of_not_sent);
    let proof = proof.or_else(|| Proof::of_read(class));
    let why = CallError::Failed(failure);
    match proof {
        Some(proof) => Meaning::Again { proof, why, pause: Pause::BackOff(None) },
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
fn read<R>(error: ReplyError, retried_after_401: bool) -> Meaning<R> {
    let status = match &error {
        ReplyError::Refused(refusal) => refusal.status(),
        ReplyError::Unexpected { status, .. } => *status,
        ReplyError::Malformed(_) => return Meaning::Failed(CallError::Reply(error)),
    };
    let pause = match status.as_u16() {
        401 if !retried_after_401 => Some(Pause::None),
        408 | 425 | 429 | 500..=599 => Some(Pause::BackOff(error.retry_after())),
        _ => None,
    };
    let refusal = match &error {
        ReplyError::Refused(refusal) => Some(refusal.clone()),
        _ => None,
    };
    match (pause, refusal) {
        (Some(pause), refusal) => {
            let proof = Proof(Ground::Reads(refusal));
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
