//! Why an exchange failed, in one line without secrets.

use std::error::Error as StdError;
use std::fmt;

/// The texts of an error and of what caused it, in one line.
#[derive(Debug)]
pub(super) struct Reason(String);

impl Reason {
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            let more = source.to_string();
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            next = source.source();
        }
        Self(text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Reason {}
