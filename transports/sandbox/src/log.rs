//! What reached the service: one entry a request, never a secret in it.

use serde::{Deserialize, Serialize};

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

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Get token.
    GetToken,
    /// Refresh token.
    Refresh,
    /// The sandbox's own protected operation.
    Echo,
    /// No operation that the sandbox has.
    Other,
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
            Self::WrongCredentials => "wrong agent id or secret",
            Self::UnknownRefreshToken => "unknown or revoked refresh token",
            Self::ExpiredRefreshToken => "expired refresh token",
            Self::ReusedRefreshToken => "refresh token used twice",
            Self::RefusedRefresh => "refresh refused",
            Self::BadBearer => "missing, unknown or revoked access token",
            Self::ExpiredBearer => "expired access token",
            Self::BadRequest => "not a request that a strict server takes",
            Self::NoSuchPath => "no such path",
            Self::Outage => "service out",
            Self::Faulted => "answered by a fault, not applied",
        }
    }
}
