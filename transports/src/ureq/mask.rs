//! Masks that ureq gets in place of response bodies, because it would log the bodies.
//!
//! Owns a body meanwhile, and knows which body belongs to which response. A mask is made from a
//! count alone. It reveals nothing of what it covers, no matter who reads it and which level the
//! log has.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::wipe::wipe;

/// Makes a mask for each response of one transport.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks(());

impl Masks {
    /// Returns a new mask for the next response on this thread. When its body begins to arrive,
    /// this much memory is allocated for it at once.
    pub(super) fn next(&self, room: usize) -> Mask {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let body = Arc::new(Mutex::new(Body { room, ..Body::default() }));
        LAST.set(Some(Covered { body: Arc::clone(&body), shown: Pattern { number, at: 0 } }));
        Mask { body, shown: Pattern { number, at: 0 } }
    }

    /// Returns the body of the response whose head this thread got last.
    pub(super) fn last(&self) -> Option<Covered> {
        LAST.take()
    }
}

/// No two responses of a process have the same number.
static NUMBER: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// ureq makes a call, and reads its response, on one thread from beginning to end.
    static LAST: RefCell<Option<Covered>> = const { RefCell::new(None) };
}

/// A body, as far as it was received.
#[derive(Default)]
struct Body {
    /// What was received, and room for more.
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
    /// How much memory is allocated at least.
    room: usize,
}

impl Body {
    /// Returns room for this much more.
    fn more(&mut self, amount: usize) -> &mut [u8] {
        let end = self.length.saturating_add(amount);
        if self.bytes.len() < end {
            let mut larger = vec![0; end.max(self.room).max(self.bytes.len().saturating_mul(2))];
            let came = self.bytes.get(..self.length).unwrap_or_default();
            larger.iter_mut().zip(came).for_each(|(byte, came)| *byte = *came);
            // Wipe the memory that has become too small.
            wipe(&mut std::mem::replace(&mut self.bytes, larger));
        }
        self.bytes.get_mut(self.length..end).unwrap_or_default()
    }
}

/// Covers a body, piece by piece.
pub(super) struct Mask {
    /// Shared on one thread: one side takes a body off its connection, the other reads it to its
    /// end.
    body: Arc<Mutex<Body>>,
    shown: Pattern,
}

impl Mask {
    /// Stores a piece of the body, and writes its cover into `shown`, which has the same length.
    pub(super) fn cover(&mut self, mut bytes: &[u8], shown: &mut [u8]) {
        // Memory is read to its end.
        let _read = self.read(&mut bytes, shown);
    }

    /// Reads and stores a part of the body, and writes its cover into `shown`.
    pub(super) fn read(&mut self, from: &mut impl Read, shown: &mut [u8]) -> io::Result<usize> {
        let mut body = lock(&self.body);
        let read = from.read(body.more(shown.len()))?;
        body.length = body.length.saturating_add(read);
        self.shown.draw(shown.get_mut(..read).unwrap_or_default());
        Ok(read)
    }
}

/// A body under its mask.
pub(super) struct Covered {
    body: Arc<Mutex<Body>>,
    shown: Pattern,
}

impl Covered {
    /// Returns whether these bytes are the next ones of the cover. If not, ureq has read the
    /// response differently from how it was covered.
    pub(super) fn goes_on(&mut self, bytes: &[u8]) -> bool {
        let mut expected = [0; 1_024];
        bytes.chunks(expected.len()).all(|bytes| {
            let expected = &mut expected[..bytes.len()];
            self.shown.draw(expected);
            expected == bytes
        })
    }

    /// Returns the body under the bytes that [went on](Covered::goes_on).
    pub(super) fn uncover(self) -> Option<Vec<u8>> {
        let length = usize::try_from(self.shown.at).ok()?;
        let mut body = lock(&self.body);
        // Wipe all that came after them.
        let came = body.length;
        body.bytes.get_mut(length..came)?.fill(0);
        let mut bytes = std::mem::take(&mut *body.bytes);
        bytes.truncate(length);
        Some(bytes)
    }
}

fn lock(body: &Mutex<Body>) -> MutexGuard<'_, Body> {
    body.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is shown of a response: bytes that occur at no other place, of this response or another.
#[derive(Clone, Copy)]
struct Pattern {
    number: u64,
    at: u64,
}

impl Pattern {
    /// Writes the next bytes.
    fn draw(&mut self, bytes: &mut [u8]) {
        let into = usize::try_from(self.at % 8).unwrap_or_default();
        let (first, rest) =
            bytes.split_at_mut(if into == 0 { 0 } else { bytes.len().min(8 - into) });
        let started = self.word().to_ne_bytes();
        first.iter_mut().zip(&started[into..]).for_each(|(byte, shown)| *byte = *shown);
        self.at += first.len() as u64;
        let (mut words, mut next) = (rest.chunks_exact_mut(8), self.word());
        for word in &mut words {
            word.copy_from_slice(&next.to_ne_bytes());
            next = next.wrapping_add(FACTOR);
        }
        let last = words.into_remainder();
        last.iter_mut().zip(next.to_ne_bytes()).for_each(|(byte, shown)| *byte = shown);
        self.at += rest.len() as u64;
    }

    /// Returns the eight bytes around this place.
    fn word(&self) -> u64 {
        // A response has less than 2⁴³ bytes, and an odd factor turns different counts into
        // different words.
        let count = self.number.wrapping_shl(40).wrapping_add(self.at / 8);
        count.wrapping_mul(FACTOR)
    }
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").field("at", &self.shown.at).finish_non_exhaustive()
    }
}

impl fmt::Debug for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Covered").field("at", &self.shown.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Masks;

    #[test]
    fn what_is_covered_is_read_however_the_pieces_lie() {
        let rows = [(1, 1, 0), (5, 3, 8), (3, 5, 56), (7, 64, 64), (64, 9, 3), (64, 64, 64)];
        for (put, taken, room) in rows {
            let said = b"what was said is read, whatever is shown of it meanwhile";
            let (masks, mut bytes) = (Masks::default(), vec![0; said.len()]);
            let mut mask = masks.next(room);
            said.chunks(put)
                .zip(bytes.chunks_mut(put))
                .for_each(|(it, shown)| mask.cover(it, shown));
            let common = bytes.windows(3).filter(|it| said.windows(3).any(|said| said == *it));
            assert_eq!(common.count(), 0, "{bytes:?}");
            let mut covered = masks.last().unwrap();
            assert!(bytes.chunks(taken).all(|piece| covered.goes_on(piece)), "{put} {taken}");
            assert_eq!(covered.uncover().unwrap(), said);
        }
    }

    #[test]
    fn what_goes_on_otherwise_than_it_was_covered_is_told() {
        let shown = |length: usize| {
            let masks = Masks::default();
            let mut bytes = vec![0; length];
            masks.next(0).cover(&vec![b'x'; length], &mut bytes);
            (bytes, masks.last().unwrap())
        };
        let (bytes, _) = shown(64);
        let (_, mut other) = shown(64);
        assert!(!other.goes_on(&bytes), "another reply's");
        let (bytes, mut moved) = shown(64);
        assert!(!moved.goes_on(&bytes[1..]), "a byte was left out");
        let (bytes, mut more) = shown(63);
        assert!(more.goes_on(&bytes));
        assert!(!more.goes_on(b"\n"), "one that was no body");
        let (bytes, mut part) = shown(64);
        assert!(part.goes_on(&bytes[..7]));
        assert_eq!(part.uncover().unwrap(), b"xxxxxxx", "a body that is read in part");
    }

    #[test]
    fn no_more_is_uncovered_than_came() {
        let masks = Masks::default();
        masks.next(9).cover(&[0; 4], &mut [0; 4]);
        let mut covered = masks.last().unwrap();
        let mut next = covered.shown;
        let mut bytes = [0; 5];
        next.draw(&mut bytes);
        assert!(covered.goes_on(&bytes), "the pattern has no end");
        assert!(covered.uncover().is_none());
    }
}
