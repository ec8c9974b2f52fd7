//! Identifiers whose form is known: transfers and agents.

use std::str::FromStr;

use serde::Serialize;

use super::FieldError;
use crate::services::values::{UUID_FORM, is_uuid};

/// The caller's own id of a transfer: a UUID with its 36 characters (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ClientUuid(String);

/// The id of an agent that pays out: 1 to 36 visible ASCII characters (published: at most 36).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct AgentId(String);

impl FromStr for ClientUuid {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        FieldError::require(is_uuid(text), Self(text.to_owned()), "client_uuid", UUID_FORM)
    }
}

impl ClientUuid {
    /// Returns the 36 characters, as they were given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let ok = (1..=36).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        let form = "1 to 36 visible ASCII characters";
        FieldError::require(ok, Self(text.to_owned()), "target_agent_id", form)
    }
}
