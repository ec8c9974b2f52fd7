//! Text from outside, as an error or a log may show it.
//!
//! Owns which characters are not shown. Does not know which part of a text is secret: its owner
//! must.

use std::fmt::{self, Write};

/// The beginning of a caller's text. A line feed in it ends no line, and no character moves the
/// cursor.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(LONGEST) {
            f.write_char(if is_unprintable(character) { ' ' } else { character })?;
        }
        if self.0.chars().nth(LONGEST).is_some() { f.write_char('\u{2026}') } else { Ok(()) }
    }
}

/// Control characters move a terminal's cursor. Bidirectional ones change the order in which text
/// is read.
pub(crate) fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many characters are shown.
const LONGEST: usize = 128;
