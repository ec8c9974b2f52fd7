//! The query of a URL: how its values are written and read.
//!
//! Owns percent-escapes (RFC 3986, section 2.1) and the `+` of forms. Knows no parameter.

use std::fmt::Write as _;

/// Writes a value so that it has no character with a meaning in a query.
pub(super) fn push(url: &mut String, name: &str, value: &str) {
    url.push(if url.contains('?') { '&' } else { '?' });
    escape(url, name);
    url.push('=');
    escape(url, value);
}

fn escape(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            _ => _ = write!(url, "%{byte:02X}"),
        }
    }
}

/// The value of a parameter, if it occurs once. `query` is a query, or a URL that has one.
pub(super) fn value(query: &str, name: &str) -> Option<String> {
    let query = query.split_once('?').map_or(query, |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut found = pairs.filter(|(key, _)| unescaped(key).as_deref() == Some(name));
    let (_, value) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    unescaped(value)
}

/// `None` if an escape is not one, or the bytes are not text.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits =
                    [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
                let [Some(high), Some(low)] = digits else { return None };
                u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}
