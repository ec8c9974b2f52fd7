//! The destination of a transfer: a phone, an account or a card, each with a check of its form.
//!
//! All three identify a person. `Debug` prints none of them whole.

use std::fmt;
use std::str::FromStr;

use super::{CardNumber, FieldError};

/// A phone number: an optional `+` and 1 to 15 digits (ITU-T E.164), without spaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

/// An account number in the form of ISO 13616: upper case, without spaces, with correct check
/// digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Iban(String);

/// What a transfer is addressed to: `destination_type` and `destination_identifier` (published).
#[derive(Clone, Debug)]
pub enum Destination {
    /// A phone number.
    Phone(Phone),
    /// A bank account.
    Iban(Iban),
    /// A payment card.
    Pan(CardNumber),
}

impl FromStr for Phone {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let ok = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let form = "a phone number: an optional + and at most 15 digits, without spaces";
        FieldError::require(ok, Self(text.to_owned()), "destination_identifier", form)
    }
}

impl FromStr for Iban {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let form = "an IBAN in upper case without spaces, its check digits right";
        FieldError::require(is_iban(text), Self(text.to_owned()), "destination_identifier", form)
    }
}

impl Destination {
    /// Returns the value of `destination_type`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Iban(_) => "iban",
            Self::Pan(_) => "pan",
        }
    }

    /// Returns the value of `destination_identifier`, which identifies a person.
    #[must_use]
    pub fn expose_identifier(&self) -> &str {
        match self {
            Self::Phone(Phone(number)) | Self::Iban(Iban(number)) => number,
            Self::Pan(card) => card.expose(),
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(..)")
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iban(..)")
    }
}

/// Checks for a country, two check digits, and 11 to 30 letters and digits. Country and check
/// digits are moved to the end, and letters are read as 10 to 35. The number divided by 97 must
/// leave 1.
fn is_iban(text: &str) -> bool {
    let Some((head, tail)) = text.split_at_checked(4) else { return false };
    let (country, check) = head.split_at_checked(2).unwrap_or_default();
    let form = (11..=30).contains(&tail.len())
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && check.bytes().all(|byte| byte.is_ascii_digit())
        && tail.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let remainder = tail.chars().chain(head.chars()).try_fold(0_u32, |rest, character| {
        let value = character.to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        rest.checked_mul(shift)?.checked_add(value)?.checked_rem(97)
    });
    form && remainder == Some(1)
}
