//! The operations of the service by name: the catalogue, and what an integrator adds to it.
//!
//! Owns names and safety classes. Does not know any path.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a request asks for.
///
/// As text (in a service file, a rule, the log), an operation has the name of the catalogue's
/// table, such as `create-transfer`. Four names exist only in the sandbox: `get_token`, `refresh`,
/// `echo` and `other`. For the first two, the catalogue's names `get-token` and `refresh-token` are
/// read as well. A `_` is read as a `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// Get token.
    GetToken,
    /// Refresh token.
    Refresh,
    /// The sandbox's own protected operation.
    Echo,
    /// Any path at which the sandbox has no operation.
    Other,
    /// Get agents.
    GetAgents,
    /// Fees.
    Fees,
    /// Create person.
    CreatePerson,
    /// Create business.
    CreateBusiness,
    /// Create transfer.
    CreateTransfer,
    /// Print application.
    PrintApplication,
    /// Confirm.
    Confirm,
    /// Search.
    Search,
    /// Payout.
    Payout,
    /// Payout confirm.
    PayoutConfirm,
    /// Cancel.
    Cancel,
    /// Get person info.
    GetPersonInfo,
    /// Get business info.
    GetBusinessInfo,
    /// Status.
    Status,
    /// Info.
    Info,
    /// An operation that is not in the catalogue.
    Named(Name),
}

/// What an operation does. All operations are `POST`, so the method does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Changes nothing that a second request would double.
    Read,
    /// Creates something.
    Create,
    /// Moves money.
    Money,
}

impl Class {
    /// Returns the class's name, as in the service file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Money => "money",
        }
    }
}

/// The catalogue, with the names and classes of the section's list.
const CATALOGUE: [(Operation, &str, Class); 17] = [
    (Operation::GetToken, "get-token", Class::Read),
    (Operation::Refresh, "refresh-token", Class::Create),
    (Operation::GetAgents, "get-agents", Class::Read),
    (Operation::Fees, "fees", Class::Read),
    (Operation::CreatePerson, "create-person", Class::Create),
    (Operation::CreateBusiness, "create-business", Class::Create),
    (Operation::CreateTransfer, "create-transfer", Class::Money),
    (Operation::PrintApplication, "print-application", Class::Read),
    (Operation::Confirm, "confirm", Class::Money),
    (Operation::Search, "search", Class::Read),
    (Operation::Payout, "payout", Class::Money),
    (Operation::PayoutConfirm, "payout-confirm", Class::Money),
    (Operation::Cancel, "cancel", Class::Money),
    (Operation::GetPersonInfo, "get-person-info", Class::Read),
    (Operation::GetBusinessInfo, "get-business-info", Class::Read),
    (Operation::Status, "status", Class::Read),
    (Operation::Info, "info", Class::Read),
];

impl Operation {
    /// Returns the operation's name, as in the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::GetToken => "get_token",
            Self::Refresh => "refresh",
            Self::Echo => "echo",
            Self::Other => "other",
            Self::Named(name) => name.as_str(),
            known => CATALOGUE.iter().find(|(o, ..)| o == known).map_or("other", |entry| entry.1),
        }
    }

    /// Returns the class of the operation in the catalogue; `None` if the catalogue does not have
    /// it.
    #[must_use]
    pub fn class(self) -> Option<Class> {
        CATALOGUE.iter().find(|(operation, ..)| *operation == self).map(|entry| entry.2)
    }
}

impl FromStr for Operation {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.replace('_', "-");
        match text.as_str() {
            "refresh" => Ok(Self::Refresh),
            "echo" => Ok(Self::Echo),
            "other" => Ok(Self::Other),
            name => match CATALOGUE.iter().find(|(_, known, _)| *known == name) {
                Some((operation, ..)) => Ok(*operation),
                None => Name::new(name).map(Self::Named),
            },
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The name of an operation that is not in the catalogue: 1 to 40 lower-case letters, digits and
/// hyphens, the first of them a letter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    bytes: [u8; LONGEST],
    length: usize,
}

const LONGEST: usize = 40;

impl Name {
    fn new(text: &str) -> Result<Self, NameError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let mut bytes = [0; LONGEST];
        match bytes.get_mut(..text.len()) {
            Some(place) if begins && text.bytes().all(fits) => {
                place.copy_from_slice(text.as_bytes());
                Ok(Self { bytes, length: text.len() })
            }
            _ => Err(NameError),
        }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// An operation cannot have this name: see [`Name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameError;

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an operation's name is 1 to 40 lower-case letters, digits and hyphens, the first a letter",
        )
    }
}

impl std::error::Error for NameError {}
