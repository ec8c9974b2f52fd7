//! Messages as urlencoded pairs: the body of a form, or the query of a URL.
//!
//! Owns this form on the wire. Does not know how a message is signed.

use zeroize::Zeroizing;

use super::error::PgReadError;
use super::fields::{MAX_BYTES, MAX_FIELDS, PgFields, PgValue};
use crate::secret::Body;

impl PgFields {
    /// Reads urlencoded pairs, such as the body of a callback or the query of a redirect. The
    /// fields keep their order, and repeated ones stay apart.
    ///
    /// If `pg_xml` is the only field, the message is the XML in it (published).
    ///
    /// # Errors
    ///
    /// [`PgReadError`] if the text has a wrong escape, is not UTF-8, or is too much.
    pub fn from_form(form: &[u8]) -> Result<Self, PgReadError> {
        if form.len() > MAX_BYTES {
            return Err(PgReadError::TooLarge);
        }
        let mut pairs = Vec::new();
        for pair in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if pairs.len() >= MAX_FIELDS {
                return Err(PgReadError::TooLarge);
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || decoded(halves.next().unwrap_or_default());
            pairs.push((half()?, half()?));
        }
        match pairs.as_slice() {
            [(name, xml)] if name.as_str() == "pg_xml" => Self::from_xml(xml.as_bytes()),
            pairs => {
                Self::from_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            }
        }
    }
}

/// The text of one half of a pair.
fn decoded(half: &[u8]) -> Result<Zeroizing<String>, PgReadError> {
    // No escape is shorter than its byte, so the memory is not outgrown.
    let mut text = Zeroizing::new(Vec::with_capacity(half.len()));
    let mut rest = half.iter();
    while let Some(byte) = rest.next() {
        text.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()];
                escaped(digits).ok_or(PgReadError::Syntax { form: "urlencoded" })?
            }
            byte => *byte,
        });
    }
    let text = std::str::from_utf8(&text).map_err(|_| PgReadError::Encoding)?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The byte of two hex digits.
fn escaped(digits: [Option<&u8>; 2]) -> Option<u8> {
    let mut byte = 0_u8;
    for digit in digits {
        let half = char::from(*digit?).to_digit(16)?;
        byte = byte.wrapping_shl(4) | u8::try_from(half).ok()?;
    }
    Some(byte)
}

/// Writes the pairs. Nested values have names such as `a[0][b]`.
pub(super) fn write(fields: &PgFields) -> Body {
    let mut pairs = Vec::new();
    for (name, value) in fields.all() {
        collect(name.to_owned(), value, &mut pairs);
    }
    // An escape has three characters, and each pair two separators.
    let lengths = pairs.iter().map(|(name, value)| name.len().saturating_add(value.len()));
    let length = lengths.fold(0, |sum: usize, it| sum.saturating_add(it.saturating_mul(3)));
    let room = length.saturating_add(pairs.len().saturating_mul(2));
    let mut form = Zeroizing::new(Vec::with_capacity(room));
    for (name, value) in pairs {
        if !form.is_empty() {
            form.push(b'&');
        }
        encode(&name, &mut form);
        form.push(b'=');
        encode(value, &mut form);
    }
    Body::new(form)
}

fn collect<'a>(name: String, value: &'a PgValue, pairs: &mut Vec<(String, &'a str)>) {
    match value.as_text() {
        Some(text) => pairs.push((name, text)),
        None => {
            for (key, inner) in value.inner() {
                collect(format!("{name}[{key}]"), inner, pairs);
            }
        }
    }
}

fn encode(text: &str, form: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
    for byte in text.bytes() {
        match byte {
            b' ' => form.push(b'+'),
            byte if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) => form.push(byte),
            byte => form.extend([b'%', digit(byte.wrapping_shr(4)), digit(byte & 15)]),
        }
    }
}
