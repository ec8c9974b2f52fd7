//! A text that must not be shown: it identifies a person, or opens something.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A text that identifies a person or opens something: a name, a phone, a one-time code, a token.
///
/// `Debug` does not print it, and it is wiped from memory on drop. Its form is not checked.
///
/// ```
/// use imts_core::services::values::Hidden;
///
/// let phone = Hidden::from("77771234567");
/// assert_eq!(format!("{phone:?}"), "Hidden(..)");
/// assert_eq!(phone.expose(), "77771234567");
/// ```
#[derive(Clone)]
pub struct Hidden(Zeroizing<String>);

impl Hidden {
    /// Returns the text. The caller is then responsible for where it is printed or stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Hidden {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(..)")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hidden {
    /// Takes a text, or a whole number: the service writes phones both ways.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrNumber)
    }
}

struct TextOrNumber;

impl Visitor<'_> for TextOrNumber {
    type Value = Hidden;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Hidden, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Hidden, E> {
        Ok(text.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Hidden, E> {
        Ok(number.to_string().into())
    }
}
