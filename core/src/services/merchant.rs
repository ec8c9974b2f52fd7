//! Merchant API: payments on the vendor's page, by a card's token or from a phone's balance, and
//! payouts.
//!
//! Owns what the vendor's pages say of it: 29 operations, 21 of them with a path. Its messages are
//! signed with `pg_sig`, and it has two keys: one for accepting payments, and one for payouts. Typed
//! requests have no free spelling: a field that the service does not know would be signed, accepted
//! and ignored.

mod mobile;
mod payment;
mod payout;
mod status;
mod token;

pub use self::mobile::{ApproveMobile, InitMobile, PayMobile};
pub use self::payment::CreatePayment;
pub use self::payout::{PayOut, PayOutToIban, PayOutToToken};
pub use self::status::Status;
pub use self::token::{CreateTokenPayment, TokenizeCard};
pub use super::pg::{
    Callbacks, CallbacksError, Charge, ChargeState, Flag, Language, MerchantId, OrderId, Payment,
    PaymentId, PaymentStatus, PgStatus, Price, Receipt, ReceiptPosition, SavedCard, UserId,
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
/// use imts_core::services::merchant::{Callbacks, CreatePayment};
/// use imts_core::sign::pg_sig::OwnUrl;
///
/// let urls = Callbacks::new([(OwnUrl::Result, "https://shop.example/result")])?;
/// let payment = CreatePayment::new("23".parse()?, "25".parse()?, "test".parse()?)
///     .with_callbacks(urls)
///     .with_own("x_note", "blue".parse()?)?;
/// let body = payment.encode()?; // becomes the fields of a form, and is signed
/// let fields: serde_json::Value = serde_json::from_slice(body.as_ref())?;
/// assert_eq!(fields["pg_request_method"], "POST"); // always: callbacks come as POST
/// assert_eq!((&fields["pg_amount"], &fields["x_note"]), (&"25".into(), &"blue".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&pg::FORMAT, catalogue()).with_name("merchant").with_pace(pg::PACE)
}

/// Returns its 29 operations, in the order of the vendor's menu: purchases, payouts, payments from a
/// phone's balance.
#[must_use]
pub fn catalogue() -> Catalogue {
    let accept = |name, class| named(name, class, Account::Accepting);
    let payout = |name, class| named(name, class, Account::Payouts);
    let (published, assumed) = (Evidence::Published, Evidence::Assumed);
    Catalogue::of([
        accept("checkout", Class::Money),
        OperationInfo::of::<TokenizeCard>(),
        accept("delete-token", Class::Create)
            .with_path("/v1/merchant/:pg_merchant_id/cardstorage/remove", assumed),
        accept("list-tokens", Class::Read)
            .with_path("/v1/merchant/:pg_merchant_id/cardstorage/list", published),
        accept("create-payment-with-cvc", Class::Money),
        accept("confirm-payment-with-cvc", Class::Money),
        ordered(OperationInfo::of::<CreateTokenPayment>(), "status"),
        of_payment(accept("confirm-token-payment", Class::Money))
            .with_path("/v1/merchant/:pg_merchant_id/card/direct", assumed),
        ordered(OperationInfo::of::<CreatePayment>(), "status"),
        accept("any-amount", Class::Money),
        of_payment(accept("cancel", Class::Money)).with_path("/cancel.php", published),
        of_payment(accept("clearing", Class::Money)).with_path("/do_capture.php", assumed),
        accept("refund", Class::Money)
            .with_path("/revoke.php", assumed)
            .with_reference_field("pg_idempotency_key")
            .with_repeat(done_already()),
        OperationInfo::of::<Status>(),
        payout("payout-tokenize-card", Class::Create),
        payout("payout-delete-token", Class::Create),
        payout("payout-list-tokens", Class::Read)
            .with_path("/v1/merchant/:pg_merchant_id/cardstorage/list", assumed),
        ordered(OperationInfo::of::<PayOutToToken>(), "payout-status-by-order"),
        ordered(OperationInfo::of::<PayOut>(), "payout-status-by-order"),
        ordered(OperationInfo::of::<PayOutToIban>(), "payout-status-by-order"),
        payout("payout-balance", Class::Read).with_path("/api/balance_status", Evidence::Draft),
        payout("payout-status-by-order", Class::Read)
            .with_path("/api/payment_status", Evidence::Draft),
        payout("payout-status-by-payment", Class::Read),
        payout("payout-status", Class::Read).with_path("/api/payment_status2", published),
        ordered(OperationInfo::of::<InitMobile>(), "mobile-status"),
        of_payment(OperationInfo::of::<PayMobile>()),
        of_payment(OperationInfo::of::<ApproveMobile>()),
        accept("mobile-resend-code", Class::Create),
        accept("mobile-status", Class::Read).with_path("/get_status3.php", published),
    ])
}

fn named(name: &'static str, class: Class, account: Account) -> OperationInfo {
    OperationInfo::by_name(name, class, Auth::PgSig(account))
}

/// The order names it. That the service refuses a second one is known from integrators alone.
fn ordered(info: OperationInfo, asked: &'static str) -> OperationInfo {
    info.with_repeat(done_already()).with_asked_by(AskedBy::new(asked, "pg_order_id"))
}

/// The payment names it: it is done once to each.
fn of_payment(info: OperationInfo) -> OperationInfo {
    info.with_reference_field("pg_payment_id")
        .with_repeat(done_already())
        .with_asked_by(AskedBy::new("status", "pg_payment_id"))
}
