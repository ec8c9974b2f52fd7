//! The name of one saved state.
//!
//! Owns the type alone. Does not know what is in a state, or where it is kept.

use std::fmt;

/// Names one state for good: no two states of one endpoint and agent have the same stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Grows with each state. Of two states, the one with the higher generation is newer.
    pub generation: u64,
    /// The random number of the session that made the state.
    pub holder: u64,
    /// The number of the swap in that session, counted from 1.
    pub serial: u64,
}

impl Stamp {
    /// The stamp of a store that holds nothing.
    pub const NONE: Self = Self { generation: 0, holder: 0, serial: 0 };

    /// Returns whether it says that nothing is there.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}-{}", self.generation, self.holder, self.serial)
    }
}
