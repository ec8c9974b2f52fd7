//! What a store's file holds: one line, then the bytes of the state.
//!
//! Owns the form of both, version 1. Does not know what the state's bytes mean, or where the file
//! is.

use std::fmt::{self, Write as _};
use std::time::Duration;

use imts_core::swap::{Lease, Stamp, StoreTime};
use zeroize::Zeroizing;

/// What the file holds. `Debug` prints no byte of the state.
pub(super) struct Record {
    pub(super) stamp: Stamp,
    /// When the state was made, in microseconds since 1970.
    pub(super) made_us: i64,
    /// Whether the swap that put it was moved.
    pub(super) is_moved: bool,
    pub(super) lease: Option<(Lease, Ending)>,
    pub(super) incarnation: Incarnation,
    /// The name of the endpoint and the agent.
    pub(super) entry: String,
    /// The state. It is wiped on drop.
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// What ends a lease, besides its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The death of its holder, who has locked the file beside the store.
    Death,
    /// Nothing. Its holder could not lock that file, or it is a back-off for all processes, which
    /// outlives the one that began it.
    Time,
}

/// One life of a store: the numbers of the device and of the lock's file on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Incarnation(pub(super) u64, pub(super) u64);

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormError {
    /// A newer version wrote it.
    Newer(u32),
    /// It is cut off, changed, or something else.
    Damaged,
}

impl Record {
    /// Writes the line and the state. The memory is wiped on drop.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let Stamp { generation, holder, serial } = self.stamp;
        let mut line = String::with_capacity(USUAL_LINE);
        // Writing to a string cannot fail.
        let _ = write!(
            line,
            "{NAME} {VERSION} {} {} {generation}.{holder}.{serial} {} {} {}.{}",
            self.body.len(),
            self.entry,
            self.made_us,
            u8::from(self.is_moved),
            self.incarnation.0,
            self.incarnation.1,
        );
        if let Some((lease, ending)) = self.lease {
            let Lease { holder, until, length, resting } = lease;
            let ending = if ending == Ending::Death { "death" } else { "time" };
            let (until, length) = (until.as_micros(), length.as_micros());
            let _ = write!(line, " {holder} {until} {length} {} {ending}", u8::from(resting));
        }
        line.push('\n');
        let mut bytes = Zeroizing::new(Vec::with_capacity(line.len() + self.body.len()));
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, FormError> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (line, rest) = bytes.split_at(end.ok_or(FormError::Damaged)?);
        let line = str::from_utf8(line).map_err(|_| FormError::Damaged)?;
        let body = rest.get(1..).unwrap_or_default();
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or(FormError::Damaged);
        if word()? != NAME {
            return Err(FormError::Damaged);
        }
        match number(word()?)? {
            VERSION => {}
            0 => return Err(FormError::Damaged),
            newer => return Err(FormError::Newer(newer)),
        }
        let length: usize = number(word()?)?;
        let entry = word()?.to_owned();
        let [generation, holder, serial] = numbers(word()?)?;
        let mut record = Self {
            stamp: Stamp { generation, holder, serial },
            made_us: number(word()?)?,
            is_moved: flag(word()?)?,
            incarnation: numbers(word()?).map(|[device, inode]| Incarnation(device, inode))?,
            lease: None,
            entry,
            body: Zeroizing::new(body.to_vec()),
        };
        if let Some(holder) = words.next() {
            let mut word = || words.next().ok_or(FormError::Damaged);
            let lease = Lease {
                holder: number(holder)?,
                until: StoreTime::from_micros(number(word()?)?),
                length: Duration::from_micros(number(word()?)?),
                resting: flag(word()?)?,
            };
            let ending = match word()? {
                "death" => Ending::Death,
                "time" => Ending::Time,
                _ => return Err(FormError::Damaged),
            };
            record.lease = Some((lease, ending));
        }
        if words.next().is_some() || body.len() != length || bytes.len() > LONGEST {
            return Err(FormError::Damaged);
        }
        Ok(record)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("stamp", &self.stamp)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

fn flag(word: &str) -> Result<bool, FormError> {
    match word {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(FormError::Damaged),
    }
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, FormError> {
    word.parse().map_err(|_| FormError::Damaged)
}

fn numbers<const COUNT: usize>(word: &str) -> Result<[u64; COUNT], FormError> {
    let numbers: Result<Vec<u64>, _> = word.split('.').map(number).collect();
    numbers?.try_into().map_err(|_| FormError::Damaged)
}

/// The longest file, in bytes: the line and the state.
pub(super) const LONGEST: usize = 131_072;

/// More than most lines have.
const USUAL_LINE: usize = 512;

const NAME: &str = "imts-store";

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use imts_core::swap::{Lease, StoreTime};
    use zeroize::Zeroizing;

    use super::{Ending, FormError, Incarnation, LONGEST, Record, Stamp};

    /// Each number is as long as it can be.
    fn record(ending: Option<Ending>) -> Record {
        let lease = Lease {
            holder: u64::MAX,
            until: StoreTime::from_micros(i64::MIN),
            length: Duration::from_micros(u64::MAX),
            resting: true,
        };
        Record {
            stamp: Stamp { generation: u64::MAX, holder: u64::MAX, serial: u64::MAX },
            made_us: i64::MIN,
            is_moved: true,
            lease: ending.map(|ending| (lease, ending)),
            incarnation: Incarnation(u64::MAX, u64::MAX),
            entry: "https%3A%2F%2Fsandbox.example:agent".to_owned(),
            body: Zeroizing::new(b"state\nwith a line".to_vec()),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for ending in [None, Some(Ending::Death), Some(Ending::Time)] {
            let bytes = record(ending).to_bytes();
            let read = Record::of(&bytes).unwrap();
            assert_eq!(read.to_bytes(), bytes);
            assert_eq!(read.lease.map(|(_, ending)| ending), ending);
        }
    }

    #[test]
    fn a_cut_or_longer_file_is_damaged() {
        let bytes = record(Some(Ending::Death)).to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Record::of(&bytes[..length]).unwrap_err(), FormError::Damaged, "{length}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(Record::of(&longer).unwrap_err(), FormError::Damaged);
        let mut large = record(None);
        large.body = Zeroizing::new(vec![b'x'; LONGEST]);
        assert_eq!(Record::of(&large.to_bytes()).unwrap_err(), FormError::Damaged);
    }

    #[test]
    fn a_newer_form_is_not_damaged() {
        let newer = b"imts-store 2 and whatever it has\n";
        assert_eq!(Record::of(newer).unwrap_err(), FormError::Newer(2));
        let other = b"imts-stork 2 and whatever it has\n";
        assert_eq!(Record::of(other).unwrap_err(), FormError::Damaged);
    }
}
