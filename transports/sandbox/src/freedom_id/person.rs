//! The users of Freedom ID, and which of their fields a grant opens.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A user. Every field but the id and the phone may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Person {
    /// The user's id: a uuid.
    #[serde(default)]
    pub id: String,
    /// The phone: `+` and 10 to 15 digits.
    pub phone: String,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firstname: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lastname: Option<String>,
    /// The date of birth: `Y-m-d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// The number of the user's document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// The country: three capital letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// `M` or `F`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// The nationality, as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nationality: Option<String>,
}

impl Person {
    /// Returns the user of the printed example, with the id of the sample claims.
    #[must_use]
    pub fn printed() -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            id: "41790bb3-62ba-461f-9bed-e232e30ad377".to_owned(),
            phone: "+1234567890".to_owned(),
            email: text("user@example.com"),
            firstname: text("John"),
            lastname: text("Doe"),
            date_of_birth: text("2000-01-01"),
            identifier: text("123456789"),
            country: text("KAZ"),
            gender: text("M"),
            nationality: text("citizen of the world"),
        }
    }

    /// Returns how the login page names the user.
    pub(crate) fn shown(&self) -> String {
        let names = [self.firstname.as_deref(), self.lastname.as_deref()];
        let names: Vec<_> = names.into_iter().flatten().collect();
        if names.is_empty() { self.phone.clone() } else { names.join(" ") }
    }

    /// Returns the fields that these grants open, besides the id.
    pub(crate) fn granted(&self, grants: &[String]) -> Value {
        let Ok(Value::Object(all)) = serde_json::to_value(self) else { return Value::Null };
        let is_open = |name: &str| {
            name == "id" || grants.iter().any(|grant| grant.strip_prefix("read.") == Some(name))
        };
        let open = all.into_iter().filter(|(name, _)| is_open(name));
        Value::Object(open.collect::<Map<_, _>>())
    }
}

/// The grants that exist (published).
pub(crate) const GRANTS: [&str; 15] = [
    "read.email",
    "read.emails",
    "read.phone",
    "read.phones",
    "read.date_of_birth",
    "read.firstname",
    "read.lastname",
    "read.patronymic",
    "read.gender",
    "read.country",
    "read.nationality",
    "read.identifier",
    "read.profile",
    "read.cards",
    "openid",
];
