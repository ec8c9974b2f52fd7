//! What the service said when it refused.
//!
//! Owns what is kept of it, and what it is shown as. Does not read replies, and does not know what a
//! refusal does to a session.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use zeroize::Zeroizing;

use crate::recovery::Recovery;

/// A refusal: what the service answered when it did not do what was asked.
///
/// Code and message are looked for in all fields that the service's description names. If there is
/// none of them, both are `None`, and the raw body is available.
#[derive(Clone)]
pub struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) is_json: bool,
    pub(crate) says_no: bool,
    pub(crate) is_error: bool,
    pub(crate) is_whole: bool,
    pub(crate) is_proven: bool,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Refusal {
    /// Returns the reply's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the service's error code, a number or text, at most 512 bytes. It is cleaned in the
    /// same way as the [message](Refusal::message).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the service's message, at most 512 bytes, without control characters. This client's
    /// secrets that it quoted are replaced. It is also `None` if the secrets that it may quote are
    /// not known. That is so for a refusal that came late, and for a call that is sent without a
    /// token.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns how long the service asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the first 4,096 bytes of the body, unchanged. A server may have quoted a secret in
    /// them.
    #[must_use]
    pub fn expose_body(&self) -> &[u8] {
        &self.body
    }

    /// Returns what to do about it. 408, 425, 429 and 5xx may be temporary; 404 and 405 mean a
    /// wrong URL or path; the rest need other credentials.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        match self.status.as_u16() {
            408 | 425 | 429 | 500.. => Recovery::Retry { after: self.retry_after },
            404 | 405 => Recovery::Fix,
            _ => Recovery::SignIn,
        }
    }

    /// Returns what to do about the refusal of a call, which was sent with a token.
    pub(crate) fn recovery_of_call(&self) -> Recovery {
        match (self.status.as_u16(), self.recovery()) {
            (401 | 403, recovery) => recovery,
            // The service accepted the token, so the request must be corrected.
            (_, Recovery::SignIn) => Recovery::Fix,
            (_, recovery) => recovery,
        }
    }

    /// Whether the body is a JSON object, in any form that the lenient reading accepts. It then
    /// comes from the service and not from an intermediary.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Whether the body says that the request did not succeed, in any form that the lenient reading
    /// accepts.
    pub(crate) fn says_no(&self) -> bool {
        self.says_no
    }

    /// Whether the body has the form of an error, and does not say whether the request succeeded, in
    /// any form that the lenient reading accepts.
    pub(crate) fn is_error(&self) -> bool {
        self.is_error
    }

    /// Whether the body is one whole JSON object in UTF-8. Its code then decides the outcome of a
    /// call.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether such an object is the service's own refusal, which proves that a call was refused.
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service refused (status {}", self.status.as_u16())?;
        if let Some(code) = &self.code {
            write!(f, ", code {code}")?;
        }
        f.write_str(")")?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        Ok(())
    }
}

impl Error for Refusal {}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &self.message)
            .field("retry_after", &self.retry_after)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
