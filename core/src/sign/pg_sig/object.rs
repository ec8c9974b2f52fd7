//! A message's fields as one JSON object of texts, for the types that read replies.
//!
//! Owns the form: a text for each value, a list for a repeated name, an object for nested fields.
//! Does not know whether the message was verified.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::fields::PgValue;

/// Fields that are written as one JSON object.
pub(crate) struct AsObject<'a>(Vec<(Cow<'a, str>, Vec<&'a PgValue>)>);

impl<'a> AsObject<'a> {
    /// Groups these fields by name, in the order in which the names first come.
    pub(crate) fn of<N: Into<Cow<'a, str>>>(
        fields: impl IntoIterator<Item = (N, &'a PgValue)>,
    ) -> Self {
        let mut groups: Vec<(Cow<'a, str>, Vec<&'a PgValue>)> = Vec::new();
        for (name, value) in fields {
            let name = name.into();
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => groups.push((name, vec![value])),
            }
        }
        Self(groups)
    }
}

impl Serialize for AsObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, Values(values))))
    }
}

struct Values<'a>(&'a [&'a PgValue]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [one] => One(one).serialize(serializer),
            several => serializer.collect_seq(several.iter().map(|value| One(value))),
        }
    }
}

struct One<'a>(&'a PgValue);

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_text() {
            Some(text) => serializer.serialize_str(text),
            None => AsObject::of(self.0.inner()).serialize(serializer),
        }
    }
}
