//! The text of a key, as the vendor's support gives it to a partner.
//!
//! Owns its memory, which is wiped on drop. Does not know what is signed with it.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

/// A key's text. Its bytes are those of UTF-8 (assumed: no page names an encoding).
pub(super) struct KeyText(Zeroizing<String>);

impl KeyText {
    pub(super) fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(KeyError::Control);
        }
        Ok(Self(text))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// Why a text cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is empty.
    #[error("the key is empty")]
    Empty,
    /// The text has a line break, a tab or another control character. It was probably read together
    /// with the end of its line.
    #[error("the key has a line break or another control character: leave it out")]
    Control,
}
