//! What a partner asks a user to grant.
//!
//! Owns the names that the vendor lists. A name that it adds later can be used as well.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};

/// One thing that a user grants to a partner (published: the list of the names).
///
/// The service refuses a name that it does not know, and its error says which of the list it was.
///
/// ```
/// use imts_core::services::freedom_id::UserGrant;
///
/// assert_eq!(UserGrant::Email.as_str(), "read.email");
/// assert_eq!(UserGrant::from("read.email"), UserGrant::Email);
/// assert_eq!(UserGrant::from("read.pets").as_str(), "read.pets"); // a later one
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserGrant {
    /// `read.email`
    Email,
    /// `read.emails`
    Emails,
    /// `read.phone`
    Phone,
    /// `read.phones`
    Phones,
    /// `read.date_of_birth`
    DateOfBirth,
    /// `read.firstname`
    Firstname,
    /// `read.lastname`
    Lastname,
    /// `read.patronymic`
    Patronymic,
    /// `read.gender`
    Gender,
    /// `read.country`
    Country,
    /// `read.nationality`
    Nationality,
    /// `read.identifier`
    Identifier,
    /// `read.profile`: Request profile needs it.
    Profile,
    /// `read.cards`
    Cards,
    /// `openid`
    OpenId,
    /// Another name.
    Other(Cow<'static, str>),
}

impl UserGrant {
    /// Those that the vendor lists, in its order.
    pub const LISTED: [Self; 15] = [
        Self::Email,
        Self::Emails,
        Self::Phone,
        Self::Phones,
        Self::DateOfBirth,
        Self::Firstname,
        Self::Lastname,
        Self::Patronymic,
        Self::Gender,
        Self::Country,
        Self::Nationality,
        Self::Identifier,
        Self::Profile,
        Self::Cards,
        Self::OpenId,
    ];

    /// Returns the name as requests have it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email => "read.email",
            Self::Emails => "read.emails",
            Self::Phone => "read.phone",
            Self::Phones => "read.phones",
            Self::DateOfBirth => "read.date_of_birth",
            Self::Firstname => "read.firstname",
            Self::Lastname => "read.lastname",
            Self::Patronymic => "read.patronymic",
            Self::Gender => "read.gender",
            Self::Country => "read.country",
            Self::Nationality => "read.nationality",
            Self::Identifier => "read.identifier",
            Self::Profile => "read.profile",
            Self::Cards => "read.cards",
            Self::OpenId => "openid",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for UserGrant {
    fn from(name: &str) -> Self {
        let listed = Self::LISTED.into_iter().find(|grant| grant.as_str() == name);
        listed.unwrap_or_else(|| Self::Other(Cow::Owned(name.to_owned())))
    }
}

impl fmt::Display for UserGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for UserGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
