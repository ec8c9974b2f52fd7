//! Finding a marked secret in a text, however it is encoded.

/// The part of a secret that is searched for: what is shorter may be chance.
const MARK: usize = 16;

/// Marked secrets, each in every encoding.
#[derive(Default)]
pub(crate) struct Hunt {
    needles: Vec<Needle>,
}

struct Needle {
    what: String,
    encoding: &'static str,
    text: String,
    /// What is taken out of a haystack before this needle is looked for.
    noise: &'static [char],
}

const NONE: &[char] = &[];
const SPACES: &[char] = &[' ', '\n', '\t'];
const SEPARATORS: &[char] = &[' ', '\n', '\t', ',', ':', '-', '[', ']'];

impl Hunt {
    /// Adds a secret. The last bytes are its mark: tokens differ in their ends.
    pub(crate) fn add(&mut self, what: &str, secret: &str) {
        let mark = &secret.as_bytes()[secret.len().checked_sub(MARK).expect("16 bytes at least")..];
        if self.needles.iter().any(|it| it.encoding == "raw" && it.text.as_bytes() == mark) {
            return;
        }
        for (encoding, text, noise) in forms(mark) {
            self.needles.push(Needle { what: what.to_owned(), encoding, text, noise });
        }
    }

    /// Every secret in this text, and how it is encoded there.
    pub(crate) fn find(&self, text: &str) -> Vec<(&str, &'static str)> {
        let bare = |noise: &[char]| text.replace(noise, "");
        let [spaceless, joined] = [bare(SPACES), bare(SEPARATORS).replace("0x", "")];
        let found = |needle: &&Needle| match needle.noise.len() {
            0 => text.contains(&needle.text),
            3 => spaceless.contains(&needle.text),
            _ => joined.contains(&needle.text),
        };
        self.needles.iter().filter(found).map(|it| (it.what.as_str(), it.encoding)).collect()
    }

    pub(crate) fn secrets(&self) -> usize {
        self.needles.iter().filter(|needle| needle.encoding == "raw").count()
    }
}

/// Every form in which bytes are commonly printed.
fn forms(mark: &[u8]) -> Vec<(&'static str, String, &'static [char])> {
    let each = |form: fn(u8) -> String| mark.iter().map(|byte| form(*byte)).collect::<Vec<_>>();
    let mut forms = vec![
        ("raw", String::from_utf8(mark.to_vec()).expect("ASCII"), NONE),
        ("decimal bytes", each(|byte| byte.to_string()).join(","), SPACES),
        ("hex", each(|byte| format!("{byte:02x}")).concat(), SEPARATORS),
        ("HEX", each(|byte| format!("{byte:02X}")).concat(), SEPARATORS),
        ("percent", each(|byte| format!("%{byte:02X}")).concat(), NONE),
        ("percent, lower case", each(|byte| format!("%{byte:02x}")).concat(), NONE),
        ("JSON", each(|byte| format!("\\u{byte:04x}")).concat(), NONE),
        ("JSON, upper case", each(|byte| format!("\\u{byte:04X}")).concat(), NONE),
    ];
    let names = [
        ["base64 at 0", "base64 at 1", "base64 at 2"],
        ["base64url at 0", "base64url at 1", "base64url at 2"],
    ];
    for (alphabet, names) in [STANDARD, URL_SAFE].iter().zip(names) {
        for (offset, name) in names.into_iter().enumerate() {
            forms.push((name, base64_within(alphabet, mark, offset), NONE));
        }
    }
    forms
}

pub(crate) const STANDARD: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(crate) const URL_SAFE: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The characters that bytes at this offset of a triple have, whatever stands around them.
fn base64_within(alphabet: &[u8; 64], bytes: &[u8], offset: usize) -> String {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(bytes);
    let (from, to) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
    base64(alphabet, &padded)[from..to].to_owned()
}

/// Base64 without padding.
pub(crate) fn base64(alphabet: &[u8; 64], bytes: &[u8]) -> String {
    let mut text = String::new();
    for triple in bytes.chunks(3) {
        let bits = triple.iter().fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - triple.len()));
        for place in (3 - triple.len()..4).rev() {
            text.push(char::from(alphabet[bits >> (6 * place) & 63]));
        }
    }
    text
}
