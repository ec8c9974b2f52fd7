//! Time as an argument: the two clocks of [`Now`], and when something ends by either of them.
//!
//! Owns the arithmetic of instants, all of it saturating. Does not know about tokens, and never
//! reads a clock: the caller does.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};

/// What the caller's two clocks show at one moment.
///
/// Both are always passed together, because each one misses something. A monotonic clock may stand
/// still while the machine is suspended, and the wall clock may be set back.
///
/// ```
/// use std::time::Duration;
/// use imts_core::time::{Mono, Wall};
/// use imts_core::Now;
///
/// let now = Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };
/// let later = now.advanced_by(Duration::from_secs(900));
/// assert_eq!(later.mono.since(now.mono), Duration::from_secs(900));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Now {
    /// Elapsed time. A session needs one source for its whole life.
    pub mono: Mono,
    /// UTC, as this machine's clock shows it.
    pub wall: Wall,
}

impl Now {
    /// Returns this moment with both clocks `by` later. Saturates at the ends of their ranges.
    #[must_use]
    pub fn advanced_by(self, by: Duration) -> Self {
        Self { mono: self.mono.after(by), wall: self.wall.after(by) }
    }
}

/// A reading of a monotonic clock: whole microseconds since an origin that the caller chooses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(u64);

impl Mono {
    /// Makes the reading `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Returns the reading `by` later, truncated to whole microseconds. Saturates at [`u64::MAX`].
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }

    /// Returns how long after `earlier` this reading is. Zero if it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl From<Duration> for Mono {
    /// Makes the reading `elapsed` after the origin.
    fn from(elapsed: Duration) -> Self {
        Self::default().after(elapsed)
    }
}

impl From<Mono> for Duration {
    fn from(mono: Mono) -> Self {
        Self::from_micros(mono.0)
    }
}

/// A reading of a UTC clock: whole microseconds since 1970-01-01T00:00:00Z, negative before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(i64);

impl Wall {
    /// Makes the reading `micros` microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Returns the reading `by` later, truncated to whole microseconds. Saturates at [`i64::MAX`].
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(micros(by)))
    }

    /// Returns how long after `earlier` this reading is. Zero if it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Returns the same instant as a calendar date. `None` beyond what `chrono` can represent
    /// (about 262,000 years either side).
    #[must_use]
    pub fn to_datetime(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_micros(self.0)
    }

    /// Reads a date in the two forms that the service prints, and in any other form of RFC 3339.
    /// `None` if it has none of these forms, for example with U+2212 as a minus sign.
    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        if let Some(date) = printed(text.as_bytes()) {
            return Some(date);
        }
        let text = Some(text).filter(|text| text.is_ascii())?;
        DateTime::parse_from_rfc3339(text).ok().map(|date| Self(date.timestamp_micros()))
    }

    /// Reads a date in one of the three forms of RFC 9110, section 5.6.7.
    pub(crate) fn from_http_date(text: &str) -> Option<Self> {
        const FORMS: [(&str, usize); 3] = [
            ("%a, %d %b %Y %H:%M:%S GMT", 0),
            ("%A, %d-%b-%y %H:%M:%S GMT", 2),
            ("%a %b %e %H:%M:%S %Y", 0),
        ];
        if let Some(date) = in_head(text.as_bytes()) {
            return Some(date);
        }
        // No number in these forms has a sign, but the parser of a form would accept one.
        let hyphens = text.bytes().filter(|byte| *byte == b'-').count();
        let is_unsigned = !text.contains(['+', '\u{2212}']);
        FORMS
            .iter()
            .filter(|(_, parting)| is_unsigned && hyphens == *parting)
            .find_map(|(form, _)| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|date| Self(date.and_utc().timestamp_micros()))
    }
}

/// Reads a date in UTC as the service prints it, with six digits after the seconds or none. It
/// takes a fraction of the time that a parser for every form takes. `None` if it has another form,
/// or is not a date.
fn printed(text: &[u8]) -> Option<Wall> {
    let text = text.strip_suffix(b"+00:00").or_else(|| text.strip_suffix(b"Z"))?;
    let (micros, text) = match *text {
        [ref text @ .., b'.', a, b, c, d, e, f] => (digits([a, b, c, d, e, f])?, text),
        _ => (0, text),
    };
    let [c, d, y, z, b'-', m, n, b'-', e, f, b'T', h, i, b':', j, k, b':', s, t] = *text else {
        return None;
    };
    let year = i32::try_from(digits([c, d, y, z])?).ok()?;
    NaiveDate::from_ymd_opt(year, digits([m, n])?, digits([e, f])?)?
        .and_hms_micro_opt(digits([h, i])?, digits([j, k])?, digits([s, t])?, micros)
        .map(|date| date.and_utc().into())
}

/// Reads a date in the form that servers print in a header. It takes a fraction of the time that a
/// parser for every form takes. `None` if it has another form, or is not a date.
fn in_head(text: &[u8]) -> Option<Wall> {
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    let [
        weekday @ ..,
        b',',
        b' ',
        e,
        f,
        b' ',
        m,
        n,
        o,
        b' ',
        c,
        d,
        y,
        z,
        b' ',
        h,
        i,
        b':',
        j,
        k,
        b':',
        s,
        t,
        b' ',
        b'G',
        b'M',
        b'T',
    ] = text
    else {
        return None;
    };
    let month = (1_u32..).zip(MONTHS).find(|(_, name)| **name == [*m, *n, *o])?.0;
    let year = i32::try_from(digits([*c, *d, *y, *z])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, month, digits([*e, *f])?)?;
    let named = (0_u32..).zip(DAYS).find(|(_, name)| *weekday == **name)?.0;
    if date.weekday().num_days_from_monday() != named {
        return None;
    }
    date.and_hms_opt(digits([*h, *i])?, digits([*j, *k])?, digits([*s, *t])?)
        .map(|date| date.and_utc().into())
}

/// A number of this many digits, few enough for its type.
fn digits<const N: usize>(digits: [u8; N]) -> Option<u32> {
    let (number, are_digits) = digits.iter().fold((0_u32, true), |(number, so_far), byte| {
        let next = number.wrapping_mul(10).wrapping_add(byte.wrapping_sub(b'0').into());
        (next, so_far & byte.is_ascii_digit())
    });
    are_digits.then_some(number)
}

impl From<DateTime<Utc>> for Wall {
    /// Truncates to whole microseconds.
    fn from(date: DateTime<Utc>) -> Self {
        Self(date.timestamp_micros())
    }
}

/// When something that began at a known moment ends: as soon as either clock says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    mono: Mono,
    wall: Wall,
}

impl End {
    /// The end of something that lives for `lifetime` from `start`.
    pub(crate) fn after(start: Now, lifetime: Duration) -> Self {
        Self { mono: start.mono.after(lifetime), wall: start.wall.after(lifetime) }
    }

    /// What is left at `now`, by the clock that leaves less. Zero from the end on.
    pub(crate) fn remaining(self, now: Now) -> Duration {
        self.mono.since(now.mono).min(self.wall.since(now.wall))
    }

    pub(crate) fn is_past(self, now: Now) -> bool {
        self.remaining(now).is_zero()
    }

    /// `by` before the end, on both clocks.
    pub(crate) fn sooner(self, by: Duration) -> Now {
        let by = micros(by);
        Now {
            mono: Mono(self.mono.0.saturating_sub(by)),
            wall: Wall(self.wall.0.saturating_sub_unsigned(by)),
        }
    }

    /// The end by this machine's wall clock.
    pub(crate) fn wall(self) -> Wall {
        self.wall
    }
}

/// Whole microseconds of a duration, at most [`u64::MAX`] (584,000 years).
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
