//! What is on its way between ureq and a connection: requests with a secret in them, replies with
//! tokens.
//!
//! Owns that memory, and wipes it: what went out at once, what came in as soon as it is used.

use ureq::unversioned::transport;
use zeroize::{Zeroize, Zeroizing};

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
            sent.zeroize();
        }
    }

    fn room(&mut self) -> &mut [u8] {
        take(&mut self.input, INPUT);
        if self.used > 0 {
            self.input.copy_within(self.used..self.filled, 0);
            let end = self.filled;
            self.filled -= self.used;
            self.used = 0;
            self.input[self.filled..end].zeroize();
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
        self.input[self.used..self.used + amount].zeroize();
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
