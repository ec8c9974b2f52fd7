//! Identifiers whose form is known: transfers and agents.

use std::str::FromStr;

use serde::Serialize;

use super::FieldError;

/// The caller's own id of a transfer: a UUID with its 36 characters (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ClientUuid(String);

/// The id of an agent that pays out: 1 to 36 visible ASCII characters (published: at most 36).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct AgentId(String);

impl FromStr for ClientUuid {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
        let is_hex = |group: &str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ok = text.split('-').map(str::len).eq(GROUPS) && text.split('-').all(is_hex);
        let form = "a UUID: 32 hexadecimal digits and 4 hyphens";
        FieldError::require(ok, Self(text.to_owned()), "client_uuid", form)
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
