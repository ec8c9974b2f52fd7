//! The values of fields: each has the form that the vendor's pages print, or that is assumed.
//!
//! Owns the checks. What identifies a person, and what a card can be charged with, is in no output
//! of `Debug` and is wiped on drop. Does not know in which request a value stands.

mod amount;
mod card;
mod codes;
mod field_error;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
mod found;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
mod hidden;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
mod ids;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
mod limited;

pub use self::amount::Amount;
pub use self::card::{CardNumber, Cvc, Pan};
pub use self::codes::{Country, Currency};
pub(super) use self::codes::{UUID_FORM, is_uuid};
pub use self::field_error::FieldError;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
pub use self::found::Found;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
pub use self::hidden::Hidden;
#[cfg(any(feature = "jws", feature = "pg-sig"))]
pub use self::ids::{Date, Uuid};
#[cfg(any(feature = "jws", feature = "pg-sig"))]
pub use self::limited::Limited;
