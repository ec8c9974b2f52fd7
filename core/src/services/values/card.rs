//! What is printed on a card. `Debug` prints none of it, and it is wiped from memory on drop.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::FieldError;

/// A card number (PAN): 12 to 19 digits with a correct check digit (ISO/IEC 7812-1, Luhn).
#[derive(Clone)]
pub struct CardNumber(Zeroizing<String>);

/// The number of a card that is charged, saved or paid to: 13 to 20 digits (published for the
/// Gateway). Its check digit is not checked: a printed example has a wrong one.
#[derive(Clone)]
pub struct Pan(Zeroizing<String>);

/// The code on a card's back (CVC): 3 or 4 digits.
#[derive(Clone)]
pub struct Cvc(Zeroizing<String>);

impl FromStr for CardNumber {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let ok = (12..=19).contains(&text.len()) && passes_luhn(text.bytes());
        let form = "a card number of 12 to 19 digits without spaces, its check digit right";
        let number = Self(Zeroizing::new(text.to_owned()));
        FieldError::require(ok, number, "destination_identifier", form)
    }
}

impl FromStr for Pan {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let ok = (13..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = Self(Zeroizing::new(text.to_owned()));
        FieldError::require(ok, number, "pan", "13 to 20 digits without spaces")
    }
}

impl FromStr for Cvc {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let ok = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let code = Self(Zeroizing::new(text.to_owned()));
        FieldError::require(ok, code, "cvc", "3 or 4 digits")
    }
}

impl CardNumber {
    /// Returns the digits. The caller is then responsible for where they are printed or stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Pan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for Cvc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(..)")
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pan(..)")
    }
}

impl fmt::Debug for Cvc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cvc(..)")
    }
}

/// Whether these are digits and the last one is their check digit. Every second digit from the
/// right is doubled and its digits are added. The sum of all must be a multiple of ten.
fn passes_luhn(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let sum = digits.rev().zip([false, true].into_iter().cycle()).try_fold(
        0_u32,
        |sum, (byte, is_doubled)| {
            let digit = char::from(byte).to_digit(10)?;
            let doubled = digit.checked_mul(2)?;
            let value = match is_doubled {
                true if doubled >= 10 => doubled.checked_sub(9)?,
                true => doubled,
                false => digit,
            };
            sum.checked_add(value)
        },
    );
    sum.and_then(|sum| sum.checked_rem(10)) == Some(0)
}
