//! The form operations, which have `pg_sig`.
//!
//! What the pages call secondary, and what only the vendor's code shows, has the label `assumed` here.

use super::super::row::Account::{Accepting, Either, Payouts};
use super::super::row::{Account, Does, Form, Row, Scheme};
use crate::evidence::Evidence::{self, Assumed, Published};
use imts_core::Class::{self, Create, Money, Read};

const fn row(
    name: &'static str,
    paths: &'static [&'static str],
    class: Class,
    evidence: Evidence,
    (account, does): (Account, Does),
) -> Row {
    let form = Form { account, does, has_key: false };
    Row { name, also: &[], paths, class, evidence, reply: Assumed, scheme: Scheme::Form(form) }
}

/// Adds the other operations that the same path serves.
const fn also(row: Row, also: &'static [&'static str]) -> Row {
    Row { also, ..row }
}

/// Says that `pg_idempotency_key` is named on the page.
const fn keyed(row: Row) -> Row {
    match row.scheme {
        Scheme::Form(Form { account, does, .. }) => {
            Row { scheme: Scheme::Form(Form { account, does, has_key: true }), ..row }
        }
        Scheme::Jws(_) => row,
    }
}

/// Says that the reply's fields are printed too.
const fn printed(row: Row) -> Row {
    Row { reply: Published, ..row }
}

pub(in crate::signed) static FORMS: &[Row] = &[
    // Gateway, synchronous.
    also(
        row(
            "gateway.purchase-card",
            &["/g2g/payment"],
            Money,
            Published,
            (Accepting, Does::Charge),
        ),
        &["gateway.token-pay"],
    ),
    row(
        "gateway.purchase-recurrent",
        &["/g2g/recurrent"],
        Money,
        Assumed,
        (Accepting, Does::Charge),
    ),
    row("gateway.purchase-cancel", &["/g2g/cancel"], Money, Published, (Accepting, Does::Cancel)),
    row(
        "gateway.purchase-clearing",
        &["/g2g/clearing"],
        Money,
        Published,
        (Accepting, Does::Clear),
    ),
    row("gateway.purchase-refund", &["/g2g/refund"], Money, Assumed, (Accepting, Does::Refund)),
    also(
        printed(row(
            "gateway.purchase-status",
            &["/g2g/status_v2"],
            Read,
            Published,
            (Accepting, Does::Status),
        )),
        &["gateway.card-status", "gateway.token-status"],
    ),
    row("gateway.payout-card", &["/g2g/p2p2nonreg"], Money, Published, (Payouts, Does::Charge)),
    row(
        "gateway.transfer-card",
        &["/g2g/p2p/transfer"],
        Money,
        Published,
        (Accepting, Does::Charge),
    ),
    row(
        "gateway.card-add",
        &["/g2g/cardstorage/add"],
        Create,
        Published,
        (Accepting, Does::AddCard),
    ),
    printed(row(
        "gateway.card-remove",
        &["/g2g/cardstorage/remove"],
        Create,
        Published,
        (Accepting, Does::RemoveCard),
    )),
    // Merchant, purchase.
    also(
        printed(keyed(row(
            "merchant.create-payment",
            &["/init_payment.php", "/init_payment"],
            Money,
            Published,
            (Accepting, Does::Create),
        ))),
        &["merchant.mobile-init"],
    ),
    row(
        "merchant.tokenize-card",
        &["/v1/merchant/{id}/cardstorage/add"],
        Create,
        Published,
        (Accepting, Does::AddCard),
    ),
    also(
        row(
            "merchant.list-tokens",
            &["/v1/merchant/{id}/cardstorage/list"],
            Read,
            Published,
            (Either, Does::ListCards),
        ),
        &["merchant.payout-list-tokens"],
    ),
    row(
        "merchant.delete-token",
        &["/v1/merchant/{id}/cardstorage/remove"],
        Create,
        Assumed,
        (Accepting, Does::RemoveCard),
    ),
    keyed(row(
        "merchant.create-token-payment",
        &["/v1/merchant/{id}/card/init"],
        Money,
        Published,
        (Accepting, Does::Prepare),
    )),
    row(
        "merchant.confirm-token-payment",
        &["/v1/merchant/{id}/card/direct"],
        Money,
        Assumed,
        (Accepting, Does::Confirm),
    ),
    row("merchant.cancel", &["/cancel.php"], Money, Published, (Accepting, Does::Cancel)),
    row("merchant.clearing", &["/do_capture.php"], Money, Assumed, (Accepting, Does::Clear)),
    keyed(row(
        "merchant.refund",
        &["/revoke.php", "/revoke"],
        Money,
        Assumed,
        (Accepting, Does::Refund),
    )),
    also(
        printed(row(
            "merchant.status",
            &["/get_status3.php"],
            Read,
            Published,
            (Accepting, Does::Status),
        )),
        &["merchant.mobile-status"],
    ),
    row("merchant.mobile-pay", &["/mfs/pay"], Money, Published, (Accepting, Does::MobilePay)),
    row(
        "merchant.mobile-approve",
        &["/mfs/approve"],
        Money,
        Published,
        (Accepting, Does::MobileApprove),
    ),
    // Merchant, payouts.
    row("merchant.payout", &["/api/reg2nonreg"], Money, Published, (Payouts, Does::Charge)),
    row("merchant.payout-by-token", &["/api/reg2reg"], Money, Published, (Payouts, Does::Charge)),
    row(
        "merchant.payout-to-iban",
        &["/api/to_iban", "/api/iban_payout"],
        Money,
        Published,
        (Payouts, Does::Charge),
    ),
    row(
        "merchant.payout-tokenize-card",
        &["/v1/merchant/{id}/cardstorage/add2", "/v1/merchant/{id}/cardstoragepayout/add"],
        Create,
        Published,
        (Payouts, Does::AddCard),
    ),
    row(
        "merchant.payout-balance",
        &["/api/balance_status"],
        Read,
        Assumed,
        (Payouts, Does::Balance),
    ),
    row(
        "merchant.payout-status-by-order",
        &["/api/payment_status"],
        Read,
        Assumed,
        (Payouts, Does::Status),
    ),
    row(
        "merchant.payout-status",
        &["/api/payment_status2"],
        Read,
        Published,
        (Payouts, Does::Status),
    ),
];
