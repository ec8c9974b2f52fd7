//! A reading of a store's own clock.
//!
//! Owns the type alone. Does not know what is timed by it.

use std::time::Duration;

/// A reading of a store's clock: whole microseconds since an origin that the store chooses. All
/// processes that share the store see the same clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreTime(i64);

impl StoreTime {
    /// Makes the reading `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns the reading `by` later, truncated to whole microseconds. Saturates at [`i64::MAX`].
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }

    /// Returns how long after `earlier` this reading is. Zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}
