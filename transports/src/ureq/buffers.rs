//! The bytes between ureq and a connection: requests with a secret in them, response heads, and
//! masks in place of response bodies.
//!
//! Owns that memory, and wipes what was sent at once. What is received holds no secret.

use ureq::unversioned::transport;
use zeroize::Zeroizing;

use crate::reply::wipe_in_place;

/// The buffers of one connection. Each is allocated when it is first needed.
#[derive(Default)]
pub(super) struct Buffers {
    output: Zeroizing<Vec<u8>>,
    input: Vec<u8>,
    /// Where in `input` the received bytes begin that were not used yet.
    used: usize,
    filled: usize,
    /// Whether ureq used some of the input the last time. If not, more must be received first.
    progress: bool,
}

impl Buffers {
    pub(super) fn wipe_output(&mut self, amount: usize) {
        if let Some(sent) = self.output.get_mut(..amount) {
            wipe_in_place(sent);
        }
    }

    fn room(&mut self) -> &mut [u8] {
        take(&mut self.input, INPUT);
        if self.used > 0 {
            self.input.copy_within(self.used..self.filled, 0);
            self.filled -= self.used;
            self.used = 0;
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

/// Allocates memory once: a buffer that has become too small leaves a copy behind.
fn take(buffer: &mut Vec<u8>, size: usize) {
    if buffer.is_empty() {
        buffer.resize(size, 0);
    }
}

/// Room for the longest head of a response, and for the start of its body.
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
    fn what_went_out_is_wiped() {
        let mut buffers = Buffers::default();
        buffers.output()[..6].copy_from_slice(b"secret");
        buffers.wipe_output(6);
        assert!(buffers.output().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_was_not_used_stays_in_front_of_what_comes() {
        let mut buffers = Buffers::default();
        came(&mut buffers, b"head and more");
        buffers.input_consume(5);
        assert_eq!(buffers.input(), b"and more");
        came(&mut buffers, b" still");
        assert_eq!(buffers.input(), b"and more still");
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
