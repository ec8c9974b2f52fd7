//! The records between TLS and the stream below it.
//!
//! Owns where a record begins and ends (RFC 8446, section 5.1; TLS 1.2 has the same form), and
//! whether TLS waits for what it reads. Does not know what a record holds.

use std::io::{self, Read, Write};

use super::Stream;

/// The stream that TLS reads its records from.
#[derive(Debug)]
pub(in crate::ureq) struct Socket {
    stream: Box<Stream>,
    records: Records,
    /// How many bytes may be read without waiting; `None` if TLS waits for what it reads.
    looks: Option<usize>,
}

impl Socket {
    pub(in crate::ureq) fn new(stream: Stream) -> Self {
        Self { stream: Box::new(stream), records: Records::default(), looks: None }
    }

    pub(in crate::ureq) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// From now on, reads only what has arrived, and no more than [`ENOUGH`].
    pub(in crate::ureq) fn look(&mut self) {
        self.looks = Some(ENOUGH);
    }

    /// From now on, waits for what is read.
    pub(in crate::ureq) fn wait(&mut self) {
        self.looks = None;
    }

    /// Returns whether a record has arrived in part.
    pub(in crate::ureq) fn is_midway(&self) -> bool {
        self.records.is_midway()
    }
}

/// More bytes than the records that a server sends by itself, while no one asks.
const ENOUGH: usize = 65_536;

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.looks {
            None => self.stream.read(buffer)?,
            Some(left) => {
                let room = buffer.len().min(*left);
                // At its end: a server that sends this much unasked is not waiting for a request.
                let buffer = buffer.get_mut(..room).filter(|room| !room.is_empty());
                let buffer = buffer.ok_or(io::ErrorKind::FileTooLarge)?;
                let read = self.stream.read_now(buffer)?;
                *left = left.saturating_sub(read);
                read
            }
        };
        self.records.follow(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Follows records by their headers: one byte of type, two of version, and two of length.
#[derive(Debug, Default)]
struct Records {
    /// How much of a header has arrived.
    header: usize,
    /// How much of a record is still to come. While its header arrives, this is the part of its
    /// length that is known.
    left: usize,
}

impl Records {
    fn follow(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            if self.header < HEADER {
                self.header += 1;
                if self.header > HEADER - 2 {
                    self.left = self.left << 8 | usize::from(*first);
                }
                bytes = rest;
            } else {
                let skipped = self.left.min(bytes.len());
                self.left -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
            }
            if self.header == HEADER && self.left == 0 {
                self.header = 0;
            }
        }
    }

    fn is_midway(&self) -> bool {
        self.header > 0
    }
}

const HEADER: usize = 5;

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn a_record_has_come_in_part_until_its_last_byte_has() {
        let records = [&[23, 3, 3, 1, 2][..], &[7; 258], &[21, 3, 3, 0, 0, 22, 3, 3, 0, 1, 9]];
        let bytes = records.concat();
        let ends = [263, 268, 274];
        for size in [1, 2, 3, 5, 7, 100, 300] {
            let (mut records, mut came) = (Records::default(), 0);
            assert!(!records.is_midway());
            for piece in bytes.chunks(size) {
                records.follow(piece);
                came += piece.len();
                assert_eq!(records.is_midway(), !ends.contains(&came), "{size}: {came}");
            }
        }
    }
}
