//! The text of a key, as the vendor's support gives it to a partner.
//!
//! Owns its memory, which is wiped on drop. Does not know what is signed with it.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::text::{TextError, check_line};

/// A key's text. Its bytes are those of UTF-8 (assumed: no page names an encoding).
pub(super) struct KeyText(Zeroizing<String>);

impl KeyText {
    pub(super) fn new(text: impl Into<String>) -> Result<Self, KeyError> {
        let text = Zeroizing::new(text.into());
        check_line(&text).map_err(KeyError)?;
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

/// A text cannot be a key: it is blank, or has a line break, a control character or an invisible
/// one. Read a file or a variable with [`text::line`](crate::text::line), which leaves out the line
/// break at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the key cannot be used: {0}")]
pub struct KeyError(pub TextError);
