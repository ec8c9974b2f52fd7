//! The members of a JSON object that may be cut or broken, or have other text around it.
//!
//! Owns where a value ends. A value counts only if a comma, the object's end or the end of the text
//! follows. So the `false` of `falsehood` and the `0` of `0x10` are not values. Does not know what
//! the members mean.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Text;

/// The members of an object, in order, up to the first part that is not JSON.
#[derive(Default)]
pub(super) struct Members<'a>(Vec<Member<'a>>);

struct Member<'a> {
    /// `None` if it cannot be decoded: it contains half a surrogate pair.
    name: Option<Text<'a>>,
    /// `None` if it cannot be read. It is then the last member.
    value: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    /// The first object of a text, with any text around it. After markup, no object is looked for.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let (before, object) = text.split_once('{')?;
        if before.contains('<') {
            return None;
        }
        let mut rest = object.trim_start_matches(SPACE);
        let mut members = Self::default();
        if rest.starts_with('}') {
            return Some(members);
        }
        while let Some((name, after)) = name(rest) {
            let read = value(after);
            members.0.push(Member { name, value: read.map(|(value, _)| value) });
            let Some(next) = read.and_then(|(_, after)| after.strip_prefix(',')) else { break };
            rest = next.trim_start_matches(SPACE);
        }
        (!members.0.is_empty()).then_some(members)
    }

    /// The members that can be read.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0
            .iter()
            .filter_map(|member| Some((member.name.as_deref().unwrap_or_default(), member.value?)))
    }

    pub(super) fn named<'m>(&'m self, name: &'m str) -> impl Iterator<Item = &'a RawValue> + 'm {
        self.0.iter().filter(move |member| member.is(name)).filter_map(|member| member.value)
    }

    /// Whether there is a member of this name, readable or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|member| member.is(name))
    }

    /// Whether there is a member of this name, and every such member can be read and satisfies
    /// `is_so`.
    pub(super) fn are(&self, name: &str, is_so: impl Fn(&RawValue) -> bool) -> bool {
        let mut these = self.0.iter().filter(|member| member.is(name));
        self.has(name) && these.all(|member| member.value.is_some_and(&is_so))
    }

    /// The object at this path of names.
    pub(super) fn at(&self, path: &[&str]) -> Option<Self> {
        let (first, rest) = path.split_first()?;
        let inner = self.inner(first)?;
        if rest.is_empty() { Some(inner) } else { inner.at(rest) }
    }

    /// The object of this name, or the first object of a list.
    pub(super) fn inner(&self, name: &str) -> Option<Self> {
        let value = self.named(name).next()?.get();
        Some(value).filter(|value| value.starts_with(['{', '['])).and_then(Self::of)
    }
}

impl Member<'_> {
    fn is(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name)
    }
}

/// White space as JSON defines it.
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// A name with its colon, and what follows.
fn name(text: &str) -> Option<(Option<Text<'_>>, &str)> {
    let (written, rest): (&RawValue, _) = first(text)?;
    let rest = rest.strip_prefix(':').filter(|_| written.get().starts_with('"'))?;
    Some((serde_json::from_str(written.get()).ok(), rest))
}

/// A value, and what follows: a comma, the object's end, or nothing. If the text ends with a
/// number, that may be the beginning of a longer number.
fn value(text: &str) -> Option<(&RawValue, &str)> {
    let (value, rest): (&RawValue, _) = first(text)?;
    let is_number = || value.get().ends_with(|last: char| last.is_ascii_digit());
    let is_whole = if rest.is_empty() { !is_number() } else { rest.starts_with([',', '}']) };
    is_whole.then_some((value, rest))
}

/// The value that a text begins with, and what follows it and its white space.
fn first<'a, T: Deserialize<'a>>(text: &'a str) -> Option<(T, &'a str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next()?.ok()?;
    let rest = text.get(values.byte_offset()..)?;
    Some((value, rest.trim_start_matches(SPACE)))
}
