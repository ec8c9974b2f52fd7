//! The keys that encrypt what a store keeps, from their file.

use std::path::Path;

use imts::store::sealed::Keys;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::input::Source;
use crate::timeout::TimeLimit;

/// The longest file of keys that is read, in bytes.
const MAX_KEYS: u64 = 4_096;

/// The length of a key in bytes.
const LENGTH: usize = 32;

/// The length of a key's text in base64, with its padding.
const TEXT: usize = 44;

/// Reads the keys: the first one encrypts, and each further one only decrypts.
pub(super) fn keys(path: &Path, limit: TimeLimit) -> Result<Keys, Failure> {
    let source = Source::File(path.to_owned());
    let text =
        limit.bound("reading the store's key", move || source.text("the store's key", MAX_KEYS))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let wrong = || {
        Failure::usage(format!(
            "the store's key from {} cannot be used: each line must be 32 bytes in base64",
            path.display()
        ))
        .advising("Draw a key with `openssl rand -base64 32`.")
    };
    let first = lines.next().and_then(decoded).ok_or_else(wrong)?;
    lines.try_fold(Keys::new(*first), |keys, line| {
        Ok(keys.and_old(*decoded(line).ok_or_else(wrong)?))
    })
}

/// Decodes base64 (RFC 4648, section 4) of just the length of a key.
fn decoded(text: &str) -> Option<Zeroizing<[u8; LENGTH]>> {
    let digits = text.strip_suffix('=').filter(|_| text.len() == TEXT)?;
    let mut key = Zeroizing::new([0; LENGTH]);
    let (mut bits, mut count, mut place) = (Zeroizing::new(0_u32), 0, 0);
    for digit in digits.bytes() {
        *bits = (*bits << 6 & 0xffff) | u32::from(value(digit)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            *key.get_mut(place)? = u8::try_from(*bits >> count & 0xff).ok()?;
            place += 1;
        }
    }
    // The last digit has two bits more than the key.
    (place == LENGTH && *bits & 0b11 == 0).then_some(key)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_key_is_32_bytes_in_base64_and_nothing_else() {
        let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd/v8=";
        let key = decoded(text).unwrap();
        let mut expected: Vec<u8> = (0..30).collect();
        expected.extend([0xfe, 0xff]);
        assert_eq!(key.as_slice(), expected);
        let (longer, shorter) = (format!("AAAA{text}"), text.split_at(4).1);
        let of_url = text.replace('/', "_");
        for wrong in
            ["", &longer, shorter, &of_url, &text.replace("8=", "9="), &text.replace('=', "A")]
        {
            assert!(decoded(wrong).is_none(), "{wrong}");
        }
    }
}
