//! The operations of the service by name: the catalogue, and what an integrator adds to it.
//!
//! Owns which operations the sandbox knows. Their names and classes are the core's. Does not know any
//! path.

use std::fmt;
use std::str::FromStr;

use crate::signed::SignedOperation;
use http::Method;
pub use imts_core::Class;
use imts_core::operation::{Operation as _, OperationName};
use imts_core::services::transfer::{
    Cancel, Confirm, CreateBusiness, CreatePerson, CreateTransfer, Fees, GetAgents,
    GetBusinessInfo, GetPersonInfo, Info, Payout, PayoutConfirm, PrintApplication, Search, Status,
};
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
    /// An operation of a signed service.
    Signed(SignedOperation),
    /// An operation that is not in the catalogue.
    Named(Name),
}

/// The built-in operations. Names and classes are the core's, so that each stands in one place. The
/// two token exchanges are not calls: their names and classes are the sandbox's own.
const CATALOGUE: [(Operation, &str, Class); 17] = [
    (Operation::GetToken, "get-token", Class::Read),
    (Operation::Refresh, "refresh-token", Class::Create),
    named::<GetAgents>(Operation::GetAgents),
    (Operation::Fees, Fees::NAME, Fees::CLASS),
    named::<CreatePerson>(Operation::CreatePerson),
    named::<CreateBusiness>(Operation::CreateBusiness),
    (Operation::CreateTransfer, CreateTransfer::NAME, CreateTransfer::CLASS),
    named::<PrintApplication>(Operation::PrintApplication),
    named::<Confirm>(Operation::Confirm),
    named::<Search>(Operation::Search),
    named::<Payout>(Operation::Payout),
    named::<PayoutConfirm>(Operation::PayoutConfirm),
    named::<Cancel>(Operation::Cancel),
    named::<GetPersonInfo>(Operation::GetPersonInfo),
    named::<GetBusinessInfo>(Operation::GetBusinessInfo),
    named::<Status>(Operation::Status),
    named::<Info>(Operation::Info),
];

const fn named<N: OperationName>(operation: Operation) -> (Operation, &'static str, Class) {
    (operation, N::NAME, N::CLASS)
}

impl Operation {
    /// Returns the operation's name, as in the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::GetToken => "get_token",
            Self::Refresh => "refresh",
            Self::Echo => "echo",
            Self::Other => "other",
            Self::Signed(operation) => operation.as_str(),
            Self::Named(name) => name.as_str(),
            known => CATALOGUE.iter().find(|(o, ..)| o == known).map_or("other", |entry| entry.1),
        }
    }

    /// Returns the method that the operation takes.
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Signed(operation) => operation.row().method(),
            _ => Method::POST,
        }
    }

    /// Returns the class of the operation in the catalogue; `None` if the catalogue does not have
    /// it.
    #[must_use]
    pub fn class(self) -> Option<Class> {
        if let Self::Signed(operation) = self {
            return Some(operation.class());
        }
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
            name if name.contains('.') => {
                SignedOperation::named(name).map(Self::Signed).ok_or(NameError)
            }
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

/// Reads a class by its name, if there is one.
pub(crate) fn class_from_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Class>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let unknown = || de::Error::unknown_variant(&name, &["read", "create", "money"]);
    Class::from_name(&name).map(Some).ok_or_else(unknown)
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
