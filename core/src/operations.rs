//! The service's operations: what is known about each. Each one whose page could be read has its
//! own file.
//!
//! Two token exchanges are typed in full, Fees as drafted, Create transfer as far as its page was
//! read. The others have a name and a class, and take the integrator's own path and types
//! ([`Custom`]).

mod amount;
mod codes;
mod create_transfer;
mod custom;
mod destination;
mod fees;
mod get_token;
mod named;
mod refresh_token;

pub use self::amount::Amount;
pub use self::codes::{AgentId, ClientUuid, Country, Currency};
pub use self::create_transfer::CreateTransfer;
pub use self::custom::Custom;
pub use self::destination::{CardNumber, Destination, Iban, Phone};
pub use self::fees::{Fees, Originator, Signature};
pub use self::get_token::GetToken;
pub(crate) use self::get_token::PATH as GET_TOKEN_PATH;
pub use self::named::{
    Cancel, Confirm, CreateBusiness, CreatePerson, GetAgents, GetBusinessInfo, GetPersonInfo, Info,
    OperationName, Payout, PayoutConfirm, PrintApplication, Search, Status,
};
pub(crate) use self::refresh_token::PATH as REFRESH_TOKEN_PATH;
pub use self::refresh_token::{RefreshToken, TokenIn};

use thiserror::Error;

/// A field's value has a form that the service cannot accept. The error quotes no value, because
/// some values are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the field `{field}` must be {form}")]
pub struct FieldError {
    field: &'static str,
    form: &'static str,
}

impl FieldError {
    /// Returns the field's name.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Returns what the value must be.
    #[must_use]
    pub fn form(&self) -> &'static str {
        self.form
    }

    const fn new(field: &'static str, form: &'static str) -> Self {
        Self { field, form }
    }

    /// Returns the value if it has the form.
    fn require<T>(ok: bool, value: T, field: &'static str, form: &'static str) -> Result<T, Self> {
        if ok { Ok(value) } else { Err(Self::new(field, form)) }
    }
}
