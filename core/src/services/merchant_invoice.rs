//! Merchant Invoice: a merchant asks a customer for money, by a QR code.
//!
//! Owns its one operation with a known path, and the names of three. The page contradicts itself:
//! the header that it describes differs from the one that it prints, and the pages for Kyrgyzstan
//! show a form and XML in place of JSON.

use super::flat;
use super::request::{open, reply, request};
use super::values::{Amount, Currency, Found, Limited};
use crate::catalogue::{Catalogue, OperationInfo};
use crate::operation::{Auth, Class};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// Returns the service. Its signed header is the printed one, with `path` and a numeric
/// `merchant_id`.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::merchant_invoice::InitInvoice;
///
/// let amount = "100".parse()?;
/// let init = InitInvoice::new("order-1".parse()?, 123_456, amount, "Invoice".parse()?, "KZT".parse()?);
/// assert_eq!(
///     init.encode()?.as_ref(),
///     br#"{"order_id":"order-1","merchant_id":123456,"amount":100,"description":"Invoice","currency":"KZT","invoice_method":"qr"}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("merchant-invoice")
        .with_jws_form(JwsForm::merchant(Algorithm::Hs512))
}

/// Returns its four operations, in the order of the vendor's menu.
#[must_use]
pub fn catalogue() -> Catalogue {
    let named = |name, class| OperationInfo::by_name(name, class, Auth::Jws);
    Catalogue::of([
        OperationInfo::of::<InitInvoice>(),
        named("info", Class::Read),
        named("pay", Class::Money),
        named("status", Class::Read),
    ])
}

request! {
    /// Makes an invoice, which asks a customer for money (published, and contradictory).
    InitInvoice = "init", Money, Auth::Jws, Some("/v5/merchant/invoice/init"), Published => Invoice;
    reference "order_id";
    fixed { invoice_method: "invoice_method" = "qr", }
    required {
        order_id: Limited<50> = "order_id",
        merchant_id: u64 = "merchant_id",
        amount: Amount = "amount",
        description: Limited<1024> = "description",
        currency: Currency = "currency",
    }
    optional {}
}

reply! {
    /// The invoice that was made. It is not paid yet.
    Invoice {
        /// How far the invoice is.
        invoice_status: InvoiceStatus = "invoice_status",
        /// The id of the invoice.
        invoice_id: Found = "invoice_id",
        /// What the customer is shown.
        invoice_methods: InvoiceMethods = "invoice_methods",
        /// When the service replied.
        dt: Found = "dt",
    }
}

reply! {
    /// What the customer is shown.
    InvoiceMethods {
        /// An image of the QR code, in base 64.
        qr: Found = "qr",
    }
}

open! {
    /// How far an invoice is.
    InvoiceStatus {
        /// The customer can pay it.
        InProcess = "process",
        /// It is paid.
        Paid = "ok",
        /// It failed.
        Failed = "failed",
        /// Its time is over.
        Incomplete = "incomplete",
    }
}
