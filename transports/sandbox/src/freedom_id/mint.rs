//! Makes Freedom ID's tokens and ids. Nothing here reads one.

use sha2::{Digest, Sha256};

use crate::time::Time;

/// Makes tokens and ids. No two are the same. They can be guessed: they protect nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mint {
    made: u64,
}

impl Mint {
    /// Makes 128 characters of `[a-zA-Z0-9]`, as tokens are printed.
    pub(crate) fn token(&mut self) -> String {
        self.letters(128)
    }

    /// Makes a code. Its form is unknown: 40 characters of `[a-zA-Z0-9]` are assumed.
    pub(crate) fn code(&mut self) -> String {
        self.letters(40)
    }

    /// Makes a uuid of version 7, whose first 48 bits are the time (RFC 9562, section 5.7).
    pub(crate) fn uuid_7(&mut self, now: Time) -> String {
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or_default().to_be_bytes();
        let mut bytes = self.bytes(0);
        for (place, byte) in bytes.iter_mut().zip(millis.iter().skip(2)) {
            *place = *byte;
        }
        uuid(&bytes, 0x70)
    }

    /// Makes a uuid of version 4.
    pub(crate) fn uuid_4(&mut self) -> String {
        uuid(&self.bytes(0), 0x40)
    }

    fn letters(&mut self, length: usize) -> String {
        const ALPHABET: &[u8; 62] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let blocks = (0_u8..).take(length.div_ceil(32));
        let mut bytes: Vec<u8> = Vec::with_capacity(length + 32);
        self.made += 1;
        for block in blocks {
            bytes.extend(digest(self.made, block));
        }
        let letter = |byte: &u8| ALPHABET.get(usize::from(*byte) % 62).copied().map(char::from);
        bytes.iter().take(length).filter_map(letter).collect()
    }

    fn bytes(&mut self, block: u8) -> [u8; 16] {
        self.made += 1;
        let mut bytes = [0; 16];
        for (place, byte) in bytes.iter_mut().zip(digest(self.made, block)) {
            *place = byte;
        }
        bytes
    }
}

fn digest(number: u64, block: u8) -> impl IntoIterator<Item = u8> {
    let mut hash = Sha256::new();
    hash.update(b"Freedom ID in the sandbox");
    hash.update(number.to_be_bytes());
    hash.update([block]);
    hash.finalize()
}

/// Prints 16 bytes as a uuid of this version, of the variant of RFC 9562.
fn uuid(bytes: &[u8; 16], version: u8) -> String {
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&place) {
            text.push('-');
        }
        let byte = match place {
            6 => byte & 0x0f | version,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first 48 bits of the printed example are 2025-02-25T06:35:50.355Z.
    #[test]
    fn ids_begin_with_the_time_as_the_printed_one_does() {
        let mut mint = Mint::default();
        let id = mint.uuid_7(Time::from_micros(1_740_465_350_355_000));
        assert_eq!((&id[..15], id.len()), ("01953bd1-a6d3-7", 36));
        assert_ne!(id, mint.uuid_7(Time::from_micros(1_740_465_350_355_000)));
    }

    #[test]
    fn tokens_have_the_printed_form_and_differ() {
        let mut mint = Mint::default();
        let (one, other) = (mint.token(), mint.token());
        assert!(one.len() == 128 && one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one, other);
    }
}
