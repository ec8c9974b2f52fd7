//! Codes whose form is known: countries, currencies, and the form of a UUID.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::FieldError;

/// A country: three upper-case letters, in the form of ISO 3166-1 alpha-3 (published). It is not
/// checked whether a country has the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 3]);

/// A currency: three upper-case letters, in the form of ISO 4217 (draft). It is not checked whether
/// a currency has the code: the draft's own example is a country's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl FromStr for Country {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        letters(text).map(Self).ok_or(FieldError::new(
            "country",
            "three upper-case letters, as ISO 3166-1 alpha-3 has them",
        ))
    }
}

impl FromStr for Currency {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        letters(text)
            .map(Self)
            .ok_or(FieldError::new("currency", "three upper-case letters, as ISO 4217 has them"))
    }
}

impl Country {
    /// Returns the three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Currency {
    /// Returns the three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn letters(text: &str) -> Option<[u8; 3]> {
    let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
    letters.iter().all(u8::is_ascii_uppercase).then_some(letters)
}

/// Whether it is a UUID with its 36 characters.
pub(in crate::services) fn is_uuid(text: &str) -> bool {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq(GROUPS) && text.split('-').all(is_hex)
}

/// The form of a UUID, for errors.
pub(in crate::services) const UUID_FORM: &str = "a UUID: 32 hexadecimal digits and 4 hyphens";
