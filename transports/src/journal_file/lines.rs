//! The journal's bytes: a header, then records of a line each.
//!
//! A record is `LENGTH CRC JSON`: eight hexadecimal digits each for the length of the JSON and its
//! CRC-32, single spaces, a line feed at the end. Times are microseconds since 1970. What a record
//! means for a call is the book's matter.
//!
//! The space before the JSON says that all before this record was durable when it was written. It is a
//! `+`, which the CRC then covers, if that was not so: several records are written between two syncs,
//! and after a crash a later one may be there, and an earlier one not. So what cannot be read is damage
//! only if a record with a space follows; otherwise it is the end of what became durable.
//!
//! Version 2 added what identifies an intent (URL, agent, meaning), decisions and findings with their
//! reasons, and the mark of the file itself. Version 4 added until when a sending may be under way;
//! there is no version 3, because one changed bit would make it version 2. An earlier version is read
//! as it is, and becomes version 4 by one byte of its header before anything is appended; a reader of
//! an earlier version refuses it from then on.

use imts_core::journal::{Despite, Digest, Entry, Finding, Intent, Resolution, Scope};
use imts_core::{Ending, Wall};
use serde::{Deserialize, Serialize};

use super::disk::FileId;
use super::error::JournalError;

/// What a journal of this version begins with.
pub(super) const HEADER: &[u8] = b"imts-journal 4\n";

/// What journals of earlier versions begin with, each as long.
pub(super) const EARLIER: [&[u8]; 2] = [b"imts-journal 1\n", b"imts-journal 2\n"];

/// The longest record's JSON, in bytes.
const LONGEST: usize = 65_536;

/// The longest record, in bytes.
pub(super) const LONGEST_RECORD: usize = PREFIX + LONGEST + 1;

/// `LENGTH CRC `.
const PREFIX: usize = 18;

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Intent {
        id: u64,
        at_us: i64,
        operation: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<String>,
        reference: Option<String>,
        digest: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meaning: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        despite: Option<DespiteLine>,
    },
    Sending {
        id: u64,
        at_us: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_us: Option<i64>,
    },
    Ended {
        id: u64,
        at_us: i64,
        ending: String,
    },
    Resolved {
        id: u64,
        at_us: i64,
        finding: String,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    File {
        at_us: i64,
        inode: Option<u64>,
        born_ns: Option<u64>,
    },
    Accepted {
        at_us: i64,
        inode: Option<u64>,
        born_ns: Option<u64>,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DespiteLine {
    id: u64,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// One record.
#[derive(Debug)]
pub(super) enum Record {
    /// Of a call.
    Call(u64, Entry),
    /// Of the file itself: which one it is, as far as the system tells.
    File { at: Wall, file: FileId },
    /// A copy was accepted as the journal: what has no end is in doubt from here on.
    Accepted { at: Wall, file: FileId, reason: String, by: Option<String> },
}

/// A record's bytes.
///
/// # Errors
///
/// [`JournalError::TooLong`].
pub(super) fn write(record: &Record) -> Result<Vec<u8>, JournalError> {
    let line = Line::from(record);
    let json = serde_json::to_vec(&line).ok().filter(|json| json.len() <= LONGEST);
    let json = json.ok_or(JournalError::TooLong)?;
    let mut bytes = format!("{:08x} {:08x}+", json.len(), crc(b'+', &json)).into_bytes();
    bytes.extend_from_slice(&json);
    bytes.push(b'\n');
    Ok(bytes)
}

/// Says of the first of these records that all before it is durable.
pub(super) fn follow_a_sync(records: &mut [u8]) {
    let length = records.get(..8).and_then(|digits| std::str::from_utf8(digits).ok());
    let length = length.and_then(hexadecimal).and_then(|length| usize::try_from(length).ok());
    let Some((prefix, rest)) = records.split_at_mut_checked(PREFIX) else { return };
    let Some(json) = length.and_then(|length| rest.get(..length)) else { return };
    prefix[9..].copy_from_slice(format!("{:08x} ", crc(b' ', json)).as_bytes());
}

fn crc(mark: u8, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    if mark != b' ' {
        hasher.update(&[mark]);
    }
    hasher.update(json);
    hasher.finalize()
}

impl From<&Record> for Line {
    fn from(record: &Record) -> Self {
        let us = |at: &Wall| at.unix_micros();
        match record {
            Record::File { at, file } => {
                Self::File { at_us: us(at), inode: file.inode, born_ns: file.born_ns }
            }
            Record::Accepted { at, file, reason, by } => Self::Accepted {
                at_us: us(at),
                inode: file.inode,
                born_ns: file.born_ns,
                reason: reason.clone(),
                by: by.clone(),
            },
            Record::Call(id, Entry::Intent(intent)) => Self::Intent {
                id: *id,
                at_us: us(&intent.at),
                operation: intent.operation.clone(),
                url: intent.scope.as_ref().map(|scope| scope.url.clone()),
                agent: intent.scope.as_ref().map(|scope| scope.agent.clone()),
                reference: intent.reference.clone(),
                digest: intent.digest.to_string(),
                meaning: intent.meaning.map(|meaning| meaning.to_string()),
                despite: intent.despite.clone().map(|despite| DespiteLine {
                    id: despite.id,
                    reason: despite.reason,
                    by: despite.by,
                }),
            },
            Record::Call(id, Entry::Sending { at, until, .. }) => {
                Self::Sending { id: *id, at_us: us(at), until_us: until.as_ref().map(us) }
            }
            Record::Call(id, Entry::Ended { at, ending, .. }) => {
                Self::Ended { id: *id, at_us: us(at), ending: ending.as_str().to_owned() }
            }
            Record::Call(id, Entry::Resolved { at, resolution, .. }) => Self::Resolved {
                id: *id,
                at_us: us(at),
                finding: resolution.finding.as_str().to_owned(),
                reason: resolution.reason.clone(),
                by: resolution.by.clone(),
            },
        }
    }
}

/// A record as it stands in bytes.
pub(super) struct Found {
    pub(super) record: Record,
    pub(super) length: usize,
    /// Whether all before it was durable when it was written.
    pub(super) follows_a_sync: bool,
}

/// The record that bytes begin with; `None` where they begin with none that is whole and unchanged.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    let (prefix, rest) = bytes.split_at_checked(PREFIX)?;
    let (prefix, mark) = (std::str::from_utf8(prefix).ok()?, *prefix.last()?);
    let (length, crc_then) = prefix.strip_suffix([' ', '+'])?.split_once(' ')?;
    let length = usize::try_from(hexadecimal(length)?).ok().filter(|it| *it <= LONGEST)?;
    let (json, rest) = rest.split_at_checked(length)?;
    if rest.first() != Some(&b'\n') || hexadecimal(crc_then)? != crc(mark, json) {
        return None;
    }
    let record = record(serde_json::from_slice(json).ok()?)?;
    Some(Found { record, length: PREFIX + length + 1, follows_a_sync: mark == b' ' })
}

fn record(line: Line) -> Option<Record> {
    let at = Wall::from_unix_micros;
    let digest = |digits: &str| u64::from_str_radix(digits, 16).ok().map(Digest);
    Some(match line {
        Line::Intent {
            id,
            at_us,
            operation,
            url,
            agent,
            reference,
            digest: bytes,
            meaning,
            despite,
        } => {
            let scope = match (url, agent) {
                (Some(url), Some(agent)) => Some(Scope { url, agent }),
                (None, None) => None,
                _ => return None,
            };
            let meaning = match meaning {
                Some(meaning) => Some(digest(&meaning)?),
                None => None,
            };
            let despite = despite.map(|it| Despite { id: it.id, reason: it.reason, by: it.by });
            let digest = digest(&bytes)?;
            let at = at(at_us);
            let intent = Intent { operation, scope, reference, digest, meaning, at, despite };
            Record::Call(id, Entry::Intent(intent))
        }
        Line::Sending { id, at_us, until_us } => {
            Record::Call(id, Entry::Sending { id, at: at(at_us), until: until_us.map(at) })
        }
        Line::Ended { id, at_us, ending } => {
            let all = [Ending::Done, Ending::Refused, Ending::Unknown, Ending::NotSent];
            let ending = all.into_iter().find(|it| it.as_str() == ending)?;
            Record::Call(id, Entry::Ended { id, at: at(at_us), ending })
        }
        Line::Resolved { id, at_us, finding, reason, by } => {
            let all = [Finding::Done, Finding::Refused];
            let finding = all.into_iter().find(|it| it.as_str() == finding)?;
            let resolution = Resolution { finding, reason, by };
            Record::Call(id, Entry::Resolved { id, at: at(at_us), resolution })
        }
        Line::File { at_us, inode, born_ns } => {
            Record::File { at: at(at_us), file: FileId { inode, born_ns } }
        }
        Line::Accepted { at_us, inode, born_ns, reason, by } => {
            Record::Accepted { at: at(at_us), file: FileId { inode, born_ns }, reason, by }
        }
    })
}

/// Eight digits, as they are written and in no other way.
fn hexadecimal(digits: &str) -> Option<u32> {
    let is_digit = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_plain = digits.len() == 8 && digits.bytes().all(is_digit);
    if is_plain { u32::from_str_radix(digits, 16).ok() } else { None }
}
