//! The merchant's own URLs, as a request for a payment names them.
//!
//! Owns their fields. Does not read what comes to them.

use serde::Serialize;
use thiserror::Error;

use crate::services::values::{FieldError, Limited};
use crate::sign::pg_sig::{OwnUrl, OwnUrlError, OwnUrls};

/// The merchant's own URLs for one payment. Each ends with a name of its own, because that name is
/// signed: a message for one must not fit another.
///
/// ```
/// use imts_core::services::merchant::Callbacks;
/// use imts_core::sign::pg_sig::OwnUrl;
///
/// let urls = Callbacks::new([
///     (OwnUrl::Result, "https://shop.example/pay/result"),
///     (OwnUrl::Success, "https://shop.example/pay/success"),
/// ]);
/// assert!(urls.is_ok());
/// let same = [
///     (OwnUrl::Result, "https://shop.example/result/pay"),
///     (OwnUrl::Success, "https://shop.example/success/pay"),
/// ];
/// assert!(Callbacks::new(same).is_err());
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct Callbacks {
    #[serde(rename = "pg_check_url", skip_serializing_if = "Option::is_none")]
    check: Option<Limited<255>>,
    #[serde(rename = "pg_result_url", skip_serializing_if = "Option::is_none")]
    result: Option<Limited<255>>,
    #[serde(rename = "pg_success_url", skip_serializing_if = "Option::is_none")]
    success: Option<Limited<255>>,
    #[serde(rename = "pg_failure_url", skip_serializing_if = "Option::is_none")]
    failure: Option<Limited<255>>,
}

impl Callbacks {
    /// Takes the URLs. Give the same ones to [`OwnUrls`], which verifies what comes to them.
    ///
    /// # Errors
    ///
    /// [`CallbacksError`] if a URL has no script, is longer than 255 characters, or is for payouts;
    /// or if two URLs end with the same name.
    pub fn new<'a>(
        urls: impl IntoIterator<Item = (OwnUrl, &'a str)>,
    ) -> Result<Self, CallbacksError> {
        let urls: Vec<_> = urls.into_iter().collect();
        OwnUrls::new(urls.iter().copied())?;
        let mut callbacks = Self { check: None, result: None, success: None, failure: None };
        for (url, text) in urls {
            let place = match url {
                OwnUrl::Check => &mut callbacks.check,
                OwnUrl::Result => &mut callbacks.result,
                OwnUrl::Success => &mut callbacks.success,
                OwnUrl::Failure => &mut callbacks.failure,
                OwnUrl::Payout => return Err(CallbacksError::Payout),
            };
            *place = Some(text.parse()?);
        }
        Ok(callbacks)
    }
}

/// Why the merchant's own URLs cannot be those of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallbacksError {
    /// A URL cannot be signed for, or two have the same last part.
    #[error(transparent)]
    Url(#[from] OwnUrlError),
    /// A URL is too long.
    #[error("a URL is too long: {0}")]
    Length(#[from] FieldError),
    /// A payout has one URL, which is a field of its own.
    #[error("a payment has no URL for payouts: leave it out")]
    Payout,
}
