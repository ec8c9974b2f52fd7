//! Settlement: payments of a partner's own account, as documents of ISO 20022.
//!
//! Owns the two statuses, whose paths are published. Creating a payment has only a name: its path is
//! not known. Does not read the documents: they are XML inside a JSON field.

use std::str::FromStr;

use serde::Serialize;

use super::flat;
use super::request::{reply, request};
use super::values::{FieldError, Found, Hidden};
use crate::catalogue::{Catalogue, OperationInfo};
use crate::operation::{Auth, Class};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// Returns the service. That its requests are signed with HS256 is known from integrators; that a
/// GET is signed over an empty body is assumed.
///
/// ```
/// use imts_core::services::settlement::{PaymentStatus, SettlementId};
/// use imts_core::{Operation, services::settlement};
///
/// let id: SettlementId = "MSG-2025_01".parse()?;
/// assert!("a/b".parse::<SettlementId>().is_err());
/// let path = settlement::service().operations().entry("payment-status").and_then(|it| it.path().cloned());
/// assert_eq!(
///     path.ok_or("no path")?.as_str(), // a call fills the id in
///     "/api/v5/partner/settlement-partitions/:OrgnlInstrId/status",
/// );
/// assert_eq!(PaymentStatus::new(id).encode()?.as_ref(), br#"{"OrgnlInstrId":"MSG-2025_01"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("settlement")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

/// Returns its operations: the two of the vendor's menu, and the statuses of a batch.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::of([
        OperationInfo::by_name("create-payment", Class::Money, Auth::Jws),
        OperationInfo::of::<PaymentStatus>(),
        OperationInfo::of::<BatchStatuses>(),
    ])
}

request! {
    /// Asks for the status of one payment (published).
    PaymentStatus = "payment-status", Read, Auth::Jws, Some("/api/v5/partner/settlement-partitions/:OrgnlInstrId/status"), Published => SettlementDocument;
    method GET;
    required { id: SettlementId = "OrgnlInstrId", }
    optional {}
}

request! {
    /// Asks for the statuses of all payments of one message (published).
    BatchStatuses = "batch-statuses", Read, Auth::Jws, Some("/v5/partner/settlement-partitions/:OrgnlMsgId/batch-statuses"), Published => SettlementDocument;
    method GET;
    required { id: SettlementId = "OrgnlMsgId", }
    optional {}
}

/// The id of a payment or a message: 1 to 35 letters, digits, `-` and `_` (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct SettlementId(String);

impl FromStr for SettlementId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let ok = (1..=35).contains(&text.len()) && text.bytes().all(is_plain);
        FieldError::require(ok, Self(text.to_owned()), "id", "1 to 35 letters, digits, - and _")
    }
}

reply! {
    /// A document of ISO 20022, here a status report (pain.002). It is not read here.
    SettlementDocument {
        /// The kind of document: `iso20022`.
        document_type: Found = "document_type",
        /// The document, as XML. It has names and accounts.
        document_body: Hidden = "document_body",
        /// The service's code: 0 for a success.
        error_code: Found = "error_code",
        /// A text about the code. One page prints a number.
        error_description: Found = "error_description",
    }
}
