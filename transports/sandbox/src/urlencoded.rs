//! Forms as browsers send them: names and values, percent-encoded (WHATWG URL, section 5).
//!
//! Owns this form on the wire, in a query and in a body. Does not know any field.

use std::fmt::Write as _;

use crate::pg_sig::Fields;

/// Reads the fields in their order. `None` if an escape is broken or the text is not UTF-8.
pub(crate) fn read(text: &str) -> Option<Fields> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

/// Writes the fields in their order.
pub(crate) fn write(fields: &[(String, String)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

/// Adds fields to the query of a URL, before its fragment.
pub(crate) fn appended(url: &str, fields: &[(String, String)]) -> String {
    let (url, fragment) = match url.split_once('#') {
        Some((url, fragment)) => (url, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let joint = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{url}{joint}{}{fragment}", write(fields))
}

/// Returns the value of the field with this name, if there is exactly one.
pub(crate) fn one<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = fields.iter().filter(|(known, _)| known == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            byte => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let fields = vec![("a[0][b]".to_owned(), "Бронь & Co=1;+%".to_owned())];
        assert_eq!(read(&write(&fields)), Some(fields));
        assert_eq!(read("a=%4"), None);
        assert_eq!(read("a=%ff"), None);
    }

    #[test]
    fn fields_are_added_behind_the_query_and_before_the_fragment() {
        let fields = [("code".to_owned(), "1 2".to_owned())];
        for (url, expected) in [
            ("http://a/b", "http://a/b?code=1+2"),
            ("http://a/b?", "http://a/b?code=1+2"),
            ("http://a/b?s=1#f", "http://a/b?s=1&code=1+2#f"),
        ] {
            assert_eq!(appended(url, &fields), expected);
        }
    }
}
