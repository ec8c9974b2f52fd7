//! What a service does with a request that it has already, and which operation can be asked.
//!
//! Owns the rules as data. Does not know what a call does with them.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// What the service does with a second request that has the same id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// It is not known. After a lost reply the outcome is unknown, and nothing is sent again.
    #[default]
    Unknown,
    /// It replies as it did before, and does nothing. After a lost reply the same bytes are sent
    /// again.
    Replayed,
    /// It refuses it. After a lost reply nothing is sent again: the service must be asked.
    Refused {
        /// The error codes with which it does so. A code that is a number is kept as its digits.
        ///
        /// Such a refusal proves that an earlier request arrived. If there is none here, the code is
        /// not known. Then any refusal may be such a one, unless
        /// [`Decided`](crate::catalogue::Decided) says otherwise.
        codes: BTreeSet<String>,
    },
}

impl Repeat {
    /// Makes the rule that a repeated request is refused with one of these codes.
    #[must_use]
    pub fn refused<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Refused { codes: codes.into_iter().map(str::to_owned).collect() }
    }
}

/// The operation that says what became of a call, and the field of its request that takes the
/// call's id: `request-status` by `request_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedBy {
    operation: Cow<'static, str>,
    field: Cow<'static, str>,
}

impl AskedBy {
    /// Names the operation, as the catalogue does, and the field.
    #[must_use]
    pub fn new(
        operation: impl Into<Cow<'static, str>>,
        field: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { operation: operation.into(), field: field.into() }
    }

    /// Returns the operation's name.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the field's name.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }
}
