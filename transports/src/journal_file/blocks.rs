//! Blocks of calls that were done: some 30 bytes for each call.
//!
//! A block is a `D`, then four values for each call:
//!
//! - the hash of its key (16 bytes);
//! - the digest of its meaning (8 bytes);
//! - its number minus the number of the call before it;
//! - its time minus the time of the call before it.
//!
//! The first call's number and time are written as they are. Integers have the highest byte first.
//! The two differences have seven bits in each byte, the lowest first. The highest bit is set if
//! another byte follows. The difference of times, in microseconds, is doubled first: 0 is written
//! as 0, -1 as 1, 1 as 2, -2 as 3. Each number is higher than the one before it.

use imts_core::journal::{Digest, DoneCall};
use imts_core::time::Wall;

/// The longest block, in bytes.
pub(super) const LONGEST: usize = 65_536;

const MARK: u8 = b'D';

/// How many calls a block can always hold, however far apart they are: each takes at most 44 bytes.
pub(super) const CALLS: usize = (LONGEST - 1) / 44;

pub(super) fn write(calls: &[DoneCall]) -> Vec<u8> {
    let mut block = vec![MARK];
    let (mut id, mut at) = (0, 0);
    for call in calls {
        let ((upper, lower), time) = (call.key, call.at.unix_micros());
        for part in [upper, lower, call.meaning.0] {
            block.extend_from_slice(&part.to_be_bytes());
        }
        write_number(&mut block, call.id.wrapping_sub(id));
        write_number(&mut block, folded(time.wrapping_sub(at)));
        (id, at) = (call.id, time);
    }
    block
}

/// Reads a block; `None` if the bytes are not a block.
pub(super) fn read(body: &[u8]) -> Option<Vec<DoneCall>> {
    let mut rest = body.strip_prefix(&[MARK])?;
    let mut calls = Vec::with_capacity(rest.len() / 28);
    let (mut id, mut at) = (0_u64, 0_i64);
    while !rest.is_empty() {
        let key = (integer(&mut rest)?, integer(&mut rest)?);
        let meaning = Digest(integer(&mut rest)?);
        let step = number(&mut rest)?;
        id = id.checked_add(step).filter(|_| step > 0)?;
        at = at.wrapping_add(unfolded(number(&mut rest)?));
        calls.push(DoneCall { key, meaning, id, at: Wall::from_unix_micros(at) });
    }
    Some(calls)
}

fn integer(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u64::from_be_bytes(*bytes))
}

fn write_number(block: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        block.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    block.push(number.to_le_bytes()[0]);
}

/// Reads a number in the form in which it is written. Every other form is refused.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let bits = u64::from(byte & 0x7f);
        number |= bits << (7 * place);
        if byte & 0x80 == 0 {
            let is_plain = (*byte > 0 || place == 0) && (place < 9 || bits < 2);
            return Some(number).filter(|_| is_plain);
        }
    }
    None
}

fn folded(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use imts_core::journal::{Digest, DoneCall};
    use imts_core::time::Wall;

    use super::{CALLS, LONGEST, read, write};

    fn call(id: u64, at: i64) -> DoneCall {
        let (key, at) = ((id ^ 7, u64::MAX - id), Wall::from_unix_micros(at));
        DoneCall { key, meaning: Digest(id << 9), id, at }
    }

    #[test]
    fn a_block_is_read_as_it_was_written_whatever_the_numbers_and_times() {
        let far = [call(1, i64::MAX), call(2, i64::MIN), call(300, 0), call(u64::MAX, -1)];
        let near: Vec<_> = (1..=1_000).map(|id| call(id * 2, 1_764_000_000_000_000)).collect();
        for calls in [&far[..], &near, &[]] {
            assert_eq!(read(&write(calls)).as_deref(), Some(calls));
        }
        assert!(write(&near).len() < near.len() * 30);
    }

    #[test]
    fn a_full_block_fits_into_a_record() {
        let calls: Vec<_> = (0..CALLS)
            .map(|place| call(place as u64 + 1, if place % 2 == 0 { i64::MIN } else { 0 }))
            .collect();
        assert!(write(&calls).len() <= LONGEST);
    }

    #[test]
    fn what_nobody_could_have_written_is_not_a_block() {
        let block = write(&[call(1, 2), call(3, 4)]);
        for length in 0..block.len() {
            let is_whole = length == 1 || length == 1 + 26;
            assert_eq!(read(&block[..length]).is_some(), is_whole, "{length}");
        }
        assert_eq!(read(&write(&[call(3, 0), call(3, 0)])), None, "a number twice");
        assert_eq!(read(&write(&[call(3, 0), call(2, 0)])), None, "numbers that fall");
        let with = |number: &[u8]| [b"D", &[0; 24][..], number, &[0]].concat();
        assert!(read(&with(&[0x81, 1])).is_some());
        assert_eq!(read(&with(&[0x81, 0])), None, "a number with a needless byte");
        assert_eq!(read(&with(&[0xff; 9])), None, "a number without an end");
        let highest = [&[0xff; 9][..], &[1]].concat();
        assert_eq!(read(&with(&highest)).unwrap()[0].id, u64::MAX);
        assert_eq!(read(&with(&[&[0xff; 9][..], &[2]].concat())), None, "more than 64 bits");
    }
}
