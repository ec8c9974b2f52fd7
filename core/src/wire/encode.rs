//! The requests of the operations. Each body is written once. If it outgrows its memory, that
//! memory is wiped, so no memory is freed with a secret in it.

use std::borrow::Cow;
use std::io;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::error::EncodeError;
use crate::json::Json;
use crate::secret::Body;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Capacity for these headers and for a few of the driver's, without a second allocation.
const HEADERS: usize = 6;

/// Capacity for the JSON of most calls.
const USUAL: usize = 512;

impl Body {
    /// Serializes a value to JSON once. Memory that it outgrows is wiped.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the value cannot be serialized to JSON.
    pub fn json(value: &(impl Serialize + ?Sized)) -> Result<Self, EncodeError> {
        json(value, USUAL).map(Self::new)
    }
}

impl Json {
    /// Serializes a value to JSON.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if the value cannot be serialized to JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, EncodeError> {
        let bytes = json(value, USUAL)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| EncodeError)?;
        Ok(Self::known(text))
    }
}

/// Makes a request with a JSON body, or without a body.
pub(crate) fn request(method: Method, uri: &Uri, body: Body) -> Request<Body> {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(ACCEPT, JSON);
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, JSON);
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers;
    request
}

/// Writes JSON once. If `likely` bytes are not enough, it moves to more memory.
pub(crate) fn json(
    value: &(impl Serialize + ?Sized),
    likely: usize,
) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
    let mut written = Growing(Zeroizing::new(Vec::with_capacity(likely)));
    serde_json::to_writer(&mut written, value).map_err(|_| EncodeError)?;
    Ok(written.0)
}

/// The name of a field that holds a string, with the JSON around it, which is made once.
#[derive(Clone, Debug)]
pub(crate) struct FieldName {
    name: Cow<'static, str>,
    /// `,"name":"`; `None` if the name needs an escape.
    lead: Option<Box<str>>,
}

impl FieldName {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let lead = is_plain(&name).then(|| format!(",\"{name}\":\"").into_boxed_str());
        Self { name, lead }
    }
}

/// Writes an object of strings: the requests that carry a secret, and no others.
///
/// Text that needs no escape is copied in one piece. Nearly all text is of that kind.
pub(crate) fn strings(fields: &[(&FieldName, &str)]) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
    let length = |(field, value): &(&FieldName, &str)| {
        field.name.len().saturating_add(value.len()).saturating_add(FRAME)
    };
    let likely = fields.iter().map(length).fold(BRACES, usize::saturating_add);
    let mut text = Zeroizing::new(Vec::with_capacity(likely));
    for (field, value) in fields {
        let Some(lead) = field.lead.as_ref().filter(|_| is_plain(value)) else {
            return json(&Strings(fields), likely);
        };
        text.extend_from_slice(lead.as_bytes());
        text.extend_from_slice(value.as_bytes());
        text.push(b'"');
    }
    match text.first_mut() {
        Some(first) => *first = b'{',
        None => text.push(b'{'),
    }
    text.push(b'}');
    Ok(text)
}

/// Whether a text is its own JSON (RFC 8259, section 7).
fn is_plain(text: &str) -> bool {
    // The loop has no early exit, so that it can handle many bytes at once.
    let is_own = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    text.bytes().fold(true, |so_far, byte| so_far & is_own(byte))
}

/// The bytes around one name and value, and those around all of them.
const FRAME: usize = 6;
const BRACES: usize = 2;

struct Strings<'a>(&'a [(&'a FieldName, &'a str)]);

impl Serialize for Strings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, value)| (&field.name, value)))
    }
}

/// Memory that is wiped when it is outgrown.
struct Growing(Zeroizing<Vec<u8>>);

impl Growing {
    /// Moves the bytes to memory of this capacity. The old memory is wiped when it is dropped.
    #[cold]
    fn moved(&self, length: usize) -> Zeroizing<Vec<u8>> {
        let mut larger = Vec::with_capacity(length.max(self.0.capacity().saturating_mul(2)));
        larger.extend_from_slice(&self.0);
        Zeroizing::new(larger)
    }
}

impl io::Write for Growing {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.0.len().saturating_add(bytes.len());
        if self.0.capacity().checked_sub(length).is_none() {
            self.0 = self.moved(length);
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{FieldName, strings};

    fn is_as_serde_json_writes_it(fields: &[(String, String)]) {
        let names: Vec<_> = fields.iter().map(|(name, _)| FieldName::new(name.clone())).collect();
        let values = fields.iter().map(|(_, it)| it.as_str());
        let borrowed: Vec<_> = names.iter().zip(values).collect();
        let members = fields.iter().map(|(name, it)| {
            format!("{}:{}", Value::from(name.as_str()), Value::from(it.as_str()))
        });
        let expected = format!("{{{}}}", Vec::from_iter(members).join(","));
        let written = strings(&borrowed).ok();
        assert_eq!(written.as_ref().map(|it| it.as_slice()), Some(expected.as_bytes()));
    }

    #[test]
    fn each_character_is_written_as_serde_json_writes_it() {
        is_as_serde_json_writes_it(&[]);
        let codes = (0..0x180).chain([0x2028, 0xfeff, 0x1_f600]);
        for text in codes.filter_map(char::from_u32).map(String::from) {
            for text in [text.clone(), format!("{}{text}{}", "a".repeat(40), "b".repeat(40))] {
                is_as_serde_json_writes_it(&[("name".to_owned(), text.clone())]);
                is_as_serde_json_writes_it(&[(text.clone(), text), ("b".into(), "c".into())]);
            }
        }
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(
            fields in prop::collection::vec((".{0,40}", ".{0,200}"), 0..4)
        ) {
            is_as_serde_json_writes_it(&fields);
        }
    }
}
