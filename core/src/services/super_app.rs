//! `SuperApp`: payments inside the vendor's own application.
//!
//! Owns the names of its two operations. Nothing else about them is known; that their requests have
//! a JWS, as those of the partner's other services, is assumed.

use super::flat;
use crate::catalogue::{Catalogue, OperationInfo};
use crate::operation::{Auth, Class};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// Returns the service.
///
/// ```
/// use imts_core::services::super_app;
///
/// let service = super_app::service();
/// let pay = service.operations().entry("pay").ok_or("not listed")?;
/// assert!(pay.path().is_none()); // unknown: never invented
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("super-app")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

/// Returns its two operations.
#[must_use]
pub fn catalogue() -> Catalogue {
    let named = |name| OperationInfo::by_name(name, Class::Money, Auth::Jws);
    Catalogue::of([named("pay"), named("refund")])
}
