//! The one question that every caller has about an error: what to do next.

use std::fmt;
use std::time::Duration;

/// What the caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Ask again later: the fault is expected to pass.
    Retry {
        /// How long the service asks to wait, where it said so.
        after: Option<Duration>,
    },
    /// Give new credentials: the present ones do not help any more.
    SignIn,
    /// The request may have been processed: find out before sending it again.
    Resolve,
    /// Mend the configuration or the calling code: the URL, a path, an argument.
    Fix,
    /// Tell the service's support: it answered in a way its contract does not have.
    Report,
}

impl Recovery {
    /// The name in lower case, as it stands in outputs.
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

    /// How long the service asks to wait, where it said so.
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
