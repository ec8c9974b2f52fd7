//! Text that comes from outside: a variable, a file, stdin, an argument.
//!
//! Owns what all of them have in common: which bytes are text, which belong to the editor that wrote
//! them, and which characters a reader of the text would not see. Does not know where a text comes
//! from or what it is for: the caller reads the bytes, and names their source in its message.

use std::str;

use thiserror::Error;

/// Why bytes are not a text that can be used. No variant holds the text, which may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The bytes are UTF-16: they begin with its byte order mark, or one of the first two is zero.
    #[error("it is UTF-16: save it as UTF-8")]
    Utf16,
    /// The bytes are not UTF-8.
    #[error("line {line} is not UTF-8: save it as UTF-8")]
    NotUtf8 {
        /// The line of the first such byte, counted from 1.
        line: usize,
    },
    /// The text has a control character, or a value of one line has a character without a glyph.
    #[error(
        "line {line} has a control character or an invisible one (U+{n:04X}): remove it",
        n = u32::from(*.character)
    )]
    Invisible {
        /// The line of the first such character, counted from 1.
        line: usize,
        /// The character.
        character: char,
    },
    /// A value of one line has a line break that is not its end.
    #[error("it has more than one line")]
    Lines,
    /// The text is empty or has only white space.
    #[error("it is blank")]
    Blank,
}

/// Reads a value of one line, such as a name, a secret or a URL.
///
/// One byte order mark at the start and one line break at the end are not part of it: editors and
/// shells put them there. Spaces are part of it.
///
/// ```
/// use imts_core::text::{self, TextError};
///
/// assert_eq!(text::line(b"\xef\xbb\xbfs3cret\r\n")?, "s3cret");
/// assert_eq!(text::line(b"s3cret\n\n"), Err(TextError::Lines));
/// assert_eq!(text::line("s3c\u{200b}ret".as_bytes()).unwrap_err().to_string(),
///     "line 1 has a control character or an invisible one (U+200B): remove it");
/// # Ok::<(), TextError>(())
/// ```
///
/// # Errors
///
/// [`TextError`] says what is wrong: UTF-16, not UTF-8, blank, a second line, or a character that
/// nobody sees.
pub fn line(bytes: &[u8]) -> Result<&str, TextError> {
    let value = decoded(bytes)?;
    check_line(value)?;
    Ok(value)
}

/// Reads a text of any number of lines, such as a JSON, TOML or PEM file.
///
/// One byte order mark at the start and one line break at the end are not part of it. It may have
/// tabs and line breaks, and no other control character. It may have characters without a glyph:
/// some languages need them.
///
/// # Errors
///
/// [`TextError`] says what is wrong, and in which line: UTF-16, not UTF-8, blank, or a control
/// character.
pub fn document(bytes: &[u8]) -> Result<&str, TextError> {
    let text = decoded(bytes)?;
    let is_control = |it: char| it.is_control() && !matches!(it, '\t' | '\n' | '\r');
    match first(text, is_control) {
        Some(error) => Err(error),
        None if text.trim().is_empty() => Err(TextError::Blank),
        None => Ok(text),
    }
}

/// Returns the bytes without one byte order mark, if their reader decodes them itself.
///
/// # Errors
///
/// [`TextError::Utf16`] if they are UTF-16.
pub fn unmarked(bytes: &[u8]) -> Result<&[u8], TextError> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(TextError::Utf16),
        // No text has a zero byte beside another one, and ASCII in UTF-16 always has.
        [one, other, ..] if (*one == 0) != (*other == 0) => Err(TextError::Utf16),
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(rest),
        _ => Ok(bytes),
    }
}

/// Checks that a value is one line that has only what its reader sees. Nothing of it is cut off.
pub(crate) fn check_line(value: &str) -> Result<(), TextError> {
    if value.trim().is_empty() {
        return Err(TextError::Blank);
    }
    match first(value, is_invisible) {
        Some(TextError::Invisible { character: '\n' | '\r', .. }) => Err(TextError::Lines),
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Decodes a text, without its mark and the line break at its end.
fn decoded(bytes: &[u8]) -> Result<&str, TextError> {
    let bytes = unmarked(bytes)?;
    let line = bytes.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let bytes = line.unwrap_or(bytes);
    str::from_utf8(bytes).map_err(|error| TextError::NotUtf8 {
        line: line_at(bytes.get(..error.valid_up_to()).unwrap_or(bytes)),
    })
}

fn first(text: &str, is_wrong: impl Fn(char) -> bool) -> Option<TextError> {
    let (at, character) = text.char_indices().find(|(_, character)| is_wrong(*character))?;
    let before = text.get(..at).unwrap_or(text);
    Some(TextError::Invisible { line: line_at(before.as_bytes()), character })
}

/// The number of the line in which the next byte stands.
fn line_at(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

/// Control characters, and those that have no glyph: what Unicode lets a font leave out
/// (`Default_Ignorable_Code_Point`), and the marks that begin a line or annotate a text.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
