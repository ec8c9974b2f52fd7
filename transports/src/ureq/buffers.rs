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
    /// How much of `output` waits for the body that belongs to it.
    held: usize,
    input: Vec<u8>,
    /// Where in `input` the received bytes begin that were not used yet.
    used: usize,
    filled: usize,
    /// Whether ureq used some of the input the last time. If not, more must be received first.
    progress: bool,
}

impl Buffers {
    /// Takes this much more output. Returns whether it is a head that is held back, to be sent
    /// together with the start of its body: one packet instead of two.
    pub(super) fn holds_back(&mut self, amount: usize) -> bool {
        let is_head = |output: &[u8]| output.ends_with(b"\r\n\r\n");
        let is_held =
            self.held == 0 && amount <= MOST_HELD && self.output.get(..amount).is_some_and(is_head);
        self.held = self.held.saturating_add(amount).min(self.output.len());
        is_held
    }

    /// Returns the output that is to be sent.
    pub(super) fn held(&self) -> &[u8] {
        self.output.get(..self.held).unwrap_or_default()
    }

    /// Wipes the output that is to be sent.
    pub(super) fn wipe_held(&mut self) {
        if let Some(sent) = self.output.get_mut(..self.held) {
            wipe_in_place(sent);
        }
        self.held = 0;
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
        &mut self.output[self.held..]
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
        (&mut self.input[self.filled..], &mut self.output[self.held..])
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

/// The longest head that is held back: as much room is left for the body.
const MOST_HELD: usize = OUTPUT / 2;

#[cfg(test)]
mod tests {
    use ureq::unversioned::transport::Buffers as _;

    use super::{Buffers, INPUT, MOST_HELD, OUTPUT};

    fn came(buffers: &mut Buffers, text: &[u8]) {
        buffers.input_append_buf()[..text.len()].copy_from_slice(text);
        buffers.input_appended(text.len());
    }

    #[test]
    fn what_went_out_is_wiped() {
        let mut buffers = Buffers::default();
        buffers.output()[..6].copy_from_slice(b"secret");
        assert!(!buffers.holds_back(6));
        assert_eq!(buffers.held(), b"secret");
        buffers.wipe_held();
        assert!(buffers.held().is_empty());
        assert_eq!(buffers.output(), [0; OUTPUT]);
    }

    /// Returns whether this much output is held back, if it ends like this.
    fn holds_back(buffers: &mut Buffers, amount: usize, end: &[u8]) -> bool {
        let output = buffers.output();
        output[..amount].fill(b' ');
        output[amount - end.len()..amount].copy_from_slice(end);
        buffers.holds_back(amount)
    }

    #[test]
    fn a_head_waits_for_the_start_of_its_body_if_that_has_room() {
        let end = b"\r\n\r\n";
        let mut buffers = Buffers::default();
        assert!(holds_back(&mut buffers, 20, end));
        assert_eq!(buffers.output().len(), OUTPUT - 20);
        assert!(!holds_back(&mut buffers, 10, end), "it has a body now");
        assert_eq!(buffers.held().len(), 30);
        assert!(!holds_back(&mut Buffers::default(), 20, b": x\r\n"), "half a head");
        assert!(holds_back(&mut Buffers::default(), MOST_HELD, end));
        assert!(!holds_back(&mut Buffers::default(), MOST_HELD + 1, end));
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
