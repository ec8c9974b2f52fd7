//! What a reply says, kept as it was written.
//!
//! The pages write the same field now as a text and now as a number. No number is converted, so it
//! stays exact.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Amount;

/// A text, or a number as its characters: an id, a code, a date, an amount.
///
/// ```
/// use imts_core::services::values::Found;
///
/// let amounts: Vec<Found> = serde_json::from_str(r#"[20, "20.00", 123456789012345.6789]"#)?;
/// assert_eq!(amounts[0].amount(), amounts[1].amount());
/// assert_eq!(amounts[2].as_str(), "123456789012345.6789");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found(String);

impl Found {
    /// Returns the characters, as they were written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it as an exact amount: `20.00`, `20.0` and `20` are equal. `None` if it is negative,
    /// has an exponent, or has more than 15 digits before the point or 4 after it.
    #[must_use]
    pub fn amount(&self) -> Option<Amount> {
        self.0.parse().ok()
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq<str> for Found {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes() {
            [b'"', ..] => serde_json::from_str(raw.get()).map(Self).map_err(D::Error::custom),
            [b'-' | b'0'..=b'9', ..] => Ok(Self(raw.get().to_owned())),
            _ => Err(D::Error::custom("neither a text nor a number")),
        }
    }
}
