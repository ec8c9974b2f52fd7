//! `POST /api/v1/oauth/user` and `PUT /api/v1/oauth/user` (published) at a host of their own: users
//! that a partner makes and changes.
//!
//! Owns their fields and the forms that the page prints. Whose token they take (the user's, or one of
//! the partner's own) is unknown, and so are their replies, which stay JSON.

use http::Method;
use serde::Serialize;

use super::profile::uuid;
use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::json::Json;
use crate::operation::{Auth, Class, Operation};
use crate::secret::Body;
use crate::services::values::FieldError;
use crate::wire::Success;

/// The fields of a user. `Debug` prints none of them.
///
/// ```
/// use imts_core::services::freedom_id::{Gender, UserFields};
///
/// let fields = UserFields::new("+1234567890")?
///     .with_email("user@example.com")
///     .with_name("John", "Doe")
///     .with_date_of_birth("2000-01-01")?
///     .with_identifier("123456789")
///     .with_country("KAZ")?
///     .with_gender(Gender::Male)
///     .with_nationality("citizen of the world");
/// assert!(UserFields::new("8 700 000 00 00").is_err());
/// assert!(!format!("{fields:?}").contains("1234567890"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Serialize)]
pub struct UserFields {
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    firstname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lastname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_of_birth: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<Gender>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nationality: Option<String>,
}

/// A user's gender, as the page lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Gender {
    /// `M`
    #[serde(rename = "M")]
    Male,
    /// `F`
    #[serde(rename = "F")]
    Female,
}

impl UserFields {
    /// Takes the phone, the only required field: `+` and 10 to 15 digits (published).
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is anything else.
    pub fn new(phone: impl Into<String>) -> Result<Self, FieldError> {
        let phone = phone.into();
        let is_digits = |digits: &str| {
            (10..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let ok = phone.strip_prefix('+').is_some_and(is_digits);
        Ok(Self {
            phone: FieldError::require(ok, phone, "phone", "+ and 10 to 15 digits")?,
            email: None,
            firstname: None,
            lastname: None,
            date_of_birth: None,
            identifier: None,
            country: None,
            gender: None,
            nationality: None,
        })
    }

    /// Sets the e-mail address.
    #[must_use]
    pub fn with_email(self, email: impl Into<String>) -> Self {
        Self { email: Some(email.into()), ..self }
    }

    /// Sets the first and the last name.
    #[must_use]
    pub fn with_name(self, first: impl Into<String>, last: impl Into<String>) -> Self {
        Self { firstname: Some(first.into()), lastname: Some(last.into()), ..self }
    }

    /// Sets the date of birth: year, month and day, such as `2000-01-01` (published).
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it does not have this form. Whether the day exists is not checked.
    pub fn with_date_of_birth(self, date: impl Into<String>) -> Result<Self, FieldError> {
        let date = date.into();
        let is_form = date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        let ok = date.len() == 10 && is_form;
        let date = FieldError::require(ok, date, "date_of_birth", "such as 2000-01-01")?;
        Ok(Self { date_of_birth: Some(date), ..self })
    }

    /// Sets the number by which the user's state knows the user.
    #[must_use]
    pub fn with_identifier(self, identifier: impl Into<String>) -> Self {
        Self { identifier: Some(identifier.into()), ..self }
    }

    /// Sets the country: three capital letters (published).
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is anything else.
    pub fn with_country(self, country: impl Into<String>) -> Result<Self, FieldError> {
        let country = country.into();
        let ok = country.len() == 3 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let country = FieldError::require(ok, country, "country", "three capital letters")?;
        Ok(Self { country: Some(country), ..self })
    }

    /// Sets the gender.
    #[must_use]
    pub fn with_gender(self, gender: Gender) -> Self {
        Self { gender: Some(gender), ..self }
    }

    /// Sets the nationality.
    #[must_use]
    pub fn with_nationality(self, nationality: impl Into<String>) -> Self {
        Self { nationality: Some(nationality.into()), ..self }
    }
}

impl std::fmt::Debug for UserFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserFields").finish_non_exhaustive()
    }
}

/// Makes a user. It goes to another host: see [`service_with_users`](super::service_with_users).
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct CreateUser(pub UserFields);

/// Changes a user. Phone and e-mail must be unique (published). It goes to another host: see
/// [`service_with_users`](super::service_with_users).
#[derive(Clone, Debug, Serialize)]
pub struct UpdateUser {
    freedom_id: String,
    #[serde(flatten)]
    fields: UserFields,
}

impl UpdateUser {
    /// Takes the user's id, and the fields that the user has from now on.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the id is not a UUID with hyphens.
    pub fn new(freedom_id: impl Into<String>, fields: UserFields) -> Result<Self, FieldError> {
        Ok(Self { freedom_id: uuid(freedom_id.into(), "freedom_id")?, fields })
    }
}

impl Operation for CreateUser {
    const NAME: &'static str = "create-user";
    const PATH: Option<&'static str> = Some("/api/v1/oauth/user");
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Create;
    const EVIDENCE: Evidence = Evidence::Published;
    const NEEDS_ENDPOINT: bool = true;
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        success.payload_text().map(Json::known)
    }
}

impl Operation for UpdateUser {
    const NAME: &'static str = "update-user";
    const PATH: Option<&'static str> = Some("/api/v1/oauth/user");
    const METHOD: Method = Method::PUT;
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Create;
    const EVIDENCE: Evidence = Evidence::Published;
    const NEEDS_ENDPOINT: bool = true;
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        success.payload_text().map(Json::known)
    }
}
