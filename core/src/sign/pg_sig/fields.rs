//! A message's fields, in their order.
//!
//! Owns the tree of names and values, its limits, and which names may be sent. Wipes the values.
//! Does not know how a message is signed, nor its form on the wire.

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

use super::error::{PgReadError, PgSignError};

/// The fields of a message, in order: what is to be signed, or what came in.
///
/// `Debug` prints the names alone. The values are wiped from memory on drop, because they may be
/// card numbers.
#[derive(Clone, Default)]
pub struct PgFields(Vec<(String, PgValue)>);

/// A field's value: a text, an integer, fields of its own, or a list.
///
/// A text is signed as it is: nothing is trimmed, and no number is reformatted. An integer is a
/// number for JSON, and is signed by its digits. The entries of a list have the names 0, 1, 2 and
/// so on; the positions of a receipt are one.
#[derive(Clone)]
pub struct PgValue(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    Text(Zeroizing<String>),
    Integer(i64, Zeroizing<String>),
    Fields(PgFields),
    List(Vec<PgValue>),
}

impl PgFields {
    /// Makes a message without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field behind the others.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<PgValue>) -> Self {
        self.push(name.into(), value.into());
        self
    }

    /// Takes pairs of a name and a value, for a message whose form another reader has read, such as
    /// a multipart body. A name may have brackets: `pg_receipt_positions[0][count]`.
    ///
    /// # Errors
    ///
    /// [`PgReadError`] if the brackets of a name do not match, or if there is too much.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, PgReadError> {
        let mut fields = Self::new();
        let (mut left, mut bytes) = (MAX_FIELDS, 0_usize);
        for (name, value) in pairs {
            let (name, value) = (name.as_ref(), value.as_ref());
            left = left.checked_sub(1).ok_or(PgReadError::TooLarge)?;
            bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
            if bytes > MAX_BYTES {
                return Err(PgReadError::TooLarge);
            }
            fields.insert(name, value)?;
        }
        Ok(fields)
    }

    /// Puts a value at a place such as `a[0][b]`.
    fn insert(&mut self, name: &str, value: &str) -> Result<(), PgReadError> {
        let (first, keys) = in_parts(name)?;
        if keys.len() >= MAX_DEPTH {
            return Err(PgReadError::TooLarge);
        }
        let mixed = PgReadError::Unsupported { what: "a field with both a text and fields" };
        let (mut level, mut name) = (self, first);
        for key in keys {
            let known = level.0.iter().position(|(known, _)| known == name);
            if known.is_none() {
                level.push(name.to_owned(), Self::new().into());
            }
            let inner = match known {
                Some(place) => level.0.get_mut(place),
                None => level.0.last_mut(),
            };
            let Some((_, PgValue(Kind::Fields(inner)))) = inner else { return Err(mixed) };
            (level, name) = (inner, key);
        }
        let is_mixed =
            |(known, value): &(String, PgValue)| known == name && value.as_text().is_none();
        if level.0.iter().any(is_mixed) {
            return Err(mixed);
        }
        level.push(name.to_owned(), value.into());
        Ok(())
    }

    /// Returns the fields as they are, in their order. Those of a message that came in are not
    /// verified: use them to explain a signature that does not fit, and for nothing else.
    pub fn iter_unverified(&self) -> impl Iterator<Item = (&str, &PgValue)> {
        self.all()
    }

    /// The same with this merchant's id. `None` if it has another one.
    pub(crate) fn with_merchant(self, id: &str) -> Option<Self> {
        const NAME: &str = "pg_merchant_id";
        match self.has(NAME) {
            true => self.is_text(NAME, id).then_some(self),
            false => Some(self.with(NAME, id)),
        }
    }

    pub(super) fn push(&mut self, name: String, value: PgValue) {
        self.0.push((name, value));
    }

    /// Takes out all fields of a name.
    pub(super) fn take(&mut self, name: &str) -> Vec<PgValue> {
        let (taken, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.0).into_iter().partition(|(known, _)| known == name);
        self.0 = kept;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// Whether there is one field of this name, with this text.
    pub(super) fn is_text(&self, name: &str, text: &str) -> bool {
        let mut values = self.named(name).map(PgValue::as_text);
        values.next() == Some(Some(text)) && values.next().is_none()
    }

    pub(super) fn named<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a PgValue> + use<'a, 'n> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &PgValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether the service can only read this message in one way, as far as names and empty fields
    /// go.
    pub(super) fn check_sendable(&self) -> Result<(), PgSignError> {
        let mut left = MAX_FIELDS;
        self.check_level(MAX_DEPTH, &mut left)
    }

    fn check_level(&self, depth: usize, left: &mut usize) -> Result<(), PgSignError> {
        for (place, (name, value)) in self.0.iter().enumerate() {
            if !is_sendable(name) {
                return Err(PgSignError::Name { name: name.clone() });
            }
            if self.0.iter().take(place).any(|(known, _)| known == name) {
                return Err(PgSignError::Repeated { name: name.clone() });
            }
            value.check_sendable(name, depth, left)?;
        }
        Ok(())
    }
}

impl PgValue {
    /// Returns the text, or the digits of an integer. `None` if it is nested.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Kind::Text(text) | Kind::Integer(_, text) => Some(text),
            Kind::Fields(_) | Kind::List(_) => None,
        }
    }

    /// Returns the names and values in it, in their order. There are none if it is a text.
    #[must_use]
    pub fn inner(&self) -> Vec<(Cow<'_, str>, &PgValue)> {
        match &self.0 {
            Kind::Text(_) | Kind::Integer(..) => Vec::new(),
            Kind::Fields(fields) => fields.all().map(|(name, it)| (name.into(), it)).collect(),
            Kind::List(entries) => {
                entries.iter().enumerate().map(|(at, it)| (at.to_string().into(), it)).collect()
            }
        }
    }

    fn check_sendable(
        &self,
        name: &str,
        depth: usize,
        left: &mut usize,
    ) -> Result<(), PgSignError> {
        *left = left.checked_sub(1).ok_or(PgSignError::TooLarge)?;
        let depth = depth.checked_sub(1).ok_or(PgSignError::TooLarge)?;
        let is_empty = match &self.0 {
            Kind::Text(text) | Kind::Integer(_, text) => text.is_empty(),
            Kind::Fields(fields) => {
                fields.check_level(depth, left)?;
                fields.0.is_empty()
            }
            Kind::List(entries) => {
                for entry in entries {
                    entry.check_sendable(name, depth, left)?;
                }
                entries.is_empty()
            }
        };
        if is_empty { Err(PgSignError::Empty { name: name.to_owned() }) } else { Ok(()) }
    }
}

impl fmt::Debug for PgFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.all()).finish()
    }
}

impl fmt::Debug for PgValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Text(_) => f.write_str("Text(..)"),
            Kind::Integer(..) => f.write_str("Integer(..)"),
            Kind::Fields(fields) => fields.fmt(f),
            Kind::List(entries) => f.debug_list().entries(entries).finish(),
        }
    }
}

impl From<&str> for PgValue {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<String> for PgValue {
    fn from(text: String) -> Self {
        Self(Kind::Text(Zeroizing::new(text)))
    }
}

impl From<i64> for PgValue {
    fn from(number: i64) -> Self {
        Self(Kind::Integer(number, Zeroizing::new(number.to_string())))
    }
}

impl From<PgFields> for PgValue {
    fn from(fields: PgFields) -> Self {
        Self(Kind::Fields(fields))
    }
}

impl<V: Into<PgValue>> From<Vec<V>> for PgValue {
    fn from(entries: Vec<V>) -> Self {
        Self(Kind::List(entries.into_iter().map(Into::into).collect()))
    }
}

/// The first name of `a[0][b]`, and the keys in its brackets.
fn in_parts(name: &str) -> Result<(&str, Vec<&str>), PgReadError> {
    let syntax = PgReadError::Syntax { form: "made of names such as a[0][b]" };
    let (first, brackets) = match name.find('[') {
        Some(place) => name.split_at_checked(place).ok_or(syntax)?,
        None => (name, ""),
    };
    if first.is_empty() || first.contains(']') {
        return Err(syntax);
    }
    let mut keys = Vec::new();
    let mut rest = brackets;
    while !rest.is_empty() {
        let inside = rest.strip_prefix('[').ok_or(syntax)?;
        let (key, after) = inside.split_once(']').ok_or(syntax)?;
        if key.is_empty() || key.contains('[') {
            return Err(syntax);
        }
        keys.push(key);
        rest = after;
    }
    Ok((first, keys))
}

/// Whether each reader takes a name as it is. PHP changes a dot and a space, and sorts names that
/// are numbers by their value.
fn is_sendable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// How many bytes, fields and levels a message may have.
pub(super) const MAX_BYTES: usize = 262_144;
pub(super) const MAX_FIELDS: usize = 4_096;
pub(super) const MAX_DEPTH: usize = 8;
