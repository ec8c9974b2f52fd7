//! Why an exchange failed, in one line without secrets.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::tls::Reason as TlsReason;

/// The texts of an error and of what caused it, in one line; those of rustls in words that say
/// what to do.
#[derive(Debug)]
pub(crate) struct Reason(String);

impl Reason {
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut text = text(error);
        let mut next = error.source();
        while let Some(source) = next {
            append(&mut text, &self::text(source));
            next = source.source();
        }
        Self(text)
    }

    /// The same, and what else is known of it.
    #[cfg(feature = "hyper-util")]
    pub(crate) fn and(mut self, more: Option<&str>) -> Self {
        append(&mut self.0, more.unwrap_or_default());
        self
    }
}

fn append(text: &mut String, more: &str) {
    if !text.contains(more) {
        text.push_str(": ");
        text.push_str(more);
    }
}

fn text(error: &(dyn StdError + 'static)) -> String {
    // What an `io::Error` was made of is not its source, but what it is printed as.
    let made_of = || error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref();
    match error.downcast_ref::<rustls::Error>().or_else(made_of) {
        Some(error) => TlsReason::of(error).to_string(),
        None => error.to_string(),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Reason {}
