//! How certain a fact about the service is.

use std::fmt;

/// How certain a fact about the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Printed on the vendor's current page.
    Published,
    /// Printed on an older page of the vendor, which is marked as being in development.
    Draft,
    /// This project chose it by the conventions of the service. Configuration can replace it.
    Assumed,
    /// No page could be read. Nothing is invented.
    Unknown,
}

impl Evidence {
    /// Returns the label in lower case, as outputs show it.
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
