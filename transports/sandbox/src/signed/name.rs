//! The name of a signed operation, by which rules, the log and the ledger call it.

use std::cmp::Ordering;
use std::fmt;

use super::row::Row;
use super::table::rows;
use imts_core::Class;

/// An operation of a signed service. As text, it is the service's name, a point, and the operation's
/// name, such as `card-api.close-card`.
#[derive(Clone, Copy)]
pub struct SignedOperation(&'static Row);

impl SignedOperation {
    /// Returns all signed operations that the sandbox serves.
    pub fn all() -> impl Iterator<Item = Self> {
        rows().map(Self)
    }

    /// Returns the operation with this name. An operation that shares its path with another one has both
    /// names.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_named = |row: &&Row| row.name == name || row.also.contains(&name);
        rows().find(is_named).map(Self)
    }

    /// Returns the operation at this path.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        rows().find(|row| row.is_at(path)).map(Self)
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// Returns the other names of what its path serves.
    #[must_use]
    pub fn also(self) -> &'static [&'static str] {
        self.0.also
    }

    /// Returns the paths. A part in braces stands for any value.
    #[must_use]
    pub fn paths(self) -> &'static [&'static str] {
        self.0.paths
    }

    /// Returns the class.
    #[must_use]
    pub fn class(self) -> Class {
        self.0.class
    }

    pub(crate) fn row(self) -> &'static Row {
        self.0
    }
}

impl fmt::Debug for SignedOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for SignedOperation {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SignedOperation {}

impl PartialOrd for SignedOperation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SignedOperation {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}
