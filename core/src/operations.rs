//! The service's operations, a file each: its method and path, its class, its fields.
//!
//! Owns what is known of each. Two token exchanges are typed in full, Fees as drafted, Create
//! transfer as far as its page was read; the others have a name and a class, and take the
//! integrator's own path and types ([`Own`]).

mod amount;
mod cancel;
mod codes;
mod confirm;
mod create_business;
mod create_person;
mod create_transfer;
mod destination;
mod fees;
mod get_agents;
mod get_business_info;
mod get_person_info;
mod get_token;
mod info;
mod own;
mod payout;
mod payout_confirm;
mod print_application;
mod refresh_token;
mod search;
mod status;

pub use self::amount::Amount;
pub use self::cancel::Cancel;
pub use self::codes::{AgentId, ClientUuid, Country, Currency};
pub use self::confirm::Confirm;
pub use self::create_business::CreateBusiness;
pub use self::create_person::CreatePerson;
pub use self::create_transfer::CreateTransfer;
pub use self::destination::{CardNumber, Destination, Iban, Phone};
pub use self::fees::{Fees, Originator, Signature};
pub use self::get_agents::GetAgents;
pub use self::get_business_info::GetBusinessInfo;
pub use self::get_person_info::GetPersonInfo;
pub use self::get_token::GetToken;
pub(crate) use self::get_token::PATH as GET_TOKEN_PATH;
pub use self::info::Info;
pub use self::own::{Named, Own};
pub use self::payout::Payout;
pub use self::payout_confirm::PayoutConfirm;
pub use self::print_application::PrintApplication;
pub(crate) use self::refresh_token::PATH as REFRESH_TOKEN_PATH;
pub use self::refresh_token::RefreshToken;
pub use self::search::Search;
pub use self::status::Status;

use thiserror::Error;

/// A field's value has a form that the service cannot accept. It quotes no value: some are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the field `{field}` must be {form}")]
pub struct FieldError {
    field: &'static str,
    form: &'static str,
}

impl FieldError {
    /// The field's name.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// What the value must be.
    #[must_use]
    pub fn form(&self) -> &'static str {
        self.form
    }

    const fn new(field: &'static str, form: &'static str) -> Self {
        Self { field, form }
    }

    /// The value, where it has the form.
    fn require<T>(ok: bool, value: T, field: &'static str, form: &'static str) -> Result<T, Self> {
        if ok { Ok(value) } else { Err(Self::new(field, form)) }
    }
}
