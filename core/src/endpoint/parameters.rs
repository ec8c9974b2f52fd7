//! Paths with parameters: segments such as `:id`, which each call fills.
//!
//! Owns what a value may be, so that it stays one segment. Does not know where the values come from.

use std::borrow::Cow;

use super::ServicePath;

/// The longest value of a parameter, in bytes.
const LONGEST: usize = 64;

impl ServicePath {
    /// Returns the names of its parameters. In `/payments/:id/status`, `id` is one. A call takes each
    /// value from the field of this name in its request.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.as_str().split('/').filter_map(parameter)
    }

    /// Returns whether calls by both paths may go to the same place. A parameter stands for any segment.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        if !self.may_have_parameters && !other.may_have_parameters {
            return self.path == other.path;
        }
        let (mut own, mut others) = (self.as_str().split('/'), other.as_str().split('/'));
        loop {
            match (own.next(), others.next()) {
                (None, None) => return true,
                (Some(one), Some(two)) if one == two || is_either(one, two) => {}
                _ => return false,
            }
        }
    }

    /// The path of one call. The error is the name of a parameter that has no value of 1 to 64
    /// letters, digits, `-` and `_`.
    pub(crate) fn filled(
        &self,
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<Cow<'_, Self>, String> {
        if !self.may_have_parameters {
            return Ok(Cow::Borrowed(self));
        }
        let segment = |segment| match parameter(segment) {
            Some(name) => value(name).filter(|value| is_value(value)).ok_or(name),
            None => Ok(String::from(segment)),
        };
        let segments: Result<Vec<_>, _> = self.as_str().split('/').map(segment).collect();
        match segments {
            Ok(segments) => Ok(Cow::Owned(Self::of(segments.join("/")))),
            Err(name) => Err(name.to_owned()),
        }
    }
}

fn is_either(one: &str, two: &str) -> bool {
    parameter(one).is_some() || parameter(two).is_some()
}

/// The name of a parameter: a segment that begins with a colon.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix(':').filter(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

fn is_value(value: &str) -> bool {
    (1..=LONGEST).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
