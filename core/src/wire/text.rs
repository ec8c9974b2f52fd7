//! A JSON string that may be a secret.
//!
//! Owns where its characters lie and that they do not outlive it. Knows nothing of what they say.

use std::borrow::Cow;
use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

/// A string that borrows from the JSON, unless it was escaped; what it owns is wiped on drop.
#[derive(Deserialize)]
#[serde(from = "AsWritten<'a>")]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Owned(Zeroizing<String>),
}

#[derive(Deserialize)]
struct AsWritten<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> From<AsWritten<'a>> for Text<'a> {
    fn from(AsWritten(text): AsWritten<'a>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Borrowed(text),
            Cow::Owned(text) => Self::Owned(Zeroizing::new(text)),
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}
