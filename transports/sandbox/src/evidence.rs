//! How certain a fact is.

use serde::{Deserialize, Serialize};

/// How certain a fact about the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Printed on the vendor's current page.
    Published,
    /// Printed on an older page of the vendor that is marked as being in development.
    Draft,
    /// A choice that follows the conventions of the vendor's pages.
    Assumed,
}

impl Evidence {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Draft => "draft",
            Self::Assumed => "assumed",
        }
    }
}
