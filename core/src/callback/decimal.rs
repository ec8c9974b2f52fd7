//! A decimal number as a text: what an amount of a message is compared by.
//!
//! Owns when two texts are the same number. Never converts to binary floating point.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An exact decimal number, without a sign: `20`, `20.0` and `020.00` are equal, `20.01` is another.
///
/// ```
/// use imts_core::callback::Decimal;
///
/// let sent: Decimal = "20.00".parse()?;
/// assert_eq!(sent, "20".parse()?);
/// assert_ne!(sent, "20.01".parse()?);
/// assert!("2e1".parse::<Decimal>().is_err());
/// # Ok::<(), imts_core::callback::DecimalError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Without zeros in front.
    whole: String,
    /// Without zeros at the end.
    decimals: String,
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads digits, and perhaps a point with digits behind it. A sign, an exponent, a separator and
    /// white space are refused.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return Err(DecimalError),
            Some(halves) => halves,
            None => (text, ""),
        };
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || text.len() > LONGEST || !are_digits(whole) || !are_digits(decimals) {
            return Err(DecimalError);
        }
        let whole = whole.trim_start_matches('0').to_owned();
        Ok(Self { whole, decimals: decimals.trim_end_matches('0').to_owned() })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.whole.is_empty() { "0" } else { &self.whole })?;
        if self.decimals.is_empty() { Ok(()) } else { write!(f, ".{}", self.decimals) }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text is not a decimal number of at most 32 characters, without a sign and an exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a decimal number: write digits, and perhaps a point with digits behind it")]
pub struct DecimalError;

/// The longest text of a number, in characters.
const LONGEST: usize = 32;
