//! A text of limited length, counted in characters before anything is signed.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::FieldError;

/// A text of 1 to `N` characters, without control characters. `Debug` prints its length, since it
/// may name a person.
///
/// The limit is kept before the text is signed. So nothing cuts it afterwards, and no character is
/// cut in two.
///
/// ```
/// use imts_core::services::values::Limited;
///
/// assert!("Оплата".parse::<Limited<6>>().is_ok()); // characters, not bytes
/// assert!("Оплата!".parse::<Limited<6>>().is_err());
/// assert_eq!(Limited::<6>::cut("Оплата!")?.as_str(), "Оплата");
/// # Ok::<(), imts_core::services::values::FieldError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Limited<const N: usize>(Zeroizing<String>);

impl<const N: usize> Limited<N> {
    /// Takes the first `N` characters of a text.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the text is empty or has a control character.
    pub fn cut(text: &str) -> Result<Self, FieldError> {
        let end = text.char_indices().nth(N).map_or(text.len(), |(place, _)| place);
        text.get(..end).unwrap_or_default().parse()
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> FromStr for Limited<N> {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let form = match N {
            50 => "1 to 50 characters, no control characters",
            255 => "1 to 255 characters, no control characters",
            1024 => "1 to 1024 characters, no control characters",
            _ => "neither empty nor too long, without control characters",
        };
        let ok = (1..=N).contains(&text.chars().count()) && !text.contains(char::is_control);
        FieldError::require(ok, Self(Zeroizing::new(text.to_owned())), "text", form)
    }
}

impl<const N: usize> fmt::Debug for Limited<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limited({} characters)", self.0.chars().count())
    }
}

impl<const N: usize> Serialize for Limited<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
