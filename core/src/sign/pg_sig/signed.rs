//! A message with its signature, on its way out or in, and the salt of one.
//!
//! Owns what may be done with such a message. Does not know how a signature is computed.

use std::fmt;

use thiserror::Error;

use super::error::{FieldError, PgSignError};
use super::fields::{PgFields, PgValue};
use super::json::AsJson;
use super::{PG_SIG, flatten, form, xml};
use crate::error::EncodeError;
use crate::secret::Body;

/// A message with `pg_salt` and `pg_sig`, ready to be written. Nothing can be added to it.
#[derive(Clone, Debug)]
pub struct SignedFields(PgFields);

impl SignedFields {
    pub(super) fn new(fields: PgFields) -> Self {
        Self(fields)
    }

    /// Returns the signature: 32 lower-case hex digits.
    #[must_use]
    pub fn pg_sig(&self) -> &str {
        self.0.named(PG_SIG).find_map(PgValue::as_text).unwrap_or_default()
    }

    /// Writes it as urlencoded pairs, for `application/x-www-form-urlencoded` or a query. Nested
    /// values have names such as `a[0][b]` (published).
    #[must_use]
    pub fn to_form(&self) -> Body {
        form::write(&self.0)
    }

    /// Writes it as a JSON object. Texts are strings, and integers are numbers. That the newest form
    /// of create payment takes JSON is known from an integrator only.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if it cannot be serialized. No such message is known.
    pub fn to_json(&self) -> Result<Body, EncodeError> {
        Body::json(&AsJson(&self.0))
    }

    /// Writes it as urlencoded pairs with one field, `pg_xml`, which holds the message in `<request>`
    /// (published).
    ///
    /// # Errors
    ///
    /// [`PgSignError::NotXml`] as [`to_xml`](SignedFields::to_xml) says.
    pub fn to_xml_field(&self) -> Result<Body, PgSignError> {
        let xml = self.to_xml(XmlRoot::Request)?;
        let text = std::str::from_utf8(xml.as_ref()).unwrap_or_default();
        Ok(form::write(&PgFields::new().with("pg_xml", text)))
    }

    /// Writes it as XML: an answer to a callback, or the text of the form field `pg_xml`. The texts
    /// are escaped, and signed without the escapes.
    ///
    /// # Errors
    ///
    /// [`PgSignError::NotXml`] if a field is a list, whose form in XML is not known, or has a
    /// control character.
    pub fn to_xml(&self, root: XmlRoot) -> Result<Body, PgSignError> {
        xml::write(&self.0, root.name())
    }
}

/// The outermost element of a message in XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XmlRoot {
    /// `<request>` (published).
    Request,
    /// `<response>` (assumed for an answer to a callback: old public modules write it).
    Response,
}

impl XmlRoot {
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// A message that came in, whose signature has proved true. It no longer has its `pg_sig`.
///
/// The signature proves that the values came from the service, in this order. It does not prove
/// which name each value had.
#[derive(Clone, Debug)]
pub struct VerifiedFields(PgFields);

impl VerifiedFields {
    pub(super) fn new(fields: PgFields) -> Self {
        Self(fields)
    }

    /// Returns the text of a field that stands in the message once.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, stands in the message more than once, or is nested.
    pub fn text(&self, name: &str) -> Result<&str, FieldError> {
        let mut values = self.0.named(name);
        let value = values.next().ok_or(FieldError::Missing)?;
        if values.next().is_some() {
            return Err(FieldError::Repeated);
        }
        value.as_text().ok_or(FieldError::Nested)
    }

    /// Returns all fields in their order, known or not.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PgValue)> {
        self.0.all()
    }

    /// Returns whether each field has one of these names, and no name stands there twice.
    ///
    /// The signature does not bind a value to its name. Someone who has a signed message can split
    /// its values in another way, and give them other names: a card holder named
    /// `I;90000;KZT;O77` turns an order of 10 into one of 90,000, with the same signature. Such a
    /// change of the amount needs a name that you do not expect: of the documented names,
    /// `pg_amount` comes first. So it does with own parameters, if their names come after `pg_`,
    /// such as `x_note`. If this returns `false`, ask the service for the status before you act.
    #[must_use]
    pub fn has_only(&self, names: &[&str]) -> bool {
        let mut left = names.to_vec();
        self.0.all().all(|(name, _)| {
            let known = left.iter().position(|it| *it == name);
            known.map(|place| left.swap_remove(place)).is_some()
        })
    }

    /// Returns whether a value has a `;`, which also separates the values in the string to sign.
    ///
    /// Such a message can be split in another way, or was. Ask the service for the status before
    /// you act. A message without a `;` may still have been split from one that had it:
    /// [`VerifiedFields::has_only`] is needed too.
    #[must_use]
    pub fn has_separator(&self) -> bool {
        flatten::by_sample(&self.0).iter().any(|value| value.contains(';'))
    }
}

/// A salt: a text that makes the signatures of equal messages differ.
#[derive(Clone)]
pub struct Salt(String);

impl Salt {
    /// Takes a salt, such as that of the callback that is answered.
    ///
    /// # Errors
    ///
    /// [`SaltError`] if it is empty, longer than 128 bytes, or has a `;` or a control character.
    pub fn new(salt: impl Into<String>) -> Result<Self, SaltError> {
        let salt = salt.into();
        let is_unfit = |character: char| character == ';' || character.is_control();
        if salt.is_empty() || salt.len() > MAX_SALT || salt.contains(is_unfit) {
            return Err(SaltError);
        }
        Ok(Self(salt))
    }

    /// Makes a salt of 16 characters, as the vendor's are, from 16 random bytes. The caller draws
    /// them anew for each message. Five bits of each are used.
    ///
    /// ```
    /// use imts_core::sign::pg_sig::Salt;
    ///
    /// let salt = Salt::from_random([7; 16]); // bytes of a random generator
    /// assert_eq!(salt.as_str(), "hhhhhhhhhhhhhhhh");
    /// ```
    #[must_use]
    pub fn from_random(random: [u8; 16]) -> Self {
        const LETTERS: [char; 32] = [
            'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q',
            'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
        ];
        let letter = |byte: u8| LETTERS.get(usize::from(byte & 31)).copied().unwrap_or_default();
        Self(random.into_iter().map(letter).collect())
    }

    /// Returns the text. It is not secret once the message is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// A text cannot be a salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a salt must have 1 to 128 bytes, without `;` and control characters")]
pub struct SaltError;

/// The longest salt, in bytes.
const MAX_SALT: usize = 128;
