//! What reached the service: one entry a request, never a secret in it.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;

use crate::operation::Operation;
use crate::time::Time;

/// One request to the service, as it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// Counts the requests from 1.
    pub number: u64,
    /// When, by the time that the sandbox was given, in microseconds since 1970.
    pub at_us: i64,
    /// What was asked for.
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
    /// Adds an entry; forgets old ones where there are more than twice `limit`.
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
    /// Credentials accepted, a grant given.
    Granted,
    /// Refresh token accepted, a grant given.
    Refreshed,
    /// A retired refresh token was used within its grace.
    RefreshedAgain,
    /// The bearer was accepted.
    Echoed,
    /// An operation was answered that had nothing to apply, or that its script has not applied.
    Answered,
    /// An operation that creates something or moves money was applied.
    Applied,
    /// Unknown agent or wrong secret.
    WrongCredentials,
    /// No such refresh token, or it was revoked.
    UnknownRefreshToken,
    /// The refresh token has expired.
    ExpiredRefreshToken,
    /// The refresh token was used before and is retired.
    ReusedRefreshToken,
    /// The sandbox was told to refuse refreshes.
    RefusedRefresh,
    /// No bearer, an unknown or a revoked one, or the sandbox was told to reject all.
    BadBearer,
    /// The bearer has expired.
    ExpiredBearer,
    /// Not a request that a strict server takes.
    BadRequest,
    /// No such path.
    NoSuchPath,
    /// The ledger is full: nothing was applied.
    LedgerFull,
    /// The service is out.
    Outage,
    /// A rule's fault stood before it: it was not applied.
    Faulted,
}

impl Verdict {
    /// The verdict in a few words.
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
            Self::RefusedRefresh => "refresh refused",
            Self::BadBearer => "missing, unknown or revoked access token",
            Self::ExpiredBearer => "expired access token",
            Self::BadRequest => "not a request that a strict server takes",
            Self::NoSuchPath => "no such path",
            Self::LedgerFull => "the sandbox's ledger is full, not applied",
            Self::Outage => "service out",
            Self::Faulted => "answered by a fault, not applied",
        }
    }
}
