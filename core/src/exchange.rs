//! What crosses the border of the crate: a request going out, a reply coming in.
//!
//! Owns the shapes and nothing else: who makes a request is [`wire`](crate::wire)'s matter, and what
//! a reply means is the session's, or the call's.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};

use crate::secret::Body;

/// What a renewal's request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Get token: the credentials go out.
    SignIn,
    /// Refresh token: the refresh token goes out.
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

/// A request that a session or a call wants sent, and the bounds of its reply.
///
/// Send it once, as it is, with redirects off; report the reply or the failure, to a session under
/// the ticket that came with it.
#[derive(Debug)]
#[must_use = "a request that is not sent is to be reported as a failure, or costs its time limit"]
pub struct Exchange {
    pub(crate) request: Request<Body>,
    pub(crate) reply_limit: usize,
    pub(crate) time_limit: Duration,
}

impl Exchange {
    /// How many bytes of the reply's body are worth reading. Read at most one more than that, and
    /// hand in what was read: its length tells that it was too much.
    #[must_use]
    pub fn reply_limit(&self) -> usize {
        self.reply_limit
    }

    /// How long the whole exchange may take, from now; past it the reply counts as lost
    /// (though a session still takes a success that comes later).
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// The request, to read.
    #[must_use]
    pub fn request(&self) -> &Request<Body> {
        &self.request
    }

    /// The request, to send.
    #[must_use]
    pub fn into_request(self) -> Request<Body> {
        self.request
    }
}

/// The bytes that came back for an [`Exchange`], borrowed from wherever the caller keeps them.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// A whole reply: its body complete, or cut one byte past the exchange's limit. A reply whose
    /// body broke off is not one: report it as a failure.
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
