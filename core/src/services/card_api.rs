//! Card API: the cards that a partner issues.
//!
//! Owns what the vendor's pages say of it: seven operations with their paths, the fields of an
//! eighth, and the names of the others. A repeated `request_id` is refused and not processed
//! (published), so a lost reply is followed by [`RequestStatus`], never by the same request.

mod card;
mod client;
mod reads;
mod refund;

pub use self::card::{CloseCard, UnblockCard};
pub use self::client::{CardClient, CreateClient, CreatedClient, Identification};
pub use self::reads::{
    Card, CardInfo, CardRequest, RequestStatus, Statement, StatementAccount, StatementCard,
    StatementExtended, Transaction, TransactionDetail, TransactionInfo, TransactionState,
    TransactionWord,
};
pub use self::refund::RefundTransaction;

use super::flat;
use crate::catalogue::{Catalogue, OperationInfo};
use crate::operation::{AskedBy, Auth, Class, Operation, Repeat};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};

/// Returns the service as its newer page prints it: HS256, with `typ` in the signed header.
///
/// The older page prints HS512 without `typ`: give `JwsForm::partner(Algorithm::Hs512)` to
/// [`Service::with_jws_form`] for it.
///
/// ```
/// use imts_core::services::card_api::{self, UnblockCard};
/// use imts_core::{Operation, operation::Repeat};
///
/// let id = "828cf71d-a447-4a67-a149-c1df8bc197ca".parse()?;
/// let unblock = UnblockCard::new(id, "7".into(), "found again".parse()?);
/// assert_eq!(
///     unblock.encode()?.as_ref(),
///     br#"{"request_id":"828cf71d-a447-4a67-a149-c1df8bc197ca","card_id":"7","description":"found again"}"#,
/// );
/// let service = card_api::service();
/// let info = service.operations().entry("unblock-card").ok_or("not listed")?;
/// assert!(matches!(info.repeat(), Repeat::Refused { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&flat::FORMAT, catalogue())
        .with_name("card-api")
        .with_jws_form(JwsForm::partner_with_typ(Algorithm::Hs256))
}

/// Returns its 27 operations, in the order of the vendor's menu.
#[must_use]
pub fn catalogue() -> Catalogue {
    Catalogue::of([
        named("bulk-issue", Class::Create),
        named("issue-card", Class::Create),
        named("issue-plastic-card", Class::Create),
        named("activate-card", Class::Create),
        named("block-card", Class::Create),
        once::<UnblockCard>(),
        named("set-pin", Class::Create),
        named("reset-pin-counter", Class::Create),
        once::<CloseCard>(),
        named("update-client", Class::Create),
        OperationInfo::of::<CardInfo>(),
        named("balance", Class::Read),
        named("secret-data", Class::Read),
        named("secret-data-v2", Class::Read),
        named("operations-list", Class::Read),
        OperationInfo::of::<StatementExtended>(),
        once::<CreateClient>(),
        named("edit-client", Class::Create),
        named("cards-list", Class::Read),
        OperationInfo::of::<RequestStatus>(),
        named("create-transaction", Class::Money),
        named("clearing-transaction", Class::Money),
        once::<RefundTransaction>(),
        OperationInfo::of::<TransactionInfo>(),
        named("cardholder-validation", Class::Read),
        named("set-limits", Class::Create),
        named("limits-list", Class::Read),
    ])
}

fn named(name: &'static str, class: Class) -> OperationInfo {
    let info = OperationInfo::by_name(name, class, Auth::Jws);
    if class == Class::Read { info } else { asked(info) }
}

fn once<O: Operation>() -> OperationInfo {
    asked(OperationInfo::of::<O>())
}

/// A repetition is refused. The code with which that is done is not published.
fn asked(info: OperationInfo) -> OperationInfo {
    info.with_reference_field("request_id")
        .with_repeat(Repeat::refused([]))
        .with_asked_by(AskedBy::new("request-status", "request_id"))
}
