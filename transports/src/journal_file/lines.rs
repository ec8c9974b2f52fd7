//! The journal's bytes: a header, then records of a line each.
//!
//! A record is `LENGTH CRC JSON`: eight hexadecimal digits each for the length of the JSON and its
//! CRC-32, single spaces, a line feed at the end. Times are microseconds since 1970. What a record means for a
//! call is the book's matter.

use imts_core::journal::{Digest, Entry, Intent};
use imts_core::{Ending, Wall};
use serde::{Deserialize, Serialize};

/// What a journal of this version begins with.
pub(super) const HEADER: &[u8] = b"imts-journal 1\n";

/// The longest record's JSON, in bytes.
const LONGEST: usize = 65_536;

/// `LENGTH CRC `.
const PREFIX: usize = 18;

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Intent { id: u64, at_us: i64, operation: String, reference: Option<String>, digest: String },
    Sending { id: u64, at_us: i64 },
    Ended { id: u64, at_us: i64, ending: String },
}

/// A record's bytes; `None` where they are too long.
pub(super) fn write(id: u64, entry: &Entry) -> Option<Vec<u8>> {
    let line = match entry {
        Entry::Intent(intent) => Line::Intent {
            id,
            at_us: intent.at.unix_micros(),
            operation: intent.operation.clone(),
            reference: intent.reference.clone(),
            digest: intent.digest.to_string(),
        },
        Entry::Sending { at, .. } => Line::Sending { id, at_us: at.unix_micros() },
        Entry::Ended { at, ending, .. } => {
            Line::Ended { id, at_us: at.unix_micros(), ending: ending.as_str().to_owned() }
        }
    };
    let json = serde_json::to_vec(&line).ok().filter(|json| json.len() <= LONGEST)?;
    let mut bytes = format!("{:08x} {:08x} ", json.len(), crc32fast::hash(&json)).into_bytes();
    bytes.extend_from_slice(&json);
    bytes.push(b'\n');
    Some(bytes)
}

/// The record that bytes begin with, and its length; `None` where they begin with none that is
/// whole and unchanged.
pub(super) fn read(bytes: &[u8]) -> Option<(u64, Entry, usize)> {
    let (prefix, rest) = bytes.split_at_checked(PREFIX)?;
    let prefix = std::str::from_utf8(prefix).ok()?;
    let (length, crc) = prefix.strip_suffix(' ')?.split_once(' ')?;
    let length = usize::try_from(hexadecimal(length)?).ok().filter(|it| *it <= LONGEST)?;
    let (json, rest) = rest.split_at_checked(length)?;
    if rest.first() != Some(&b'\n') || hexadecimal(crc)? != crc32fast::hash(json) {
        return None;
    }
    let at = Wall::from_unix_micros;
    let (id, entry) = match serde_json::from_slice(json).ok()? {
        Line::Intent { id, at_us, operation, reference, digest } => {
            let digest = Digest(u64::from_str_radix(&digest, 16).ok()?);
            (id, Entry::Intent(Intent { operation, reference, digest, at: at(at_us) }))
        }
        Line::Sending { id, at_us } => (id, Entry::Sending { id, at: at(at_us) }),
        Line::Ended { id, at_us, ending } => {
            let all = [Ending::Done, Ending::Refused, Ending::Unknown, Ending::NotSent];
            let ending = all.into_iter().find(|it| it.as_str() == ending)?;
            (id, Entry::Ended { id, at: at(at_us), ending })
        }
    };
    Some((id, entry, PREFIX + length + 1))
}

/// Whether a whole record stands anywhere in bytes that do not begin with one: also where the line
/// feed before it is what was changed.
pub(super) fn has_record(bytes: &[u8]) -> bool {
    (1..bytes.len()).any(|place| read(&bytes[place..]).is_some())
}

/// Eight digits, as they are written and in no other way.
fn hexadecimal(digits: &str) -> Option<u32> {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_plain = digits.len() == 8 && digits.bytes().all(is_digit);
    if is_plain { u32::from_str_radix(digits, 16).ok() } else { None }
}
