//! What enters and leaves the crate: a request goes out, with a ticket for its report, and a reply
//! comes in.
//!
//! Owns only these types. Does not make requests (`wire` does), and does not know
//! what a reply means: the session or the call decides that.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};

use crate::secret::Body;
use crate::time::Now;

/// What a renewal's request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Get token: carries the credentials.
    SignIn,
    /// Refresh token: carries the refresh token.
    Refresh,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SignIn => "sign-in",
            Self::Refresh => "refresh",
        })
    }
}

/// A request that a session or a call wants to be sent, and the limits for its reply.
///
/// Send it once, unchanged, with redirects off. Then report the reply or the failure. To a session,
/// report it with the ticket that came with the request.
#[derive(Debug)]
#[must_use = "a request that is not sent is to be reported as a failure, or costs its time limit"]
pub struct Exchange {
    pub(crate) request: Request<Body>,
    pub(crate) reply_limit: usize,
    pub(crate) time_limit: Duration,
}

impl Exchange {
    /// Returns how many bytes of the reply's body are needed. Read at most one byte more, and pass
    /// on everything that was read: its length shows that the body was too long.
    #[must_use]
    pub fn reply_limit(&self) -> usize {
        self.reply_limit
    }

    /// Returns how long the whole exchange may take, counted from now. After that the reply counts
    /// as lost, but a session still takes a success that comes later.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// Returns the request by reference.
    #[must_use]
    pub fn request(&self) -> &Request<Body> {
        &self.request
    }

    /// Returns the request, to send it.
    #[must_use]
    pub fn into_request(self) -> Request<Body> {
        self.request
    }
}

/// Ties a reply or a failure to the request that the session asked for.
///
/// A ticket may be dropped without a report. The session then counts the request's outcome as
/// unknown once its time limit has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ticket {
    pub(crate) serial: u64,
    pub(crate) purpose: Purpose,
    /// When the request was handed out. The lifetime of its grant counts from here.
    pub(crate) sent: Now,
}

impl Ticket {
    /// Returns what the request is for.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        self.purpose
    }
}

/// The bytes that came back for an [`Exchange`], borrowed from the caller.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Makes a reply from a complete body, or from one that was cut one byte past the exchange's
    /// limit. If the connection broke within the body, report a failure instead.
    #[must_use]
    pub fn new(status: StatusCode, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { status, headers, body }
    }
}

impl<'a, B: AsRef<[u8]>> From<&'a Response<B>> for Reply<'a> {
    fn from(response: &'a Response<B>) -> Self {
        Self::new(response.status(), response.headers(), response.body().as_ref())
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
