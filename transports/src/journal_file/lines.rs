//! The journal's bytes: a header, then records of one line each; in a compact journal also blocks.
//!
//! A record is `LENGTH CRC JSON`: eight hexadecimal digits each for the length of the JSON and its
//! CRC-32, single spaces, a line feed at the end. A block takes the place of the JSON. Times are
//! microseconds since 1970. The book decides what a record means for a call.
//!
//! The space before the JSON says that everything before this record was durable when it was
//! written. If that was not so, there is a `+` instead, which the CRC then covers. Several records
//! are written between two syncs. After a crash, a later record may be there and an earlier one
//! not. So unreadable bytes are damage only if a record with a space follows. Otherwise they are
//! the end of what became durable.
//!
//! A compact journal begins with what a [compaction](super::compact) has kept of an earlier file:
//! [blocks] of calls that were done, then the calls that are whole, then a record
//! that marks the end and counts them. All of it was durable before the file got its name. So
//! anything unreadable up to that record is damage.
//!
//! Version 2 added what identifies an intent (URL, agent, meaning), decisions and findings with
//! their reasons, and the mark of the file itself. Version 4 added until when a sending may be
//! under way. Version 7 is a compact journal. The other versions do not exist, because one changed
//! bit would make them an earlier one. A version earlier than 4 is read as it is. Before anything
//! is appended to it, it becomes version 4 by one byte of its header. From then on, a reader of an
//! earlier version refuses it.

mod json;

use imts_core::journal::{CallRecord, DoneCall, Entry};
use imts_core::time::Wall;

use super::blocks;
use super::disk::FileId;
use super::error::JournalError;

/// The header of a journal of this version.
pub(super) const HEADER: &[u8] = b"imts-journal 4\n";

/// The header of a compact journal, of the same length.
pub(super) const COMPACT: &[u8] = b"imts-journal 7\n";

/// The headers of journals of earlier versions, each of the same length.
pub(super) const EARLIER: [&[u8]; 2] = [b"imts-journal 1\n", b"imts-journal 2\n"];

/// The longest entry's JSON, in bytes.
const LONGEST: usize = 65_536;

/// The longest JSON of a whole call, in bytes: that of its intent and of its resolution, and a
/// little more.
const LONGEST_CALL: usize = 2 * LONGEST + 1_024;

/// The longest record, in bytes.
pub(super) const LONGEST_RECORD: usize = PREFIX + LONGEST_CALL + 1;

/// The length of `LENGTH CRC `, in bytes.
const PREFIX: usize = 18;

/// One record.
#[derive(Debug)]
pub(super) enum Record {
    /// A record of a call.
    Call(u64, Entry),
    /// A record of the file itself: which file it is, as far as the system reports it.
    File { at: Wall, file: FileId },
    /// A copy was accepted as the journal: from here on, a call without an end is in doubt.
    Accepted { at: Wall, file: FileId, reason: String, by: Option<String> },
    /// Calls that were done, in the order of their numbers.
    Done(Vec<DoneCall>),
    /// A call as a compaction found it.
    Whole(Box<CallRecord>),
    /// The end of what a compaction has kept.
    Compacted(Summary),
}

/// The totals of what a compaction has kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary {
    pub(super) at: Wall,
    /// How many done calls are hashes.
    pub(super) done: u64,
    /// How many calls are whole.
    pub(super) calls: u64,
    /// The highest number that was ever given to a call.
    pub(super) last: u64,
    /// The first call that this journal permitted, and not another journal of which it is a copy.
    pub(super) first_own: u64,
}

/// Returns the bytes of a record.
///
/// # Errors
///
/// Returns [`JournalError::TooLong`] if the record is too long.
pub(super) fn write(record: &Record) -> Result<Vec<u8>, JournalError> {
    let (body, longest) = match record {
        Record::Done(calls) => (Some(blocks::write(calls)), blocks::LONGEST),
        Record::Whole(_) => (json::write(record), LONGEST_CALL),
        _ => (json::write(record), LONGEST),
    };
    let body = body.filter(|body| body.len() <= longest).ok_or(JournalError::TooLong)?;
    let mut bytes = format!("{:08x} {:08x}+", body.len(), crc(b'+', &body)).into_bytes();
    bytes.extend_from_slice(&body);
    bytes.push(b'\n');
    Ok(bytes)
}

/// Marks the first of these records: everything before it is durable.
pub(super) fn follow_a_sync(records: &mut [u8]) {
    let length = records.get(..8).and_then(|digits| std::str::from_utf8(digits).ok());
    let length = length.and_then(hexadecimal).and_then(|length| usize::try_from(length).ok());
    let Some((prefix, rest)) = records.split_at_mut_checked(PREFIX) else { return };
    let Some(json) = length.and_then(|length| rest.get(..length)) else { return };
    prefix[9..].copy_from_slice(format!("{:08x} ", crc(b' ', json)).as_bytes());
}

fn crc(mark: u8, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    if mark != b' ' {
        hasher.update(&[mark]);
    }
    hasher.update(body);
    hasher.finalize()
}

/// A record as it was found in bytes.
pub(super) struct Found {
    pub(super) record: Record,
    pub(super) length: usize,
    /// Whether everything before it was durable when it was written.
    pub(super) follows_a_sync: bool,
}

/// Reads the record that bytes begin with; `None` if they do not begin with a whole and unchanged
/// one.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    let (prefix, rest) = bytes.split_at_checked(PREFIX)?;
    let (prefix, mark) = (std::str::from_utf8(prefix).ok()?, *prefix.last()?);
    let (length, crc_then) = prefix.strip_suffix([' ', '+'])?.split_once(' ')?;
    let length = usize::try_from(hexadecimal(length)?).ok().filter(|it| *it <= LONGEST_CALL)?;
    let (body, rest) = rest.split_at_checked(length)?;
    if rest.first() != Some(&b'\n') || hexadecimal(crc_then)? != crc(mark, body) {
        return None;
    }
    let record = match blocks::read(body) {
        Some(calls) => Record::Done(calls),
        None => json::read(body)?,
    };
    Some(Found { record, length: PREFIX + length + 1, follows_a_sync: mark == b' ' })
}

/// Reads eight digits in the form in which they are written. Every other form is refused.
fn hexadecimal(digits: &str) -> Option<u32> {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_plain = digits.len() == 8 && digits.bytes().all(is_digit);
    if is_plain { u32::from_str_radix(digits, 16).ok() } else { None }
}
