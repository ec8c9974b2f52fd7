//! The log of requests to the service: one entry for each request. No entry holds a secret.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;

use crate::operation::Operation;
use crate::time::Time;

/// One request to the service, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The number of the request, counted from 1.
    pub number: u64,
    /// When the request came, by the time that the sandbox was given, in microseconds since 1970.
    pub at_us: i64,
    /// The operation that the request asked for.
    pub operation: Operation,
    /// The status of the answer.
    pub status: u16,
    /// What was answered and why.
    pub verdict: Verdict,
}

/// The latest entries, and how many there ever were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    entries: Vec<Entry>,
    counts: BTreeMap<Operation, usize>,
    total: u64,
}

impl Log {
    /// Adds an entry. Forgets the oldest entries when there are twice `limit`, and then keeps
    /// `limit`.
    pub(crate) fn push(
        &mut self,
        limit: usize,
        at: Time,
        operation: Operation,
        status: StatusCode,
        verdict: Verdict,
    ) {
        if self.entries.len() >= limit.saturating_mul(2) {
            self.entries.drain(..self.entries.len().saturating_sub(limit));
        }
        self.total += 1;
        *self.counts.entry(operation).or_default() += 1;
        self.entries.push(Entry {
            number: self.total,
            at_us: at.micros(),
            operation,
            status: status.as_u16(),
            verdict,
        });
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.counts.get(&operation).copied().unwrap_or_default()
    }
}

/// What was answered and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The credentials were accepted and a grant was given.
    Granted,
    /// The refresh token was accepted and a grant was given.
    Refreshed,
    /// A retired refresh token was used within its grace period.
    RefreshedAgain,
    /// The bearer token was accepted.
    Echoed,
    /// An operation was answered. It had nothing to apply, or its script did not apply it.
    Answered,
    /// An operation that creates something or moves money was applied.
    Applied,
    /// The agent is unknown or the secret is wrong.
    WrongCredentials,
    /// The refresh token does not exist or was revoked.
    UnknownRefreshToken,
    /// The refresh token has expired.
    ExpiredRefreshToken,
    /// The refresh token was used before and is retired.
    ReusedRefreshToken,
    /// The authorization code does not exist or has expired.
    UnknownCode,
    /// The authorization code was used before.
    ReusedCode,
    /// A page for a browser, or its form.
    Page,
    /// The signature of a request is missing or wrong, or nobody is known who could have made it.
    BadSignature,
    /// A request whose id came before was refused, and not applied again.
    Repeated,
    /// The original reply to a request with this id was sent again, and nothing was applied again.
    Replayed,
    /// The payment calls of a merchant came too fast. It was not applied.
    TooFast,
    /// The settings refuse every refresh.
    RefusedRefresh,
    /// The bearer token is missing, unknown or revoked, or the settings reject all of them.
    BadBearer,
    /// The bearer token has expired.
    ExpiredBearer,
    /// A strict server does not take this request.
    BadRequest,
    /// The path does not exist.
    NoSuchPath,
    /// The ledger is full, and nothing was applied.
    LedgerFull,
    /// The service has an outage.
    Outage,
    /// A rule's fault came before the request was applied: it was not applied.
    Faulted,
}

impl Verdict {
    /// Describes the verdict in a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "credentials accepted, tokens granted",
            Self::Refreshed => "refresh token accepted, tokens granted",
            Self::RefreshedAgain => "retired refresh token accepted within its grace",
            Self::Echoed => "access token accepted",
            Self::Answered => "answered, nothing applied",
            Self::Applied => "applied",
            Self::WrongCredentials => "wrong agent id or secret",
            Self::UnknownRefreshToken => "unknown or revoked refresh token",
            Self::ExpiredRefreshToken => "expired refresh token",
            Self::ReusedRefreshToken => "refresh token used twice",
            Self::UnknownCode => "unknown or expired authorization code",
            Self::ReusedCode => "authorization code used twice",
            Self::Page => "a page for a browser",
            Self::BadSignature => "missing or wrong signature, not applied",
            Self::Repeated => "a repeat was refused, not applied again",
            Self::Replayed => "the original reply was sent again, not applied again",
            Self::TooFast => "calls came too fast, not applied",
            Self::RefusedRefresh => "refresh refused",
            Self::BadBearer => "missing, unknown or revoked access token",
            Self::ExpiredBearer => "expired access token",
            Self::BadRequest => "a strict server does not accept this request",
            Self::NoSuchPath => "no such path",
            Self::LedgerFull => "the sandbox's ledger is full, not applied",
            Self::Outage => "an outage of the service",
            Self::Faulted => "answered by a fault, not applied",
        }
    }
}
