//! Reads every text that comes from outside: variables, files, stdin, arguments.
//!
//! Owns what all of them have in common: one byte order mark at the start and one line break at the
//! end are not part of a text, a text is UTF-8, and a value of one line has only visible characters.
//! Does not know what a text is for.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::{env, mem};

use zeroize::{Zeroize, Zeroizing};

use crate::failure::Failure;

/// Where a text comes from. Messages name it.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Variable(&'static str),
    File(PathBuf),
    Stdin,
    Terminal,
}

/// Why a text cannot be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    Unreadable(io::Error),
    TooLong(u64),
    Utf16,
    NotUtf8,
    Lines,
    Invisible(char),
    Blank,
}

impl Source {
    /// Reads a text of at most `limit` bytes. `what` is its name in the message of a failure.
    pub(crate) fn text(&self, what: &str, limit: u64) -> Result<Zeroizing<String>, Failure> {
        self.bytes(limit).and_then(text).map_err(|error| self.failure(what, &error))
    }

    /// Reads a text whose encoding is unknown, apart from its byte order mark.
    pub(crate) fn bytes_of(&self, what: &str, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.bytes(limit).map_err(|error| self.failure(what, &error))
    }

    /// Reads a value of one line.
    pub(crate) fn line(&self, what: &str, limit: u64) -> Result<Zeroizing<String>, Failure> {
        let line = self.text(what, limit)?;
        self.is_line(what, &line)?;
        Ok(line)
    }

    /// Checks that a text is a value of one line.
    pub(crate) fn is_line(&self, what: &str, text: &str) -> Result<(), Failure> {
        one_line(text).map_err(|error| self.failure(what, &error))
    }

    fn bytes(&self, limit: u64) -> Result<Zeroizing<Vec<u8>>, Unusable> {
        let bytes = match self {
            Self::Variable(name) => {
                let value = env::var_os(name).ok_or(io::ErrorKind::NotFound)?;
                let bytes = Zeroizing::new(value.into_encoded_bytes());
                if bytes.len() as u64 > limit {
                    return Err(Unusable::TooLong(limit));
                }
                bytes
            }
            Self::File(path) => read(File::open(path)?, limit)?,
            Self::Stdin => read(io::stdin().lock(), limit)?,
            Self::Terminal => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        };
        without_mark(bytes)
    }

    fn failure(&self, what: &str, error: &Unusable) -> Failure {
        match error {
            Unusable::Unreadable(_) | Unusable::TooLong(_) => {
                Failure::usage(format!("cannot read {what} from {self}: {error}"))
            }
            _ => Failure::usage(format!("{what} from {self} cannot be used: {error}")),
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
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::TooLong(limit) => write!(f, "longer than {limit} bytes"),
            Self::Utf16 => f.write_str("it is UTF-16: save it as UTF-8"),
            Self::NotUtf8 => f.write_str("it is not UTF-8"),
            Self::Lines => f.write_str("it has more than one line"),
            Self::Invisible(character) => {
                let number = u32::from(*character);
                write!(f, "it has a control character or an invisible one (U+{number:04X})")
            }
            Self::Blank => f.write_str("it is blank"),
        }
    }
}

impl<E: Into<io::Error>> From<E> for Unusable {
    fn from(error: E) -> Self {
        Self::Unreadable(error.into())
    }
}

/// Returns the value of an argument or a variable that the parser of arguments has read.
pub(crate) fn value(raw: &std::ffi::OsStr) -> Result<String, Unusable> {
    let bytes = without_mark(Zeroizing::new(raw.as_encoded_bytes().to_vec()))?;
    let mut value = text(bytes)?;
    one_line(&value)?;
    Ok(mem::take(&mut *value))
}

/// Returns a text that is an argument, without the mark and the line break.
pub(crate) fn argument(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.get(..without_break(text.as_bytes())).unwrap_or(text)
}

/// Reads all of a source. Its memory does not grow meanwhile if the text is short: what it grew out
/// of would not be wiped.
fn read(source: impl Read, limit: u64) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    const SHORT: usize = 66_000;
    let mut bytes = Zeroizing::new(Vec::with_capacity(SHORT));
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Unusable::TooLong(limit)) } else { Ok(bytes) }
}

/// Removes one byte order mark. A text in UTF-16 is named, with its mark or without.
fn without_mark(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    match **bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(Unusable::Utf16),
        [one, other, ..] if (one == 0) != (other == 0) => return Err(Unusable::Utf16),
        [0xef, 0xbb, 0xbf, ..] => drop(bytes.drain(..3)),
        _ => {}
    }
    Ok(bytes)
}

/// Decodes a text, and removes one line break at its end.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>, Unusable> {
    let length = without_break(&bytes);
    bytes.truncate(length);
    String::from_utf8(mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        error.into_bytes().zeroize();
        Unusable::NotUtf8
    })
}

/// Returns the length of a text without the line break at its end: LF, or CR and LF.
fn without_break(text: &[u8]) -> usize {
    let line = text.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    line.unwrap_or(text).len()
}

fn one_line(text: &str) -> Result<(), Unusable> {
    if text.trim().is_empty() {
        return Err(Unusable::Blank);
    }
    match text.chars().find(|character| is_invisible(*character)) {
        Some('\n' | '\r') => Err(Unusable::Lines),
        Some(character) => Err(Unusable::Invisible(character)),
        None => Ok(()),
    }
}

/// Control characters, and those that take no space: nobody sees them in what was copied.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{argument, value};

    #[test]
    fn one_mark_and_one_line_break_are_not_part_of_a_text() {
        for before in ["", "\u{feff}"] {
            for after in ["", "\n", "\r\n"] {
                for text in ["s", "s\u{a0}", "\u{2003}s"] {
                    let raw = [before, text, after].concat();
                    assert_eq!(value(OsStr::new(&raw)).unwrap(), text, "{raw:?}");
                    assert_eq!(argument(&raw), text, "{raw:?}");
                }
            }
        }
        for (raw, why) in [
            ("", "blank"),
            ("\u{feff}", "blank"),
            ("\u{a0}\n", "blank"),
            ("\n\n", "blank"),
            ("s\n\n", "line"),
            ("s\nt", "line"),
            ("s\r", "line"),
            ("s\t", "U+0009"),
            ("s\u{7f}", "U+007F"),
            ("s\u{85}", "U+0085"),
            ("s\u{200b}", "U+200B"),
            ("\u{feff}\u{feff}s", "U+FEFF"),
            ("s\0", "UTF-16"),
        ] {
            let error = value(OsStr::new(raw)).unwrap_err().to_string();
            assert!(error.contains(why), "{raw:?}: {error}");
        }
    }
}
