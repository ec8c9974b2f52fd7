//! Partner Invoice: what a partner can ask about an invoice.
//!
//! Owns its one operation. Path, headers and request are published; the reply is not. The menu calls
//! it a GET, and the printed header says POST.

use super::flat;
use super::request::request;
use super::values::Uuid;
use crate::catalogue::{Catalogue, OperationInfo};
use crate::json::Json;
use crate::operation::Auth;
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// Returns the service. Each request has an `X-Request-Id`, a UUID of version 7.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::partner_invoice::InvoiceInfo;
///
/// let request_id = "01953bd1-a6d3-739e-8aa3-83e881f09055".parse()?;
/// let info = InvoiceInfo::new(request_id, "b4c5c7de-99f2-4c1d-b61d-7a8e9df22f7b".parse()?);
/// assert_eq!(info.encode()?.as_ref(), br#"{"id":"b4c5c7de-99f2-4c1d-b61d-7a8e9df22f7b"}"#);
/// assert_eq!(info.reference().as_deref(), Some("01953bd1-a6d3-739e-8aa3-83e881f09055"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("partner-invoice")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

/// Returns its one operation.
#[must_use]
pub fn catalogue() -> Catalogue {
    let header = http::HeaderName::from_static("x-request-id");
    Catalogue::of([OperationInfo::of::<InvoiceInfo>().with_reference_header(header)])
}

request! {
    /// Asks about an invoice (published in part: the reply is not).
    InvoiceInfo = "invoice", Read, Auth::Jws, Some("/v5/partner/invoices/info"), Published => Json;
    id request_id: Uuid;
    required { id: Uuid = "id", }
    optional {}
}
