//! What leaves the crate: a request to be sent, with the limits for its reply.
//!
//! Owns only these types. Does not make requests, and does not read replies: `wire` does both.

use std::fmt;
use std::time::Duration;

use http::Request;

use crate::secret::Body;

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
