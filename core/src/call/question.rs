//! What to ask the service about a call whose outcome is not known.

use std::fmt;

use crate::json::Json;
use crate::operation::AskedBy;
use crate::printable::Printable;

/// The question that finds out what became of a call: an operation, and the id to ask it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    by: AskedBy,
    id: String,
}

impl Question {
    pub(super) fn new(by: AskedBy, id: String) -> Self {
        Self { by, id }
    }

    /// Returns the operation to call.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.by.operation()
    }

    /// Returns the field of its request that takes the id.
    #[must_use]
    pub fn field(&self) -> &str {
        self.by.field()
    }

    /// Returns the id of the call that is asked about.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the request to send: an object with this one field.
    #[must_use]
    pub fn request(&self) -> Json {
        let fields = std::collections::BTreeMap::from([(self.field(), self.id())]);
        // Two texts are always JSON.
        Json::of(&fields).unwrap_or_else(|_| Json::known("{}"))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ask {} by {} {}", self.operation(), self.field(), Printable(&self.id))
    }
}
