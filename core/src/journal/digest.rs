//! Digests of a request: of its bytes, and of its meaning.
//!
//! The meaning leaves out white space between values and the order of an object's fields.
//! Everything else counts as it is written: each digit of a number, and a field that occurs twice.
//! So two bodies that a service could read differently never count as one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Identifies a request (FNV-1a, 64 bits). It does not authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// Returns the digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(START).and(bytes)
    }

    /// Returns the digest of a body's meaning. If the body is not JSON, the digest is of its bytes.
    #[must_use]
    pub fn of_meaning(body: &[u8]) -> Self {
        let json = std::str::from_utf8(body).ok().and_then(|text| serde_json::from_str(text).ok());
        json.and_then(|json| Self(START).with(json, DEEPEST)).unwrap_or_else(|| Self::of(body))
    }

    fn and(self, bytes: &[u8]) -> Self {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        Self(bytes.iter().fold(self.0, step))
    }

    /// Adds a text: first its length, so that no text can contain the end of another.
    fn text(self, text: &str) -> Self {
        self.and(b"\"").and(&text.len().to_le_bytes()).and(text.as_bytes())
    }

    /// Adds a value. `None` if it is nested too deep, or has a text that cannot be read.
    fn with(self, json: &RawValue, depth: usize) -> Option<Self> {
        let (text, depth) = (json.get(), depth.checked_sub(1)?);
        match text.bytes().next()? {
            b'{' => {
                let mut fields = fields(text)?;
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                let each = |hash: Self, (name, value): &(Cow<'_, str>, &RawValue)| {
                    hash.text(name).with(value, depth)
                };
                Some(fields.iter().try_fold(self.and(b"{"), each)?.and(b"}"))
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let each = |hash: Self, item: &&RawValue| hash.with(item, depth);
                Some(items.iter().try_fold(self.and(b"["), each)?.and(b"]"))
            }
            b'"' => {
                let text: Text<'_> = serde_json::from_str(text).ok()?;
                Some(self.text(&text.0))
            }
            _ => Some(self.and(text.as_bytes()).and(b",")),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text, in any spelling.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

type Field<'a> = (Cow<'a, str>, &'a RawValue);

/// The fields of an object in their order, including those that occur twice.
pub(crate) fn fields(object: &str) -> Option<Vec<Field<'_>>> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<Field<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                fields.push((name, value));
            }
            Ok(fields)
        }
    }
    serde_json::Deserializer::from_str(object).deserialize_map(Fields).ok()
}

const START: u64 = 0xcbf2_9ce4_8422_2325;

/// How deep values may be nested. Deeper ones are compared by their bytes.
const DEEPEST: usize = 64;
