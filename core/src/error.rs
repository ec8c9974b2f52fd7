//! The errors of a reply: what failed, on whose side, and what to do next.
//!
//! Owns those errors. Does not know about sessions: the session decides what a failure does to it.
//! No error holds a secret, nor the text of a JSON parser's error, which quotes the value that it
//! could not read.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use thiserror::Error;

use crate::recovery::Recovery;
pub use crate::refusal::Refusal;

/// A reply that is not a success: the service failed, or it refused.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The service understood the request and refused it: a 4xx, or a reply that says so.
    #[error("{0}")]
    Refused(Refusal),
    /// The reply claims success, but cannot be used.
    #[error("the service's reply cannot be used: {0}")]
    Malformed(Malformed),
    /// A status or content type that no operation answers with: 1xx, 3xx, 5xx, or a 2xx that is
    /// not JSON.
    #[error("{0}")]
    Unexpected(Unexpected),
}

impl From<Malformed> for ReplyError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl ReplyError {
    /// Returns what to do about it.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Refused(refusal) => refusal.recovery(),
            Self::Malformed(_) => Recovery::Report,
            Self::Unexpected(unexpected) => unexpected.recovery(),
        }
    }

    /// Returns how long the service asks to wait, if it asks. The source is `Retry-After` (RFC 9110
    /// section 10.2.3), in seconds or as a date. A date is read against the reply's own `Date`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after(),
            Self::Malformed(_) => None,
            Self::Unexpected(unexpected) => unexpected.retry_after,
        }
    }
}

/// A request's value cannot be serialized to JSON, for example a map whose keys are not strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the request cannot be written as JSON")]
pub struct EncodeError;

/// What makes a reply malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The body is longer than the exchange's limit.
    #[error("its body is longer than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is not UTF-8.
    #[error("its body is not UTF-8")]
    Encoding,
    /// The body is not the JSON that the operation answers with.
    #[error("its JSON has {fault} at line {line}, column {column}")]
    Json {
        /// What kind of error the parser found.
        fault: JsonFault,
        /// The line, counted from 1.
        line: usize,
        /// The column in the line, counted in bytes from 1.
        column: usize,
    },
    /// A required field is absent or null.
    #[error("its field `{field}` is missing")]
    Missing {
        /// The field's name.
        field: &'static str,
    },
    /// A token is empty, longer than 8,192 bytes, or not made of visible ASCII characters.
    #[error("its field `{field}` is not 1 to 8192 visible ASCII characters")]
    Token {
        /// The field's name.
        field: &'static str,
    },
    /// The date is not a date of RFC 3339, or has no offset.
    #[error("its field `{field}` is not a date of RFC 3339 with an offset")]
    Date {
        /// The field's name.
        field: &'static str,
    },
    /// The date is not after the reply's own time: the token would be dead from the start.
    #[error("its field `{field}` is not after the time of the reply")]
    Lifetime {
        /// The field's name.
        field: &'static str,
    },
}

/// The kinds of error that a JSON parser finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFault {
    /// Not JSON.
    Syntax,
    /// JSON of the wrong shape: a wrong type, a repeated field.
    Data,
    /// The text ends too early.
    Eof,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "a syntax error",
            Self::Data => "a wrong type or a repeated field",
            Self::Eof => "an early end",
        })
    }
}

impl From<&serde_json::Error> for Malformed {
    /// Keeps category, line and column. Never keeps the message, which quotes the value.
    fn from(error: &serde_json::Error) -> Self {
        let fault = match error.classify() {
            serde_json::error::Category::Data => JsonFault::Data,
            serde_json::error::Category::Eof => JsonFault::Eof,
            _ => JsonFault::Syntax,
        };
        Self::Json { fault, line: error.line(), column: error.column() }
    }
}

/// A reply with a status or content type that no operation answers with.
#[derive(Clone, Debug)]
pub struct Unexpected {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
}

impl Unexpected {
    /// Returns the reply's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns what to do about it: retry a server error; report anything else to the service's
    /// support.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        if self.status.is_server_error() {
            Recovery::Retry { after: self.retry_after }
        } else {
            Recovery::Report
        }
    }
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.as_u16();
        if self.status.is_redirection() {
            write!(
                f,
                "the service answered {status}, a redirect: it is not followed, because it could \
                 send a secret elsewhere"
            )
        } else if self.status.is_success() {
            write!(f, "the service answered {status}, but not with JSON")
        } else if self.status.is_server_error() {
            write!(f, "the service failed (status {status})")
        } else {
            write!(f, "the service answered {status}, which is neither a success nor a refusal")
        }
    }
}
