//! Codes and identifiers whose form is known: countries, currencies, transfers, agents.

use std::str::FromStr;

use serde::Serialize;

use super::FieldError;

/// A country: three upper-case letters, in the form of ISO 3166-1 alpha-3 (published). It is not
/// checked whether a country has the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 3]);

/// A currency: three upper-case letters, in the form of ISO 4217 (draft). It is not checked whether
/// a currency has the code: the draft's own example is a country's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The caller's own id of a transfer: a UUID with its 36 characters (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ClientUuid(String);

/// The id of an agent that pays out: 1 to 36 visible ASCII characters (published: at most 36).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct AgentId(String);

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

impl FromStr for ClientUuid {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
        let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ok = text.split('-').map(str::len).eq(GROUPS) && text.split('-').all(is_hex);
        let form = "a UUID: 32 hexadecimal digits and 4 hyphens";
        FieldError::require(ok, Self(text.to_owned()), "client_uuid", form)
    }
}

impl ClientUuid {
    /// Returns the 36 characters, as they were given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let ok = (1..=36).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        let form = "1 to 36 visible ASCII characters";
        FieldError::require(ok, Self(text.to_owned()), "target_agent_id", form)
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
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

fn letters(text: &str) -> Option<[u8; 3]> {
    let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
    letters.iter().all(u8::is_ascii_uppercase).then_some(letters)
}
