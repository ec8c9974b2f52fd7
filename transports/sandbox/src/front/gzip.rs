//! A gzip stream that is small on the wire and large when it is unpacked (RFC 1951, RFC 1952).

/// How many times the stream repeats the one space, 258 spaces each time.
const MATCHES: u32 = 40_000;
/// The number of spaces in the stream.
const SPACES: u32 = 1 + 258 * MATCHES;
/// The CRC-32 of that many spaces.
const CHECK: u32 = 0xdc61_d500;

/// Builds a gzip stream of less than 64 KiB that holds ten million spaces.
pub(super) fn bomb() -> Vec<u8> {
    let mut bits = Bits { bytes: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], used: 8 };
    bits.push(0b1, 1); // the last block,
    bits.push(1, 2); // of type 1: fixed codes
    bits.push_code(0x30 + u32::from(b' '), 8);
    for _ in 0..MATCHES {
        bits.push_code(0b1100_0101, 8); // length 258
        bits.push_code(0, 5); // distance 1
    }
    bits.push_code(0, 7); // the end of the block
    let mut bytes = bits.bytes;
    bytes.extend_from_slice(&CHECK.to_le_bytes());
    bytes.extend_from_slice(&SPACES.to_le_bytes());
    bytes
}

struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are used.
    used: u32,
}

impl Bits {
    /// Appends a number, its least significant bit first.
    fn push(&mut self, number: u32, bits: u32) {
        for at in 0..bits {
            if self.used == 8 {
                self.bytes.push(0);
                self.used = 0;
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((number >> at & 1) as u8) << self.used;
            }
            self.used += 1;
        }
    }

    /// Appends a Huffman code, its most significant bit first.
    fn push_code(&mut self, code: u32, bits: u32) {
        self.push(code.reverse_bits() >> (32 - bits), bits);
    }
}
