//! Rates: the exchange rates that a partner reports.
//!
//! Owns its one operation, which is published in full.

use super::flat::{self, Accepted};
use super::request::request;
use super::values::{Amount, Currency, Date, Limited};
use crate::catalogue::{Catalogue, OperationInfo};
use crate::operation::Auth;
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// Returns the service. Whether a repeated rate is refused is unknown.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::rates::AddRate;
///
/// let rate = AddRate::new("USD".parse()?, "KZT".parse()?, "512.35".parse()?);
/// assert_eq!(
///     rate.encode()?.as_ref(),
///     br#"{"currency_from":"USD","currency_to":"KZT","rate":512.35}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("rates")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

/// Returns its one operation.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::of([OperationInfo::of::<AddRate>()])
}

request! {
    /// Reports the rate from one currency to another (published).
    AddRate = "add", Create, Auth::Jws, Some("/v5/partner/rates/add"), Published => Accepted;
    required {
        currency_from: Currency = "currency_from",
        currency_to: Currency = "currency_to",
        rate: Amount = "rate",
    }
    optional {
        /// Sets the kind of rate.
        with_rate_type(rate_type: Limited<255>) = "rate_type",
        /// Sets from when it holds.
        with_start_date(start_date: Date) = "start_date",
        /// Sets until when it holds.
        with_end_date(end_date: Date) = "end_date",
        /// Sets the operation for which it holds.
        with_operation(operation: Limited<255>) = "operation",
    }
}
