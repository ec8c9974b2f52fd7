//! The errors of a reply: what failed, on whose side, and what to do next.
//!
//! Owns those errors. Does not know about sessions: the session decides what a failure does to it.
//! No error holds a secret, nor the text of a JSON parser's error, which quotes the value that it
//! could not read.

use std::fmt::{self, Write};
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
    #[error("{}", unexpected(*.status))]
    Unexpected {
        /// The reply's status.
        status: StatusCode,
        /// How long the service asks to wait, if it asks.
        retry_after: Option<Duration>,
    },
    /// The reply must be signed, and its signature is missing or does not fit. Nothing in it is
    /// believed.
    #[error("the service's reply (status {}) is not believed: {why}", .status.as_u16())]
    Unbelieved {
        /// The reply's status.
        status: StatusCode,
        /// What is wrong with it. It quotes nothing of the reply.
        why: String,
    },
    /// A signed service answered 403 with a web page: it does not know the path (assumed; seen by
    /// integrators). An intermediary may answer so too.
    #[error(
        "the service answered 403 with a web page, as it does for a path that it does not know: \
         check the operation's path and the base URL"
    )]
    UnknownPath,
}

impl From<Malformed> for ReplyError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl ReplyError {
    /// Returns what to do about it. A server error is to be retried; anything else that is not a
    /// refusal is to be reported to the service's support.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self {
            Self::Refused(refusal) => refusal.recovery(),
            Self::Unexpected { status, retry_after } if status.is_server_error() => {
                Recovery::Retry { after: *retry_after }
            }
            Self::UnknownPath => Recovery::Fix,
            Self::Malformed(_) | Self::Unexpected { .. } | Self::Unbelieved { .. } => {
                Recovery::Report
            }
        }
    }

    /// Returns how long the service asks to wait, if it asks. The source is `Retry-After` (RFC 9110
    /// section 10.2.3), in seconds or as a date. A date is read against the reply's own `Date`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after(),
            Self::Malformed(_) | Self::Unbelieved { .. } | Self::UnknownPath => None,
            Self::Unexpected { retry_after, .. } => *retry_after,
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
        /// What the parser found: `a syntax error`, `a wrong type`, `a missing field`, `a repeated
        /// field`, or `an early end`.
        fault: &'static str,
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

impl From<&serde_json::Error> for Malformed {
    /// Keeps category, line and column. Never keeps the message, which quotes the value: only how
    /// it begins is looked at.
    fn from(error: &serde_json::Error) -> Self {
        let fault = match error.classify() {
            serde_json::error::Category::Data => match Beginning::of(error).as_str() {
                MISSING => "a missing field",
                REPEATED => "a repeated field",
                _ => "a wrong type",
            },
            serde_json::error::Category::Eof => "an early end",
            _ => "a syntax error",
        };
        Self::Json { fault, line: error.line(), column: error.column() }
    }
}

/// How serde's messages about fields begin. Both have the same length, and no value comes before it.
const MISSING: &str = "missing field `";
const REPEATED: &str = "duplicate field";

/// The beginning of a message.
struct Beginning(String);

impl Beginning {
    fn of(message: &impl fmt::Display) -> Self {
        let mut beginning = Self(String::with_capacity(MISSING.len()));
        // The only error is this type's own: it has enough.
        let _enough = write!(beginning, "{message}");
        beginning
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.0.len() >= MISSING.len() {
                return Err(fmt::Error);
            }
            self.0.push(character);
        }
        Ok(())
    }
}

fn unexpected(status: StatusCode) -> String {
    let number = status.as_u16();
    if status.is_redirection() {
        format!(
            "the service answered {number}, a redirect: it is not followed, because it could \
             send a secret elsewhere"
        )
    } else if status.is_success() {
        format!("the service answered {number}, but not with JSON")
    } else if status.is_server_error() {
        format!("the service failed (status {number})")
    } else {
        format!("the service answered {number}, which is neither a success nor a refusal")
    }
}
