//! How surely a fact about the service is known.

use std::fmt;

/// How surely a fact of the contract is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Printed on the vendor's current page.
    Published,
    /// Printed on an older page of the vendor's, marked as being in development.
    Draft,
    /// Our choice, from the conventions of the service; replaceable by configuration.
    Assumed,
    /// No page could be read; never invented.
    Unknown,
}

impl Evidence {
    /// The label in lower case, as it stands in outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Draft => "draft",
            Self::Assumed => "assumed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
