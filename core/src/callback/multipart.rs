//! Messages as `multipart/form-data` (RFC 7578).
//!
//! Owns this form on the wire, as far as a message needs it: texts without files. Does not know what
//! the fields mean.

use crate::sign::pg_sig::{PgFields, PgReadError};

/// Reads the parts of a body, in their order.
pub(super) fn read(boundary: &str, body: &[u8]) -> Result<PgFields, PgReadError> {
    if body.len() > MAX_BYTES {
        return Err(PgReadError::TooLarge);
    }
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let first = delimiter.strip_prefix(b"\r\n").ok_or(SYNTAX)?;
    // A line end may stand in front of the first delimiter (RFC 2046, section 5.1.1).
    let start = body.strip_prefix(b"\r\n").unwrap_or(body);
    let mut rest = start.strip_prefix(first).ok_or(SYNTAX)?;
    let mut pairs = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return if matches!(end, b"" | b"\r\n") { message(&pairs) } else { Err(SYNTAX) };
        }
        if pairs.len() >= MAX_PARTS {
            return Err(PgReadError::TooLarge);
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(SYNTAX)?;
        let (part, after) = halves(part, &delimiter).ok_or(SYNTAX)?;
        let (head, value) = halves(part, b"\r\n\r\n").ok_or(SYNTAX)?;
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| PgReadError::Encoding);
        pairs.push((name(text(head)?)?, text(value)?));
        rest = after;
    }
}

/// If `pg_xml` is the only field, the message is the XML in it (published).
fn message(pairs: &[(&str, &str)]) -> Result<PgFields, PgReadError> {
    match pairs {
        [("pg_xml", xml)] => PgFields::from_xml(xml.as_bytes()),
        pairs => PgFields::from_pairs(pairs.iter().copied()),
    }
}

/// The boundary of a content type, if it is `multipart/form-data` with one.
pub(super) fn boundary(parameters: &str) -> Option<&str> {
    let mut boundary = None;
    for parameter in parameters.split(';') {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("boundary") {
            let value = value.trim();
            let value = match value.strip_prefix('"') {
                Some(quoted) => quoted.strip_suffix('"')?,
                None => value,
            };
            if boundary.replace(value).is_some() {
                return None;
            }
        }
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    boundary.filter(|it| {
        (1..=LONGEST_BOUNDARY).contains(&it.len()) && it.bytes().all(allowed) && !it.ends_with(' ')
    })
}

/// The field's name in the head of a part.
fn name(head: &str) -> Result<&str, PgReadError> {
    if head.len() > LONGEST_HEAD {
        return Err(PgReadError::TooLarge);
    }
    let mut name = None;
    for line in head.split("\r\n") {
        let (header, value) = line.split_once(':').ok_or(SYNTAX)?;
        if header.eq_ignore_ascii_case("content-disposition") {
            if name.replace(disposed(value)?).is_some() {
                return Err(SYNTAX);
            }
        } else if header.eq_ignore_ascii_case("content-transfer-encoding")
            && !matches!(value.trim(), "7bit" | "8bit" | "binary")
        {
            return Err(PgReadError::Unsupported { what: "a part with a transfer encoding" });
        }
    }
    name.ok_or(SYNTAX)
}

/// The name in `form-data; name="pg_amount"`.
fn disposed(value: &str) -> Result<&str, PgReadError> {
    let rest = value.trim().strip_prefix("form-data").ok_or(SYNTAX)?;
    let parameter = rest.trim_start().strip_prefix(';').ok_or(SYNTAX)?.trim();
    let quoted = parameter.strip_prefix("name=\"").ok_or(SYNTAX)?;
    let (name, after) = quoted.split_once('"').ok_or(SYNTAX)?;
    if !after.trim().is_empty() {
        return Err(PgReadError::Unsupported { what: "a file" });
    }
    // Writers disagree on how they escape these.
    if name.contains(['\\', '%', '\r', '\n']) {
        return Err(SYNTAX);
    }
    Ok(name)
}

/// What stands before and behind the first of some bytes.
fn halves<'a>(bytes: &'a [u8], between: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = bytes.windows(between.len()).position(|window| window == between)?;
    let (before, from) = bytes.split_at_checked(place)?;
    Some((before, from.strip_prefix(between)?))
}

const SYNTAX: PgReadError = PgReadError::Syntax { form: "multipart/form-data" };

/// How long a body, a part's head and a boundary may be, in bytes, and how many parts there may be.
const MAX_BYTES: usize = 262_144;
const MAX_PARTS: usize = 4_096;
const LONGEST_HEAD: usize = 1_024;
const LONGEST_BOUNDARY: usize = 70;
