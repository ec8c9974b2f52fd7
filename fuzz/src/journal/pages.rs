//! A journal as it is written, by a second hand: header, length, checksum, JSON.

use imts::call::Ending;
use imts::journal::Digest;
use imts::journal::{Book, CallState};
use imts::time::Wall;
use serde_json::json;

use super::rules::{self, Kept, Record, STATES};

pub(super) const HEADER: &[u8] = b"imts-journal 1\n";

/// What a compact journal begins with.
pub(super) const COMPACT: &[u8] = b"imts-journal 7\n";

/// Where the digit of the version stands.
pub(super) const VERSION: usize = 13;

/// What becomes of the file afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) enum Damage {
    Cut(usize),
    Changed(usize, u8),
    /// The line feed after the record of this number is changed.
    Ended(usize, u8),
}

/// The records of an input, and the damage.
pub(super) struct Pages {
    /// What stands before the records, if the journal is compact.
    pub(super) kept: Option<Kept>,
    pub(super) records: Vec<Record>,
    pub(super) damage: Option<Damage>,
}

/// So many records are written of an input: each is read many times.
const MOST: usize = 48;

impl Pages {
    pub(super) fn write(lines: &[u8]) -> Self {
        let (mut records, mut damage, mut intents, mut kept) = (Vec::new(), None, 0, None);
        for line in lines.split(|byte| *byte == b'\n') {
            let Some((letter, rest)) = line.split_first() else { continue };
            let text = String::from_utf8_lossy(rest);
            let id = text.parse().unwrap_or(intents);
            let ended = |ending| Some(Record::Ended { id, ending });
            let record = match letter {
                b'k' if records.is_empty() && kept.is_none() => {
                    let parts = text.split_once(' ').unwrap_or((&text, ""));
                    let number = |text: &str| text.parse::<u64>().unwrap_or_default() % 40;
                    let (hashes, calls) = (number(parts.0), number(parts.1));
                    (kept, intents) = (Some(Kept { hashes, calls }), hashes + calls);
                    None
                }
                b'i' => {
                    intents += 1;
                    let reference = Some(text.into_owned()).filter(|it| !it.is_empty());
                    Some(Record::Intent { id: intents, reference })
                }
                b's' => Some(Record::Sending { id }),
                b'd' => ended(Ending::Done),
                b'r' => ended(Ending::Refused),
                b'u' => ended(Ending::Unknown),
                b'n' => ended(Ending::NotSent),
                b'X' => Some(Record::Other(rest.to_vec())),
                b'c' => {
                    damage = text.parse().ok().map(Damage::Cut).or(damage);
                    None
                }
                b'm' | b'e' => {
                    let parts = text.split_once(' ');
                    let parts = parts.and_then(|(n, m)| n.parse().ok().zip(m.parse().ok()));
                    let change = |(number, by)| match letter {
                        b'e' => Damage::Ended(number, by),
                        _ => Damage::Changed(number, by),
                    };
                    damage = parts.map(change).or(damage);
                    None
                }
                _ => None,
            };
            records.extend(record.filter(|_| records.len() < MOST));
        }
        let mut pages = Self { kept, records, damage };
        if let Some(Damage::Ended(number, by)) = pages.damage {
            let end = pages.start_of(number.saturating_add(1).min(pages.records.len()));
            pages.damage = Some(Damage::Changed(end - 1, by));
        }
        pages
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.of_records(&self.records)
    }

    /// Whether each record could have been written when it was.
    pub(super) fn is_plain(&self) -> bool {
        rules::plain(self.kept, &self.records) == self.records.len()
    }

    /// The place of the first record that cannot have been written; `None` also if that is not
    /// certain.
    pub(super) fn first_odd(&self) -> Option<usize> {
        let number = rules::plain(self.kept, &self.records);
        let record = self.records.get(number)?;
        (!matches!(record, Record::Other(_))).then(|| self.start_of(number))
    }

    /// Where the record of this number begins, counted from 0.
    pub(super) fn start_of(&self, number: usize) -> usize {
        self.of_records(&self.records[..number]).len()
    }

    /// How many bytes stand before the records.
    pub(super) fn beginning(&self) -> usize {
        self.start_of(0)
    }

    fn of_records(&self, records: &[Record]) -> Vec<u8> {
        let beginning = self.kept.map_or(HEADER.to_vec(), compact);
        records.iter().fold(beginning, put)
    }

    /// Where the record begins that this byte is part of.
    pub(super) fn start_of_record_at(&self, place: usize) -> usize {
        let starts = (0..self.records.len()).map(|number| self.start_of(number));
        starts.take_while(|start| *start <= place).last().unwrap_or_default()
    }

    /// The records that are whole in so many bytes.
    pub(super) fn records_within(&self, length: usize) -> &[Record] {
        let fits = |count: &usize| self.start_of(*count) <= length;
        &self.records[..(0..=self.records.len()).take_while(fits).last().unwrap_or_default()]
    }
}

/// What a book says, in as few records as there can be.
pub(super) fn of(book: &Book) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    for call in book.calls() {
        let (id, operation, reference) = (call.id, &call.operation, &call.reference);
        let at = |at: Wall| at.unix_micros();
        let mut put = |json: serde_json::Value| bytes.extend(framed(json.to_string().as_bytes()));
        put(json!({ "record": "intent", "id": id, "at_us": at(call.intended_at),
            "operation": operation, "reference": reference, "digest": call.digest.to_string() }));
        if let Some(sent_at) = call.sent_at {
            put(json!({ "record": "sending", "id": id, "at_us": at(sent_at) }));
        }
        let ending = match call.state {
            CallState::Done => Ending::Done,
            CallState::Refused => Ending::Refused,
            CallState::NotSent => Ending::NotSent,
            CallState::Intended | CallState::InDoubt => Ending::Unknown,
        };
        if let Some(ended_at) = call.ended_at {
            let ending = ending.as_str();
            put(json!({ "record": "ended", "id": id, "at_us": at(ended_at), "ending": ending }));
        }
    }
    bytes
}

/// The beginning of a compact journal.
fn compact(kept: Kept) -> Vec<u8> {
    let mut bytes = COMPACT.to_vec();
    if kept.hashes > 0 {
        let mut block = b"D".to_vec();
        for id in 1..=kept.hashes {
            for part in [id, !id, id << 8] {
                block.extend(part.to_be_bytes());
            }
            // The next number; and 64 us later: the double of it, in two bytes.
            block.extend([1, 0x80, 0x01]);
        }
        bytes.extend(framed(&block));
    }
    for (place, id) in (kept.hashes + 1..=kept.hashes + kept.calls).enumerate() {
        let state = STATES[place % STATES.len()];
        let (digest, reference) = (Digest::of(&id.to_le_bytes()).to_string(), format!("kept-{id}"));
        let intent = json!({ "id": id, "at_us": 1, "operation": "confirm", "reference": reference,
            "url": "https://service.example/x", "agent": "a", "digest": digest, "meaning": digest });
        let mut call = json!({ "record": "call", "intent": intent, "state": state.as_str() });
        if state != CallState::Intended {
            call["sent_us"] = 2.into();
        }
        if state == CallState::Done {
            call["ended_us"] = 3.into();
            call["resolution"] = json!({ "finding": "done", "reason": "asked" });
        }
        bytes.extend(framed(call.to_string().as_bytes()));
    }
    let end = json!({ "record": "compacted", "at_us": 4, "done": kept.hashes, "calls": kept.calls,
        "last": kept.hashes + kept.calls, "first_own": 0 });
    bytes.extend(framed(end.to_string().as_bytes()));
    bytes
}

fn put(mut bytes: Vec<u8>, record: &Record) -> Vec<u8> {
    let json = match record {
        Record::Intent { id, reference } => {
            let digest = Digest::of(&id.to_le_bytes()).to_string();
            json!({ "record": "intent", "id": id, "at_us": 1, "operation": "confirm",
                "reference": reference, "digest": digest })
        }
        Record::Sending { id } => json!({ "record": "sending", "id": id, "at_us": 2 }),
        Record::Ended { id, ending } => {
            let ending = ending.as_str();
            json!({ "record": "ended", "id": id, "at_us": 3, "ending": ending })
        }
        Record::Other(json) => {
            bytes.extend(framed(json));
            return bytes;
        }
    };
    bytes.extend(framed(json.to_string().as_bytes()));
    bytes
}

fn framed(json: &[u8]) -> Vec<u8> {
    let head = format!("{:08x} {:08x} ", json.len(), crc(json));
    [head.as_bytes(), json, b"\n"].concat()
}

/// CRC-32 as in ISO 3309, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
