//! The order in which a message's values are signed.
//!
//! Owns the three readings of the vendor's page that are known. The prose says that nested values
//! are treated in the same way; the printed sample, which is the reading that this crate uses,
//! gives each name its parent's name in front and its place behind. Does not know about keys.

use super::error::PgSignError;
use super::fields::{PgFields, PgValue};

/// The values in the order of the printed sample: one sort, by the bytes of the parent's name, the
/// own name and the place in the parent. The place has three digits at least and begins with 1.
pub(super) fn by_sample(fields: &PgFields) -> Vec<&str> {
    let name = |parent: &str, key: &str, place: usize| {
        format!("{parent}{key}{:03}", place.saturating_add(1))
    };
    sorted(fields, &name)
}

/// The values in the order of their names on the wire, such as `a[0][b]`.
fn by_wire_name(fields: &PgFields) -> Vec<&str> {
    let name = |parent: &str, key: &str, _: usize| match parent {
        "" => key.to_owned(),
        parent => format!("{parent}[{key}]"),
    };
    sorted(fields, &name)
}

/// The values with each level sorted by itself, nested ones in their parent's place.
fn in_place(fields: &PgFields) -> Vec<&str> {
    fn level<'a>(mut entries: Vec<(String, &'a PgValue)>, values: &mut Vec<&'a str>) {
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (_, value) in entries {
            match value.as_text() {
                Some(text) => values.push(text),
                None => level(inner(value), values),
            }
        }
    }
    let mut values = Vec::new();
    level(fields.all().map(|(name, value)| (name.to_owned(), value)).collect(), &mut values);
    values
}

/// Whether a message is signed in the same way by each reading.
pub(super) fn check_readings_agree(fields: &PgFields) -> Result<(), PgSignError> {
    let sample = by_sample(fields);
    if sample == by_wire_name(fields) && sample == in_place(fields) {
        Ok(())
    } else {
        Err(PgSignError::Ambiguous)
    }
}

/// The values, sorted once by full names. Values of the same name keep their order.
fn sorted<'a>(fields: &'a PgFields, name: &dyn Fn(&str, &str, usize) -> String) -> Vec<&'a str> {
    let mut leaves = Vec::new();
    let top = fields.all().map(|(key, value)| (key.to_owned(), value)).collect();
    collect("", top, name, &mut leaves);
    leaves.sort_by(|(one, _), (other, _)| one.cmp(other));
    leaves.into_iter().map(|(_, value)| value).collect()
}

fn collect<'a>(
    parent: &str,
    entries: Vec<(String, &'a PgValue)>,
    name: &dyn Fn(&str, &str, usize) -> String,
    leaves: &mut Vec<(String, &'a str)>,
) {
    for (place, (key, value)) in entries.into_iter().enumerate() {
        let full = name(parent, &key, place);
        match value.as_text() {
            Some(text) => leaves.push((full, text)),
            None => collect(&full, inner(value), name, leaves),
        }
    }
}

fn inner(value: &PgValue) -> Vec<(String, &PgValue)> {
    value.inner().into_iter().map(|(key, value)| (key.into_owned(), value)).collect()
}
