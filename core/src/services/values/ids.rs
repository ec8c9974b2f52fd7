//! Ids and dates whose printed form is checked.

use std::str::FromStr;

use serde::Serialize;

use super::{FieldError, UUID_FORM, is_uuid};

/// A UUID with its 36 characters, such as a `request_id` (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Uuid(String);

impl Uuid {
    /// Returns the 36 characters, as they were given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Uuid {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        FieldError::require(is_uuid(text), Self(text.to_owned()), "id", UUID_FORM)
    }
}

/// A date in one of the two printed forms: `YYYY-MM-DD`, or a date and a time of RFC 3339 with an
/// offset. It is sent as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Date(String);

impl Date {
    /// Returns the text, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Date {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let begins_with_digit = text.starts_with(|first: char| first.is_ascii_digit());
        let is_day =
            text.len() == DAY && begins_with_digit && text.parse::<chrono::NaiveDate>().is_ok();
        let is_moment = || chrono::DateTime::parse_from_rfc3339(text).is_ok();
        let form = "YYYY-MM-DD, or a date and a time of RFC 3339 with an offset";
        FieldError::require(is_day || is_moment(), Self(text.to_owned()), "date", form)
    }
}

/// The length of `YYYY-MM-DD`.
const DAY: usize = 10;
