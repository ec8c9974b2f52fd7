//! Accepts only a JSON object if the contract prints an object.
//!
//! Owns one check that derived deserializers lack. They accept a list of a struct's fields, in
//! order and without names, as the struct. Knows no field.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

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
