//! The destination of a transfer: a phone, an account or a card, each with a check of its form.
//!
//! All three identify a person. `Debug` prints none of them whole, and a card number is wiped from
//! memory on drop.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::FieldError;

/// A phone number: an optional `+` and 1 to 15 digits (ITU-T E.164), without spaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

/// An account number in the form of ISO 13616: upper case, without spaces, with correct check
/// digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Iban(String);

/// A card number (PAN): 12 to 19 digits with a correct check digit (ISO/IEC 7812-1, Luhn).
#[derive(Clone)]
pub struct CardNumber(Zeroizing<String>);

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

impl FromStr for CardNumber {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let ok = (12..=19).contains(&text.len()) && passes_luhn(text.bytes());
        let form = "a card number of 12 to 19 digits without spaces, its check digit right";
        let number = Self(Zeroizing::new(text.to_owned()));
        FieldError::require(ok, number, "destination_identifier", form)
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
            Self::Pan(CardNumber(number)) => number,
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

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(..)")
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
