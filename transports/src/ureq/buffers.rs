//! What is on its way between ureq and a connection: requests with a secret in them, replies with
//! tokens.
//!
//! Owns that memory, and wipes it: what went out at once, what came in as soon as it is used.

use std::hint::black_box;

use ureq::unversioned::transport;
use zeroize::Zeroizing;

/// The buffers of one connection. None is taken before it is needed.
#[derive(Default)]
pub(super) struct Buffers {
    output: Zeroizing<Vec<u8>>,
    input: Zeroizing<Vec<u8>>,
    /// Where in `input` lies what came and was not used yet.
    used: usize,
    filled: usize,
    /// Whether the last use of it came further: otherwise more is needed first.
    progress: bool,
}

impl Buffers {
    pub(super) fn wipe_output(&mut self, amount: usize) {
        if let Some(sent) = self.output.get_mut(..amount) {
            wipe(sent);
        }
    }

    fn room(&mut self) -> &mut [u8] {
        take(&mut self.input, INPUT);
        if self.used > 0 {
            self.input.copy_within(self.used..self.filled, 0);
            let end = self.filled;
            self.filled -= self.used;
            self.used = 0;
            wipe(&mut self.input[self.filled..end]);
        }
        &mut self.input[self.filled..]
    }
}

impl transport::Buffers for Buffers {
    fn output(&mut self) -> &mut [u8] {
        take(&mut self.output, OUTPUT);
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.used..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.room()
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled = (self.filled + amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        let amount = amount.min(self.filled - self.used);
        self.progress = amount > 0;
        wipe(&mut self.input[self.used..self.used + amount]);
        self.used += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        take(&mut self.output, OUTPUT);
        self.room();
        (&mut self.input[self.filled..], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.used < self.filled && self.progress
    }
}

/// Wipes what lies in a buffer that lives on, at once and not byte by byte: no compiler may leave out
/// what is written to memory that is still to be read.
pub(super) fn wipe(bytes: &mut [u8]) {
    black_box(bytes).fill(0);
}

/// Takes memory once, in one piece: a piece that is outgrown leaves a copy behind.
fn take(buffer: &mut Vec<u8>, size: usize) {
    if buffer.is_empty() {
        buffer.resize(size, 0);
    }
}

/// Room for the longest head of a reply, and for the start of its body.
const INPUT: usize = super::HEAD + 16_384;

/// Room for the longest header of a request: no header is sent in two pieces.
const OUTPUT: usize = 32_768;

#[cfg(test)]
mod tests {
    use ureq::unversioned::transport::Buffers as _;

    use super::{Buffers, INPUT};

    fn came(buffers: &mut Buffers, text: &[u8]) {
        buffers.input_append_buf()[..text.len()].copy_from_slice(text);
        buffers.input_appended(text.len());
    }

    #[test]
    fn what_went_out_and_what_was_used_is_wiped() {
        let mut buffers = Buffers::default();
        buffers.output()[..6].copy_from_slice(b"secret");
        buffers.wipe_output(6);
        assert!(buffers.output().iter().all(|byte| *byte == 0));
        came(&mut buffers, b"token and more");
        buffers.input_consume(6);
        assert_eq!(buffers.input(), b"and more");
        came(&mut buffers, b" still");
        assert_eq!(buffers.input(), b"and more still");
        let rest = buffers.input_append_buf();
        assert!(rest.iter().all(|byte| *byte == 0));
        buffers.input_consume(14);
        assert!(buffers.input.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_full_buffer_has_no_room_and_grows_no_more() {
        let mut buffers = Buffers::default();
        came(&mut buffers, &[b'x'; INPUT]);
        assert!(buffers.input_append_buf().is_empty());
        buffers.input_consume(1);
        assert_eq!(buffers.input_append_buf().len(), 1);
    }

    #[test]
    fn what_could_not_be_used_waits_for_more() {
        let mut buffers = Buffers::default();
        assert!(!buffers.can_use_input());
        came(&mut buffers, b"half");
        buffers.input_consume(0);
        assert!(!buffers.can_use_input());
        buffers.input_consume(1);
        assert!(buffers.can_use_input());
    }
}
