//! The form of the signed header: which fields it has, in which order.
//!
//! Owns the names and the order, and how the header is written. Does not know which API has which
//! form: that is data of a service.

use std::fmt;

use http::{HeaderName, Method};

use super::error::{JwsError, JwsFormError};
use crate::text::check_line;

/// The algorithm of a signature. A service fixes it; the message that is verified has no choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518, section 3.2).
    Hs256,
    /// HMAC with SHA-512.
    Hs512,
}

impl Algorithm {
    /// Returns the name that the field `alg` has.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs512 => "HS512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A field of the signed header (published, unless said otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderField {
    /// `uri`: the path that is called, from its first slash.
    Uri,
    /// `path`: the same, under the name that the printed token of Merchant Invoice has.
    Path,
    /// `auth_id`: the partner's id, as a string.
    AuthId,
    /// `merchant_id`: the merchant's id, as a number. The printed token of Merchant Invoice that
    /// verifies has it so.
    MerchantId,
    /// `merchant_id`: the merchant's id, as a string. The prose of the same page has it so.
    MerchantIdText,
    /// `method`: the request's method.
    Method,
    /// `params`: an empty string, which is reserved.
    Params,
    /// `alg`: the algorithm.
    Alg,
    /// `typ`: always `JWT`. Only the newer Card API has it.
    Typ,
}

impl HeaderField {
    /// Returns the field's name in the header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uri => "uri",
            Self::Path => "path",
            Self::AuthId => "auth_id",
            Self::MerchantId | Self::MerchantIdText => "merchant_id",
            Self::Method => "method",
            Self::Params => "params",
            Self::Alg => "alg",
            Self::Typ => "typ",
        }
    }
}

/// Which fields the signed header has, in which order, and the name of the request header that
/// takes the signature.
///
/// The constructors have the forms that the vendor's pages print. [`JwsForm::new`] makes any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsForm {
    algorithm: Algorithm,
    fields: Vec<HeaderField>,
    header_name: HeaderName,
}

impl JwsForm {
    /// Returns the form of most APIs: `uri`, `auth_id`, `method`, `params`, `alg` (published).
    #[must_use]
    pub fn partner(algorithm: Algorithm) -> Self {
        use HeaderField::{Alg, AuthId, Method, Params, Uri};
        Self::of(algorithm, vec![Uri, AuthId, Method, Params, Alg])
    }

    /// Returns the form of the newer Card API: `alg`, `typ`, `auth_id`, `uri`, `method`, `params`
    /// (published).
    #[must_use]
    pub fn partner_with_typ(algorithm: Algorithm) -> Self {
        use HeaderField::{Alg, AuthId, Method, Params, Typ, Uri};
        Self::of(algorithm, vec![Alg, Typ, AuthId, Uri, Method, Params])
    }

    /// Returns the form of Merchant Invoice: `path`, `merchant_id` as a number, `method`, `params`,
    /// `alg`. The printed token has it, and verifies. The page's prose says otherwise: `uri`, and a
    /// string.
    #[must_use]
    pub fn merchant(algorithm: Algorithm) -> Self {
        use HeaderField::{Alg, MerchantId, Method, Params, Path};
        Self::of(algorithm, vec![Path, MerchantId, Method, Params, Alg])
    }

    /// Makes a form of these fields, in this order.
    ///
    /// # Errors
    ///
    /// [`JwsFormError`] if a field stands in it twice, or if the path, the party, the method or the
    /// algorithm is not in it.
    pub fn new(
        algorithm: Algorithm,
        fields: impl Into<Vec<HeaderField>>,
    ) -> Result<Self, JwsFormError> {
        use HeaderField::{Alg, AuthId, MerchantId, MerchantIdText, Method, Path, Uri};
        let fields = fields.into();
        for field in &fields {
            if fields.iter().filter(|other| other.name() == field.name()).count() > 1 {
                return Err(JwsFormError::Repeated { field: field.name() });
            }
        }
        let needed: [(&str, &[HeaderField]); 4] = [
            ("path", &[Uri, Path]),
            ("partner or merchant", &[AuthId, MerchantId, MerchantIdText]),
            ("method", &[Method]),
            ("algorithm", &[Alg]),
        ];
        for (what, any) in needed {
            if !fields.iter().any(|field| any.contains(field)) {
                return Err(JwsFormError::Missing { what });
            }
        }
        Ok(Self::of(algorithm, fields))
    }

    /// Replaces the name of the request header, which is `X-JWS-Signature` (published; one table
    /// prints `JWS-Signature`, and one sentence `X-JWT-Signature`).
    #[must_use]
    pub fn with_header_name(self, header_name: HeaderName) -> Self {
        Self { header_name, ..self }
    }

    /// Returns the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the name of the request header that takes the signature.
    #[must_use]
    pub fn header_name(&self) -> &HeaderName {
        &self.header_name
    }

    /// Returns the fields in their order.
    #[must_use]
    pub fn fields(&self) -> &[HeaderField] {
        &self.fields
    }

    fn of(algorithm: Algorithm, fields: Vec<HeaderField>) -> Self {
        Self { algorithm, fields, header_name: HeaderName::from_static("x-jws-signature") }
    }

    pub(super) fn check_party(&self, party: &str) -> Result<(), JwsFormError> {
        if party.len() > MAX_PARTY || check_line(party).is_err() {
            return Err(JwsFormError::Party);
        }
        let is_number = party.len() <= MAX_DIGITS
            && party.bytes().all(|byte| byte.is_ascii_digit())
            && (party == "0" || !party.starts_with('0'));
        if self.fields.contains(&HeaderField::MerchantId) && !is_number {
            return Err(JwsFormError::PartyNumber);
        }
        Ok(())
    }

    /// Writes the header: compact JSON, slashes not escaped.
    pub(super) fn header(
        &self,
        party: &str,
        method: &Method,
        path: &str,
    ) -> Result<String, JwsError> {
        let mut header = String::from("{");
        for field in &self.fields {
            if header.len() > 1 {
                header.push(',');
            }
            let value = match self.value(*field, party, method, path) {
                Value::Text(text) => {
                    serde_json::to_string(text).map_err(|_| JwsError::Malformed)?
                }
                Value::Number(digits) => digits.to_owned(),
            };
            header.push_str(&format!("\"{}\":{value}", field.name()));
        }
        header.push('}');
        Ok(header)
    }

    /// What a field has for this request.
    pub(super) fn value<'a>(
        &self,
        field: HeaderField,
        party: &'a str,
        method: &'a Method,
        path: &'a str,
    ) -> Value<'a> {
        match field {
            HeaderField::Uri | HeaderField::Path => Value::Text(path),
            HeaderField::AuthId | HeaderField::MerchantIdText => Value::Text(party),
            HeaderField::MerchantId => Value::Number(party),
            HeaderField::Method => Value::Text(method.as_str()),
            HeaderField::Params => Value::Text(""),
            HeaderField::Alg => Value::Text(self.algorithm.as_str()),
            HeaderField::Typ => Value::Text("JWT"),
        }
    }
}

/// A field's value: a string, or the digits of a number.
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(&'a str),
}

/// The longest id of a partner or merchant, in bytes.
const MAX_PARTY: usize = 128;

/// The longest id that is written as a number, in digits. Any reader takes such a number exactly.
const MAX_DIGITS: usize = 18;
