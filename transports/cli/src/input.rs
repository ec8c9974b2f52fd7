//! Reads every text that comes from outside: variables, files, stdin, arguments.
//!
//! Owns where texts come from, how long they may be, and the messages that name their source. Does
//! not know what a text is for, nor what a text is: the library's reader does.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use imts::text::{self, TextError};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Where a text comes from. Messages name it.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Variable(String),
    File(PathBuf),
    Stdin,
    Terminal,
    /// A command that was run. Messages name its program.
    Command(String),
    #[cfg(feature = "keyring")]
    Keychain,
}

/// Why a text cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    Unreadable(io::Error),
    TooLong(u64),
    Text(TextError),
}

impl Source {
    /// Reads a text of at most `limit` bytes. `what` is its name in the message of a failure.
    pub(crate) fn text(&self, what: &str, limit: u64) -> Result<Zeroizing<String>, Failure> {
        let bytes = self.bytes_of(what, limit)?;
        self.read(what, text::document(&bytes))
    }

    /// Reads a text that its reader decodes.
    pub(crate) fn bytes_of(&self, what: &str, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.bytes(limit).map_err(|error| self.failure(what, &error))
    }

    /// Reads a value of one line.
    pub(crate) fn line(&self, what: &str, limit: u64) -> Result<Zeroizing<String>, Failure> {
        let bytes = self.bytes_of(what, limit)?;
        self.read(what, text::line(&bytes))
    }

    /// Reads a value of one line that this source has given.
    pub(crate) fn line_of(&self, what: &str, given: &[u8]) -> Result<Zeroizing<String>, Failure> {
        self.read(what, text::line(given))
    }

    fn read(
        &self,
        what: &str,
        text: Result<&str, TextError>,
    ) -> Result<Zeroizing<String>, Failure> {
        text.map(|text| Zeroizing::new(text.to_owned()))
            .map_err(|error| self.failure(what, &Unusable::Text(error)))
    }

    fn bytes(&self, limit: u64) -> Result<Zeroizing<Vec<u8>>, Unusable> {
        match self {
            Self::Variable(name) => {
                let value = env::var_os(name).ok_or(io::ErrorKind::NotFound)?;
                let bytes = Zeroizing::new(value.into_encoded_bytes());
                if bytes.len() as u64 > limit {
                    return Err(Unusable::TooLong(limit));
                }
                Ok(bytes)
            }
            Self::File(path) => read(File::open(path)?, limit),
            Self::Stdin => read(io::stdin().lock(), limit),
            // Others read these, and pass on what came.
            _ => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        }
    }

    fn failure(&self, what: &str, error: &Unusable) -> Failure {
        match (self, error) {
            (Self::Variable(name), Unusable::Unreadable(error))
                if error.kind() == io::ErrorKind::NotFound =>
            {
                Failure::usage(format!(
                    "cannot read {what}: the variable {name} is not set: set it, and export it"
                ))
            }
            (_, Unusable::Unreadable(_) | Unusable::TooLong(_)) => {
                Failure::usage(format!("cannot read {what} from {self}: {error}"))
            }
            (_, Unusable::Text(_)) => {
                Failure::usage(format!("{what} from {self} cannot be used: {error}"))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("stdin"),
            Self::Terminal => f.write_str("the terminal"),
            #[cfg(feature = "keyring")]
            Self::Keychain => f.write_str("the keychain"),
            Self::Command(program) => write!(f, "the command `{program}`"),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::TooLong(limit) => write!(f, "longer than {limit} bytes"),
            Self::Text(error) => error.fmt(f),
        }
    }
}

impl<E: Into<io::Error>> From<E> for Unusable {
    fn from(error: E) -> Self {
        Self::Unreadable(error.into())
    }
}

/// Returns the value of an argument or a variable that the parser of arguments has read.
pub(crate) fn value(raw: &OsStr) -> Result<String, TextError> {
    text::line(raw.as_encoded_bytes()).map(str::to_owned)
}

/// Reads all of a source. Its memory does not grow meanwhile if the text is short: what it grew out
/// of would not be wiped.
fn read(source: impl Read, limit: u64) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    const SHORT: usize = 66_000;
    let mut bytes = Zeroizing::new(Vec::with_capacity(SHORT));
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Unusable::TooLong(limit)) } else { Ok(bytes) }
}
