//! A JSON string that may be a secret.
//!
//! Owns where its characters lie and that they do not outlive it. Knows nothing of what they say.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A string that borrows from the JSON, unless it was escaped; what it owns is wiped on drop.
#[derive(Serialize, Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}
