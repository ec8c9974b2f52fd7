//! Transfer (IMTS): the international money transfers of Freedom Pay.
//!
//! Owns what the vendor's pages say of it: its URLs, its two token exchanges, the fifteen other
//! operations that the vendor lists. Each operation whose page could be read has its own file: Fees as drafted, Create
//! transfer as far as its page was read. The others have a name and a class, and take the
//! integrator's own path and types ([`Custom`]).

mod create_transfer;
mod destination;
mod fees;
mod format;
mod ids;
mod named;
mod tokens;

pub use self::create_transfer::CreateTransfer;
pub use self::destination::{Destination, Iban, Phone};
pub use self::fees::{Fees, Originator, Signature};
pub use self::ids::{AgentId, ClientUuid};
pub use self::named::{
    Cancel, Confirm, CreateBusiness, CreatePerson, GetAgents, GetBusinessInfo, GetPersonInfo, Info,
    Payout, PayoutConfirm, PrintApplication, Search, Status,
};
pub use self::tokens::tokens;
pub use super::values::{Amount, CardNumber, Country, Currency, FieldError};

use crate::catalogue::{Catalogue, OperationInfo};
use crate::operation::Custom;
use crate::service::Service;

/// The vendor's production base URL (published, on the pages of sibling APIs and of Fees).
///
/// Pass it explicitly: nothing in this crate uses it by itself.
pub const PRODUCTION_URL: &str = "https://api.freedompay.kz";

/// The vendor's test base URL (assumed: published for sibling APIs only).
pub const TEST_URL: &str = "https://test-api.freedompay.kz";

/// Returns the service as its pages print it: Get token as published, Refresh token as assumed.
///
/// It is also there as `imts_core::services::transfer()`.
#[must_use]
pub fn service() -> Service {
    Service::new(&format::FORMAT, catalogue()).with_tokens(tokens())
}

/// Returns the operations that the vendor's pages list: fifteen of the seventeen, because a session makes
/// the two token exchanges ([`tokens`](fn@tokens)).
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::of([
        OperationInfo::of::<Custom<GetAgents, ()>>(),
        OperationInfo::of::<Fees>(),
        OperationInfo::of::<Custom<CreatePerson, ()>>(),
        OperationInfo::of::<Custom<CreateBusiness, ()>>(),
        OperationInfo::of::<CreateTransfer>(),
        OperationInfo::of::<Custom<PrintApplication, ()>>(),
        OperationInfo::of::<Custom<Confirm, ()>>(),
        OperationInfo::of::<Custom<Search, ()>>(),
        OperationInfo::of::<Custom<Payout, ()>>(),
        OperationInfo::of::<Custom<PayoutConfirm, ()>>(),
        OperationInfo::of::<Custom<Cancel, ()>>(),
        OperationInfo::of::<Custom<GetPersonInfo, ()>>(),
        OperationInfo::of::<Custom<GetBusinessInfo, ()>>(),
        OperationInfo::of::<Custom<Status, ()>>(),
        OperationInfo::of::<Custom<Info, ()>>(),
    ])
}
