//! What a reply, or its absence, can mean for a call, and the proofs that a retry needs.
//!
//! Owns the grounds of a proof. Only this module makes one, and the retry consumes it. Does not know
//! which reply means what.

use std::time::Duration;

use super::outcome::CallError;
use super::setup::Frozen;
use crate::operation::{Auth, Class};
use crate::refusal::Refusal;
use crate::transport_error::NotSent;

/// What a reply, or its absence, means.
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
    /// The service does nothing for a request that it has already, and replies as it did before.
    Replayed,
}

impl Proof {
    pub(super) fn of_not_sent(_: &NotSent) -> Self {
        Self(Ground::NotSent)
    }

    /// Such a 401 is about the token. If the request carries no token, it proves nothing.
    pub(super) fn of_unauthorized(frozen: &Frozen) -> Option<Self> {
        let is_proof = frozen.policy.unauthorized_is_unprocessed && frozen.auth == Auth::Bearer;
        is_proof.then_some(Self(Ground::Unauthorized))
    }

    /// A read that the service refuses to answer twice is not repeated.
    pub(super) fn of_read(frozen: &Frozen) -> Option<Self> {
        let is_proof = frozen.class == Class::Read && !frozen.is_refused_again();
        is_proof.then_some(Self(Ground::Reads(None)))
    }

    /// A reply that shows that a read was not answered. `refusal` is what it was refused with.
    pub(super) fn of_unanswered_read(refusal: Option<Refusal>) -> Self {
        Self(Ground::Reads(refusal))
    }

    pub(super) fn of_replayed(frozen: &Frozen) -> Option<Self> {
        frozen.is_replayed().then_some(Self(Ground::Replayed))
    }

    /// Whether an attempt may have arrived in spite of it.
    pub(super) fn leaves_doubt(&self) -> bool {
        matches!(self.0, Ground::Replayed)
    }

    /// The refusal with which the call ends, if it is not sent again after all.
    pub(super) fn into_refusal(self) -> Option<Refusal> {
        match self.0 {
            Ground::Reads(refusal) => refusal,
            Ground::NotSent | Ground::Unauthorized | Ground::Replayed => None,
        }
    }
}
