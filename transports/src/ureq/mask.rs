//! Masks over the bodies of replies, while they pass through hands that log them.
//!
//! Owns the key, and which mask belongs to which reply. What is masked never leaves the process: it
//! is to be noise to whoever reads it, without this key, later.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes a mask for each reply of one transport, from a key that the system drew.
#[derive(Clone, Debug, Default)]
pub(super) struct Masks(Arc<(RandomState, AtomicU64)>);

impl Masks {
    /// A mask of its own for the next reply on this thread.
    pub(super) fn next(&self) -> Mask {
        let number = self.0.1.fetch_add(1, Ordering::Relaxed);
        LAST.set(number);
        self.numbered(number)
    }

    /// The mask of the reply that this thread was last given the head of.
    pub(super) fn last(&self) -> Mask {
        self.numbered(LAST.get())
    }

    fn numbered(&self, number: u64) -> Mask {
        Mask { masks: self.clone(), number, at: 0, block: [0; 8] }
    }
}

thread_local! {
    /// ureq makes a call, and reads its reply, on one thread from beginning to end.
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// Masks a body, or unmasks it, piece by piece.
#[derive(Debug)]
pub(super) struct Mask {
    masks: Masks,
    number: u64,
    at: u64,
    block: [u8; 8],
}

impl Mask {
    pub(super) fn apply(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let place = (self.at % 8) as usize;
            if place == 0 {
                let key = &self.masks.0.0;
                self.block = key.hash_one((self.number, self.at)).to_ne_bytes();
            }
            *byte ^= self.block[place];
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Masks;

    #[test]
    fn a_mask_taken_twice_is_none_however_the_pieces_lie() {
        let masks = Masks::default();
        let mut bytes = *b"what was said is read";
        let mut mask = masks.next();
        for piece in bytes.chunks_mut(5) {
            mask.apply(piece);
        }
        assert_ne!(&bytes, b"what was said is read");
        let mut mask = masks.last();
        for piece in bytes.chunks_mut(3) {
            mask.apply(piece);
        }
        assert_eq!(&bytes, b"what was said is read");
    }

    #[test]
    fn no_two_replies_have_one_mask() {
        let masks = Masks::default();
        let mut both = [[0; 64]; 2];
        for bytes in &mut both {
            masks.next().apply(bytes);
        }
        assert_ne!(both[0], both[1]);
    }
}
