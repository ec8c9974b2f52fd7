//! What the messages with `pg_sig` have in common: their values, and how a reply refuses.
//!
//! Owns the forms of those values: amounts are sent as texts, flags as 0 and 1. Does not know the
//! operations. A reply is read only after its signature was verified.

mod callbacks;
mod card;
mod receipt;
mod replies;

pub use self::callbacks::{Callbacks, CallbacksError};
pub use self::card::{CardExpiry, GatewayCard};
pub use self::receipt::{Receipt, ReceiptPosition};
pub use self::replies::{Charge, ChargeState, Payment, PaymentStatus, PgStatus, SavedCard};

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::values::{Amount, FieldError, Found, Limited};
use super::whole::whole;
use crate::error::Malformed;
use crate::operation::Repeat;
use crate::wire::{Envelope, ErrorForm, Format, Object, RefusalFields, Success, object};

/// The merchant's own id of an order: 1 to 50 characters (published).
pub type OrderId = Limited<50>;

/// A merchant's id: digits (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct MerchantId(String);

impl FromStr for MerchantId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        digits(text, "pg_merchant_id").map(Self)
    }
}

/// The service's id of a payment: digits (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct PaymentId(String);

impl FromStr for PaymentId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        digits(text, "pg_payment_id").map(Self)
    }
}

fn digits(text: &str, field: &'static str) -> Result<String, FieldError> {
    let ok = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    FieldError::require(ok, text.to_owned(), field, "1 to 20 digits")
}

/// The merchant's own id of a user: 1 to 50 letters, digits, `-` and `_` (published).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct UserId(String);

impl FromStr for UserId {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let ok = (1..=50).contains(&text.len()) && text.bytes().all(is_plain);
        let form = "1 to 50 letters, digits, - and _";
        FieldError::require(ok, Self(text.to_owned()), "pg_user_id", form)
    }
}

/// A price in the currency's main unit, 0.01 to 99,999,999 (published). It is exact, and is sent and
/// signed with the same characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Amount);

impl FromStr for Price {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let form = "a decimal from 0.01 to 99999999";
        let wrong = FieldError::new("pg_amount", form);
        let amount: Amount = text.parse().map_err(|_| wrong)?;
        let (least, most) = ("0.01".parse::<Amount>()?, "99999999".parse::<Amount>()?);
        FieldError::require((least..=most).contains(&amount), Self(amount), "pg_amount", form)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A switch: 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flag {
    /// 0
    Off,
    /// 1
    On,
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Off => "0",
            Self::On => "1",
        })
    }
}

/// The language of a payment page (published).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Language {
    /// Russian, which is the default of the service.
    Ru,
    /// English.
    En,
    /// Kazakh.
    Kk,
    /// Kyrgyz.
    Kg,
    /// Uzbek.
    Uz,
}

/// The least time between two calls of one merchant that move money: the page asks for 1.5 to 2 s.
pub(super) const PACE: Duration = Duration::from_secs(2);

/// The codes that say that something was done already: the order exists, or the payment was taken,
/// cancelled, refunded or cleared. It may have been our own request, whose reply was lost. The codes
/// are known from integrators alone.
pub(super) fn done_already() -> Repeat {
    Repeat::Refused { codes: DONE_ALREADY.map(str::to_owned).into_iter().collect::<BTreeSet<_>>() }
}

const DONE_ALREADY: [&str; 7] = ["9991", "10015", "10033", "10036", "11013", "11017", "11018"];

/// `pg_status` is `error` in a refusal (published). What the other words say depends on the operation.
pub(super) static FORMAT: Format = Format {
    envelope,
    refuses,
    refusal: RefusalFields {
        succeeded: None,
        codes: &["pg_error_code", "pg_failure_code"],
        messages: &["pg_error_description", "pg_failure_description", "pg_description"],
        texts: &[],
        content: None,
        objects: &[],
        errors: &[ErrorForm::Says { field: "pg_status", text: "error" }],
    },
};

#[derive(Deserialize)]
struct Status {
    pg_status: Option<Found>,
}

fn envelope(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    let Object(Status { pg_status }) = success.json()?;
    let status = pg_status.ok_or(Malformed::Missing { field: "pg_status" })?;
    whole(success, status.as_str() == "error")
}

fn refuses(body: &[u8]) -> bool {
    object(body)
        .is_some_and(|Status { pg_status }| pg_status.is_some_and(|it| it.as_str() == "error"))
}
