//! What the caller can do next after an error.

use std::fmt;
use std::time::Duration;

/// The next step that a caller can take after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Ask again later: the fault is expected to be temporary.
    Retry {
        /// How long the service asks to wait, if it asks.
        after: Option<Duration>,
    },
    /// Give new credentials: the present ones no longer work.
    SignIn,
    /// Find out the outcome before sending the request again: it may have been processed.
    Resolve,
    /// Correct the configuration or the calling code: the URL, a path, an argument.
    Fix,
    /// Report it to the service's support: a client cannot do anything with the reply.
    Report,
}

impl Recovery {
    /// Returns the name in lower case, as outputs show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::SignIn => "sign_in",
            Self::Resolve => "resolve",
            Self::Fix => "fix",
            Self::Report => "report",
        }
    }

    /// Returns how long the service asks to wait, if it asks.
    #[must_use]
    pub const fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Retry { after } => after,
            _ => None,
        }
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
