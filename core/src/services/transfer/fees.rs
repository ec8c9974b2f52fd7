//! `POST /v5/partner/transfer/fees` (draft): what a transfer would cost.

use std::fmt;

use serde::Serialize;

use super::{Amount, Country, Currency, FieldError};
use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::json::Json;
use crate::operation::{Auth, Class, Operation};
use crate::secret::Body;
use crate::wire::Success;

/// The fees of a transfer, as an older page of the vendor prints the operation. The reply is
/// unknown: it is returned as JSON with exact numbers.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::transfer::{Fees, Originator};
///
/// let fees = Fees {
///     originator_type: Originator::Person,
///     target_country: "UZB".parse()?,
///     amount_source: "15.4".parse()?,
///     currency_source: "KZT".parse()?,
///     currency_target: "UZS".parse()?,
///     pg_sig: None,
/// };
/// assert_eq!(
///     std::str::from_utf8(fees.encode()?.as_ref())?,
///     r#"{"originator_type":"person","target_country":"UZB","amount_source":15.4,"currency_source":"KZT","currency_target":"UZS"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Fees {
    /// Who sends.
    pub originator_type: Originator,
    /// The country to which the money goes.
    pub target_country: Country,
    /// How much is sent.
    pub amount_source: Amount,
    /// The currency that is sent.
    pub currency_source: Currency,
    /// The currency that is received.
    pub currency_target: Currency,
    /// The request's signature. It is unknown how to compute it, and whether it is still needed.
    /// The caller supplies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pg_sig: Option<Signature>,
}

/// Who sends a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Originator {
    /// A natural person.
    Person,
    /// A legal entity.
    Business,
}

/// A signature: 1 to 512 bytes (draft: at most 512).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Signature(String);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").finish_non_exhaustive()
    }
}

impl Signature {
    /// Takes a signature that the caller has made.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is empty or longer than 512 bytes.
    pub fn new(signature: impl Into<String>) -> Result<Self, FieldError> {
        let signature = signature.into();
        let ok = (1..=512).contains(&signature.len());
        FieldError::require(ok, Self(signature), "pg_sig", "1 to 512 bytes")
    }
}

impl Operation for Fees {
    const NAME: &'static str = "fees";
    const PATH: Option<&'static str> = Some("/v5/partner/transfer/fees");
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Draft;
    type Reply = Json;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<Json, Malformed> {
        success.payload_text().map(Json::known)
    }
}
