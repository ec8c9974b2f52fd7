//! The answer to a callback, as it goes out.
//!
//! Owns its status, its bytes and the settings that no page decides. Does not know who decided.

use http::{HeaderValue, StatusCode};

use crate::secret::Body;

/// A signed answer in XML: the bytes to send, and to keep.
#[derive(Debug)]
#[must_use]
pub struct Answer {
    status: StatusCode,
    body: Body,
}

impl Answer {
    pub(super) fn new(status: StatusCode, body: Body) -> Self {
        Self { status, body }
    }

    /// Returns the HTTP status. It is 200 for each message that was verified.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the bytes.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.as_ref()
    }

    /// Returns the content type with which the bytes are sent: `text/xml; charset=utf-8` (assumed).
    #[must_use]
    pub fn content_type() -> HeaderValue {
        HeaderValue::from_static("text/xml; charset=utf-8")
    }
}

/// Which salt an answer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerSalt {
    /// That of the message, which satisfies both known claims (assumed). If it cannot be sent back,
    /// a new one.
    #[default]
    Echoed,
    /// A new one.
    New,
}

/// What is answered to a message that is not verified. The body is a signed `error` either way, and
/// nothing follows from the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unverified {
    /// The status 403. The gateway repeats the message for two hours (published for any status but
    /// 200), which is wanted while a key is being changed.
    #[default]
    Forbidden,
    /// The status 200.
    Ok,
}

impl Unverified {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Ok => StatusCode::OK,
        }
    }
}
