//! Gateway API, synchronous: cards that a merchant with a PCI DSS certificate charges itself.
//!
//! Owns what the vendor's pages say of it: 27 operations, 12 of them with a path. Its messages are
//! signed with `pg_sig`. Its payments have no idempotency key, so after a lost reply the status is
//! asked for by the order.

mod card;
mod payment;
mod payout;

pub use self::card::AddCard;
pub use self::payment::{CardPayment, CardStatus, Exchange};
pub use self::payout::{CardPayout, CardTransfer, Receiver, Sender};
pub use super::pg::{
    CardExpiry, Charge, ChargeState, Flag, GatewayCard, OrderId, Payment, PaymentId, PaymentStatus,
    PgStatus, Price, SavedCard, UserId,
};

use super::pg::{self, done_already};
use crate::catalogue::{Catalogue, OperationInfo};
use crate::evidence::Evidence;
use crate::operation::{Account, AskedBy, Auth, Class};
use crate::service::Service;

/// Returns the service. The page asks for 1.5 to 2 s between two calls that move money, and the
/// client keeps 2 s.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::gateway::{CardPayment, GatewayCard};
///
/// let card = GatewayCard::new(
///     "TEST TESTOV".into(),
///     "4111111111111111".parse()?,
///     "653".parse()?,
///     "25".parse()?,
///     "09".parse()?,
/// );
/// let payment = CardPayment::new("123".parse()?, "10".parse()?, "Order 123".parse()?, card);
/// let shown = format!("{payment:?}");
/// assert!(!["4111", "653", "TESTOV"].iter().any(|secret| shown.contains(secret)));
/// assert!(payment.encode()?.as_ref().starts_with(br#"{"pg_order_id":"123","pg_amount":"10","#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&pg::FORMAT, catalogue()).with_name("gateway").with_pace(pg::PACE)
}

/// Returns its 27 operations, in the order of the vendor's menu: purchases, payouts, transfers, cards,
/// tokens.
#[must_use]
pub fn catalogue() -> Catalogue {
    let accept = |name, class| named(name, class, Account::Accepting);
    let payout = |name, class| named(name, class, Account::Payouts);
    let (published, assumed) = (Evidence::Published, Evidence::Assumed);
    Catalogue::of([
        accept("purchase-create-payment", Class::Money),
        accept("purchase-any-amount", Class::Money),
        ordered(OperationInfo::of::<CardPayment>()),
        accept("purchase-3d-secure", Class::Money),
        ordered(accept("purchase-recurrent", Class::Money).with_path("/g2g/recurrent", assumed)),
        of_payment(accept("purchase-cancel", Class::Money)).with_path("/g2g/cancel", published),
        of_payment(accept("purchase-clearing", Class::Money)).with_path("/g2g/clearing", published),
        accept("purchase-refund", Class::Money).with_path("/g2g/refund", assumed),
        OperationInfo::of::<CardStatus>(),
        ordered(OperationInfo::of::<CardPayout>()),
        payout("payout-iban", Class::Money),
        payout("payout-balance", Class::Read),
        payout("payout-status", Class::Read),
        ordered(OperationInfo::of::<CardTransfer>()),
        accept("transfer-3d-secure", Class::Money),
        accept("transfer-rates", Class::Read),
        accept("transfer-status", Class::Read),
        OperationInfo::of::<AddCard>(),
        accept("card-3d-secure", Class::Create),
        accept("card-list", Class::Read),
        accept("card-remove", Class::Create).with_path("/g2g/cardstorage/remove", published),
        accept("card-status", Class::Read).with_path("/g2g/status_v2", published),
        ordered(accept("token-pay", Class::Money).with_path("/g2g/payment", assumed)),
        accept("token-apple-pay", Class::Money),
        accept("token-google-pay", Class::Money),
        payout("token-payout", Class::Money),
        accept("token-status", Class::Read),
    ])
}

fn named(name: &'static str, class: Class, account: Account) -> OperationInfo {
    OperationInfo::by_name(name, class, Auth::PgSig(account))
}

/// The order names it. That the service refuses a second one is known from integrators alone.
fn ordered(info: OperationInfo) -> OperationInfo {
    info.with_reference_field("pg_order_id")
        .with_repeat(done_already())
        .with_asked_by(AskedBy::new("purchase-status", "pg_order_id"))
}

/// The payment names it: it is done once to each.
fn of_payment(info: OperationInfo) -> OperationInfo {
    info.with_reference_field("pg_payment_id")
        .with_repeat(done_already())
        .with_asked_by(AskedBy::new("purchase-status", "pg_payment_id"))
}
