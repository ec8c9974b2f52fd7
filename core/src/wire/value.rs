//! Two JSON values that derived readers do not read well: an object, and a string that may be a
//! secret.
//!
//! Owns a check that derived readers lack: they accept a list of a struct's fields, in order and
//! without names, as the struct. Also owns where the characters of a string are stored. Wipes what
//! it owns. Knows no field, and not what a text means.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::Chars;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A `T` that was written as an object. A derived reader alone would also accept a list.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

/// The body without the one byte order mark that may come before JSON (RFC 8259, section 8.1).
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body)
}

/// Whether a body is a JSON object. Only its grammar counts, not whether each number and each
/// escape in it can be represented.
pub(crate) fn is_object(body: &[u8]) -> bool {
    object::<IgnoredAny>(body).is_some()
}

/// The object that a body is, if it is one of this form.
pub(crate) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    let text = std::str::from_utf8(body).ok()?;
    serde_json::from_str(text).ok().map(|Object(fields)| fields)
}

/// A string that borrows from the JSON, unless it had escapes. What it owns is wiped on drop.
pub enum Text<'a> {
    /// A part of the JSON.
    Borrowed(&'a str),
    /// A copy, because the string has escapes.
    Owned(Zeroizing<String>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    /// Reads escapes itself: the JSON parser would leave a copy in memory that it does not wipe.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Self::of(raw.get()).ok_or_else(|| D::Error::custom("not a string"))
    }
}

impl<'a> Text<'a> {
    fn of(json: &'a str) -> Option<Self> {
        let inside = json.strip_prefix('"')?.strip_suffix('"')?;
        if inside.contains('\\') {
            unescaped(inside).map(Self::Owned)
        } else {
            Some(Self::Borrowed(inside))
        }
    }
}

/// The characters of a JSON string that has escapes (RFC 8259, section 7).
fn unescaped(inside: &str) -> Option<Zeroizing<String>> {
    // No escape is shorter than its character, so the memory is not outgrown.
    let mut text = Zeroizing::new(String::with_capacity(inside.len()));
    let mut rest = inside;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let mut escape = escape.chars();
        text.push(match escape.next()? {
            plain @ ('"' | '\\' | '/') => plain,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => by_number(&mut escape)?,
            _ => return None,
        });
        rest = escape.as_str();
    }
    text.push_str(rest);
    Some(text)
}

/// The character of a `\u`, or of the two that form a surrogate pair.
fn by_number(escape: &mut Chars<'_>) -> Option<char> {
    let unit = unit(escape)?;
    if let Some(character) = char::from_u32(unit.into()) {
        return Some(character);
    }
    let mut second = escape.as_str().strip_prefix("\\u")?.chars();
    let pair = [unit, self::unit(&mut second)?];
    *escape = second;
    char::decode_utf16(pair).next()?.ok()
}

fn unit(escape: &mut Chars<'_>) -> Option<u16> {
    let (digits, rest) = escape.as_str().split_at_checked(4)?;
    *escape = rest.chars();
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    /// Every escape in both cases, alone and between characters, and some texts that are not
    /// strings.
    const WRITTEN: [&str; 20] = [
        r#""""#,
        r#""plain""#,
        r#""a\"b\\c\/d\be\ff\ng\rh\ti""#,
        r#""\u0041""#,
        r#""\u00e9\u00E9""#,
        r#""x\u20AcY""#,
        r#""\ud83d\uDE00!""#,
        r#""\\u0041""#,
        r#""\u0000""#,
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\ud83d""#,
        r#""\ude00""#,
        r#""\ud83d\u0041""#,
        r#""\u+041""#,
        r#""\u004""#,
        r#""\x41""#,
        "17",
        "null",
    ];

    #[test]
    fn a_string_is_read_as_the_json_reader_reads_it() {
        for written in WRITTEN {
            let known: Option<String> = serde_json::from_str(written).ok();
            let own: Option<Text<'_>> = serde_json::from_str(written).ok();
            assert_eq!(own.as_deref(), known.as_deref(), "{written}");
        }
    }
}
