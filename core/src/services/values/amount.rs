//! An amount of money as an exact decimal. It is never converted to binary floating point.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::FieldError;

/// An amount of at most 15 digits before the point and 4 after it (the digits are assumed; the
/// published example is 15.4). It is sent as a JSON number with exactly these digits.
///
/// ```
/// use imts_core::services::transfer::Amount;
///
/// let amount: Amount = "123456789012345.6789".parse()?;
/// assert_eq!(amount.to_string(), "123456789012345.6789");
/// assert!("0.00001".parse::<Amount>().is_err());
/// # Ok::<(), imts_core::services::transfer::FieldError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount {
    /// The amount in ten thousandths.
    parts: u64,
}

const WHOLE_DIGITS: usize = 15;
const DECIMALS: usize = 4;
/// Ten thousandths in a whole.
const SCALE: u64 = 10_000;

impl FromStr for Amount {
    type Err = FieldError;

    /// Reads digits, optionally followed by a point and more digits. No sign, exponent or separator
    /// is accepted.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        const FORM: &str = "a decimal of at most 15 digits before the point and 4 after it";
        let wrong = FieldError::new("amount", FORM);
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return Err(wrong),
            Some(halves) => halves,
            None => (text, ""),
        };
        let are_digits = |text: &str, at_most: usize| {
            text.len() <= at_most && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if whole.is_empty() || !are_digits(whole, WHOLE_DIGITS) || !are_digits(decimals, DECIMALS) {
            return Err(wrong);
        }
        let digits = format!("{whole}{decimals:0<DECIMALS$}");
        digits.parse().map(|parts| Self { parts }).map_err(|_| wrong)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.parts.checked_div(SCALE).unwrap_or_default();
        let (mut rest, mut width) = (self.parts.checked_rem(SCALE).unwrap_or_default(), DECIMALS);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        while rest % 10 == 0 {
            (rest, width) = (rest / 10, width.saturating_sub(1));
        }
        write!(f, "{whole}.{rest:0width$}")
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        let number: &RawValue = serde_json::from_str(&text).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}
