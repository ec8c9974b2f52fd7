//! Gateway Async: card payments by JSON, whose results come later.
//!
//! Owns what the vendor's pages say of it: three paths, two values of `X-Action`, and the body of
//! create and read. An operation whose `X-Action` is not known has only a name here. Each request has
//! an `X-Request-Id`. A second request with the same id gets the reply to the first (published for
//! read payment, assumed for the others).

mod payment;

pub use self::payment::{
    AsyncCard, AsyncDevice, AsyncReply, AsyncUrls, CardSource, CreatePayment, ReadPayment,
    Recurrent,
};

use http::{HeaderName, HeaderValue};

use super::flat;
use crate::catalogue::{Catalogue, OperationInfo};
use crate::evidence::Evidence;
use crate::operation::{AskedBy, Auth, Class, Repeat};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// The path of create payment (published). Its `X-Action` is not known: give both to the catalogue.
pub const CREATE_PATH: &str = "/v5/g2g/create";

/// Returns the service.
///
/// ```
/// use imts_core::services::gateway_async::{self, ReadPayment};
/// use imts_core::{Class, Operation};
///
/// let request_id = "01953bd1-a6d3-739e-8aa3-83e881f09055".parse()?;
/// let read = ReadPayment::of_order(request_id, "order_id".parse()?);
/// assert_eq!(read.encode()?.as_ref(), br#"{"order_id":"order_id"}"#);
///
/// let service = gateway_async::service();
/// let reverse = service.operations().entry("reverse").ok_or("not listed")?;
/// assert_eq!((reverse.class(), reverse.headers().len()), (Class::Money, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::QUIET, catalogue())
        .with_name("gateway-async")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
        .with_reply_headers(&["x-request-id", "x-datetime", "x-request-status"])
}

/// Returns its six operations, in the order of the vendor's menu.
#[must_use]
pub fn catalogue() -> Catalogue {
    let named = |name, class| OperationInfo::by_name(name, class, Auth::Jws);
    let action = |info: OperationInfo, action| {
        info.with_header(HeaderName::from_static("x-action"), HeaderValue::from_static(action))
    };
    let reverse = named("reverse", Class::Money).with_path("/v5/g2g/edit", Evidence::Published);
    Catalogue::of([
        moves(OperationInfo::of::<CreatePayment>()),
        identified(action(OperationInfo::of::<ReadPayment>(), "gateway.payment.status")),
        identified(named("read-request", Class::Read)),
        moves(named("refund", Class::Money)),
        moves(action(reverse, "gateway.payment.reverse")),
        moves(named("clearing", Class::Money)),
    ])
}

/// The reference goes into a header.
fn identified(info: OperationInfo) -> OperationInfo {
    info.with_reference_header(HeaderName::from_static("x-request-id"))
}

fn moves(info: OperationInfo) -> OperationInfo {
    identified(info)
        .with_repeat(Repeat::Replayed)
        .with_asked_by(AskedBy::new("read-payment", "order_id"))
}
