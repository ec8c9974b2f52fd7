//! The signed header of a token that came in, once its signature has proved true.
//!
//! Owns what must hold of its fields. Does not know how a signature is computed.

use http::Method;
use serde_json::value::RawValue;

use super::error::JwsError;
use super::form::{HeaderField, JwsForm, Value};
use crate::sign::members::Members;
use crate::wire::Text;

/// The fields of a header, in their order.
pub(super) struct Claims<'a>(Members<'a>);

impl<'a> Claims<'a> {
    /// Reads a header: one JSON object. A name may stand in it once (RFC 7515, section 4).
    pub(super) fn read(header: &'a [u8]) -> Result<Self, JwsError> {
        let members: Members<'_> =
            serde_json::from_slice(header).map_err(|_| JwsError::Malformed)?;
        let mut names: Vec<&str> = members.0.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| two.first() == two.last()) {
            return Err(JwsError::Malformed);
        }
        Ok(Self(members))
    }

    /// Whether the header is for this request, of this party, and of the form's algorithm.
    ///
    /// A field that the form does not have must fit too, if its name is known. An unknown field is
    /// signed, and ignored, but for `crit`: that asks to be refused by a reader that does not know
    /// it (RFC 7515, section 4.1.11).
    pub(super) fn check(
        &self,
        form: &JwsForm,
        party: &str,
        method: &Method,
        path: &str,
    ) -> Result<(), JwsError> {
        if self.named("crit").is_some() {
            return Err(JwsError::Claim { field: "crit" });
        }
        for known in KNOWN {
            let own = form.fields().iter().copied().find(|it| it.name() == known.name());
            let value = form.value(own.unwrap_or(known), party, method, path);
            let fits = match self.named(known.name()) {
                Some(raw) => is(raw, &value),
                None => own.is_none(),
            };
            if !fits {
                return Err(JwsError::Claim { field: known.name() });
            }
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Option<&'a RawValue> {
        self.0.0.iter().find(|(known, _)| &**known == name).map(|(_, raw)| *raw)
    }
}

/// Whether some JSON is this value.
fn is(raw: &RawValue, value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => {
            serde_json::from_str::<Text<'_>>(raw.get()).is_ok_and(|known| &*known == *text)
        }
        Value::Number(digits) => raw.get() == *digits,
    }
}

/// The fields that are looked at in each header.
const KNOWN: [HeaderField; 8] = [
    HeaderField::Uri,
    HeaderField::Path,
    HeaderField::AuthId,
    HeaderField::MerchantIdText,
    HeaderField::Method,
    HeaderField::Params,
    HeaderField::Alg,
    HeaderField::Typ,
];
