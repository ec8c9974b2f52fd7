//! The service's time, and how it is printed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// A moment: whole microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// Creates the moment `micros` microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the moment `by` later. Saturates.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        self.shifted(i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
    }

    /// Returns the moment this many microseconds later, or earlier if negative. Saturates.
    #[must_use]
    pub const fn shifted(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Returns the seconds since 1970 with their fraction, as in the service's tokens.
    pub(crate) fn numeric_date(self) -> f64 {
        self.0 as f64 / 1_000_000.0
    }

    /// Returns the whole seconds since 1970.
    pub(crate) const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Prints the time of a reply as the service does: microseconds and `Z`.
    pub(crate) fn to_micros_z(self) -> String {
        self.print(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
        ))
    }

    /// Prints an expiry as the service does: truncated to whole seconds, with an offset.
    pub(crate) fn to_seconds_offset(self) -> String {
        self.print(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+00:00"))
    }

    /// Prints an expiry as Freedom ID does: whole seconds, six zeros and `Z`.
    pub(crate) fn to_seconds_zeros_z(self) -> String {
        self.print(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000000Z"))
    }

    /// Prints a date of the form messages: without a zone (published).
    pub(crate) fn to_zoneless(self) -> String {
        self.print(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]"))
    }

    /// Prints a date as HTTP does (RFC 9110, section 5.6.7).
    pub(crate) fn to_http(self) -> String {
        self.print(format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        ))
    }

    /// Prints the moment. Outside the years 0 to 9999, it prints the nearest moment inside them.
    fn print(self, form: &[BorrowedFormatItem<'_>]) -> String {
        const FIRST: i64 = -62_167_219_200_000_000;
        const LAST: i64 = 253_402_300_799_999_999;
        let nanos = i128::from(self.0.clamp(FIRST, LAST)) * 1_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|date| date.format(form).ok())
            .unwrap_or_default()
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(micros(since)),
            Err(before) => Self(-micros(before.duration())),
        }
    }
}
