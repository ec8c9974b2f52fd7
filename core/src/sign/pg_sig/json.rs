//! Messages as JSON: one object.
//!
//! Owns this form on the wire, and which values of JSON have a text to sign. Does not know how a
//! message is signed.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::error::PgReadError;
use super::fields::{Kind, MAX_BYTES, MAX_DEPTH, MAX_FIELDS, PgFields, PgValue};
use crate::sign::members::Members;
use crate::wire::{Text, without_mark};

impl PgFields {
    /// Reads one JSON object. A string is signed by its text, and a number by the characters with
    /// which it is written (assumed).
    ///
    /// # Errors
    ///
    /// [`PgReadError`] if it is not one JSON object in UTF-8, if there is too much, or if it has
    /// `true`, `false`, `null` or a repeated name: no page says how these are signed.
    pub fn from_json(json: &[u8]) -> Result<Self, PgReadError> {
        if json.len() > MAX_BYTES {
            return Err(PgReadError::TooLarge);
        }
        let text = std::str::from_utf8(without_mark(json)).map_err(|_| PgReadError::Encoding)?;
        let mut left = MAX_FIELDS;
        object(text, MAX_DEPTH, &mut left)
    }
}

fn object(text: &str, depth: usize, left: &mut usize) -> Result<PgFields, PgReadError> {
    let Members(members) = serde_json::from_str(text).map_err(|_| NOT_JSON)?;
    let mut fields = PgFields::new();
    for (name, raw) in members {
        if fields.has(&name) {
            return Err(PgReadError::Unsupported { what: "a repeated name" });
        }
        let value = value(raw.get(), depth, left)?;
        fields.push((*name).to_owned(), value);
    }
    Ok(fields)
}

fn value(text: &str, depth: usize, left: &mut usize) -> Result<PgValue, PgReadError> {
    *left = left.checked_sub(1).ok_or(PgReadError::TooLarge)?;
    let depth = depth.checked_sub(1).ok_or(PgReadError::TooLarge)?;
    match text.bytes().next() {
        Some(b'"') => {
            let text: Text<'_> = serde_json::from_str(text).map_err(|_| NOT_JSON)?;
            Ok(PgValue::from(&*text))
        }
        Some(b'{') => object(text, depth, left).map(PgValue::from),
        Some(b'[') => {
            let entries: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NOT_JSON)?;
            let entries = entries.into_iter().map(|entry| value(entry.get(), depth, left));
            Ok(PgValue(Kind::List(entries.collect::<Result<_, _>>()?)))
        }
        Some(b'-' | b'0'..=b'9') => Ok(number(text)),
        _ => Err(PgReadError::Unsupported { what: "a value that is true, false or null" }),
    }
}

/// A number, by the characters with which it is written.
fn number(text: &str) -> PgValue {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => {
            PgValue(Kind::Integer(number, Zeroizing::new(text.to_owned())))
        }
        _ => PgValue::from(text),
    }
}

const NOT_JSON: PgReadError = PgReadError::Syntax { form: "one JSON object" };

/// A message that is written as JSON.
pub(super) struct AsJson<'a>(pub(super) &'a PgFields);

impl Serialize for AsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.all().map(|(name, value)| (name, JsonValue(value))))
    }
}

struct JsonValue<'a>(&'a PgValue);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.0 {
            Kind::Text(text) => serializer.serialize_str(text),
            Kind::Integer(number, _) => serializer.serialize_i64(*number),
            Kind::Fields(fields) => AsJson(fields).serialize(serializer),
            Kind::List(entries) => serializer.collect_seq(entries.iter().map(JsonValue)),
        }
    }
}
