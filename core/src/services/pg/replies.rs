//! What the replies of the operations with `pg_sig` say.

use crate::json::Json;
use crate::services::request::{open, reply};
use crate::services::values::{Found, Hidden};

open! {
    /// What a reply says of its request. It says nothing about money.
    PgStatus {
        /// The request was accepted.
        Ok = "ok",
        /// The same, as `g2g/cardstorage/remove` writes it.
        Success = "success",
        /// The user must confirm: `mfs/pay`.
        NeedsApproval = "need_approve",
        /// It is under way: `mfs/approve`.
        InProcess = "process",
    }
}

reply! {
    /// The reply to a request for money. However it reads, the money has not come yet: see
    /// [`state`](Charge::state).
    Charge {
        /// What the reply says of the request.
        status: PgStatus = "pg_status",
        /// The service's id of the payment.
        payment_id: Found = "pg_payment_id",
        /// The merchant's id of the order.
        order_id: Found = "pg_order_id",
        /// Where the payer's browser goes.
        redirect_url: Hidden = "pg_redirect_url",
        /// What that page does.
        redirect_url_type: Found = "pg_redirect_url_type",
        /// The server of the card's bank, if the payer must confirm there.
        acs_url: Hidden = "pg_3d_acsurl",
        /// Whether the payer must confirm at the card's bank.
        three_d_secure: Found = "pg_3ds",
    }
}

/// How far a charge is, by the reply to its request. There is no state for "paid".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChargeState {
    /// The payment was created. Wait for its result, or ask for its status.
    Accepted,
    /// The payer must act first, at the card's bank or by a code.
    NeedsPayer,
}

impl Charge {
    /// Returns how far the charge is. `pg_status` = `ok` means that the payment exists, not that it is
    /// paid.
    #[must_use]
    pub fn state(&self) -> ChargeState {
        let asks = self.acs_url.is_some() || self.redirect_url.is_some();
        if asks || self.status == Some(PgStatus::NeedsApproval) {
            ChargeState::NeedsPayer
        } else {
            ChargeState::Accepted
        }
    }
}

open! {
    /// The state of a payment: the union of what the pages print.
    PaymentStatus {
        /// It is paid.
        Success = "success" | "ok",
        /// It is under way.
        Process = "process",
        /// It failed.
        Error = "error",
        /// It failed.
        Failed = "failed",
        /// It is new.
        New = "new",
        /// It was taken back.
        Revoked = "revoked",
        /// Its time is over.
        Incomplete = "incomplete",
        /// It is a new payment.
        Partial = "partial",
        /// It waits for the payer or the payment system.
        Pending = "pending",
    }
}

reply! {
    /// The state of a payment, as a status operation replies with it.
    Payment {
        /// What the reply says of the request. It says nothing about the payment.
        status: PgStatus = "pg_status",
        /// The service's id of the payment. 0 means that there is none.
        payment_id: Found = "pg_payment_id",
        /// The merchant's id of the order.
        order_id: Found = "pg_order_id",
        /// The state of the payment.
        payment_status: PaymentStatus = "pg_payment_status",
        /// Its amount.
        amount: Found = "pg_amount",
        /// Its currency.
        currency: Found = "pg_currency",
        /// How it is paid.
        payment_method: Found = "pg_payment_method",
        /// Whether it may be refused: 0 or 1.
        can_reject: Found = "pg_can_reject",
        /// Whether the money was taken: 0 or 1.
        captured: Found = "pg_captured",
        /// How much was cleared.
        clearing_amount: Found = "pg_clearing_amount",
        /// How much went back.
        refund_amount: Found = "pg_refund_amount",
        /// How much was revoked.
        revoke_amount: Found = "pg_revoke_amount",
        /// The refunds, each with an id of its own.
        refund_payments: Json = "pg_refund_payments",
        /// What was revoked.
        revoked_payments: Json = "pg_revoked_payments",
        /// When it was paid, without a zone.
        payment_date: Found = "pg_payment_date",
        /// When it was made, without a zone.
        create_date: Found = "pg_create_date",
        /// The reference of the bank.
        reference: Found = "pg_reference",
        /// The code of the bank.
        auth_code: Hidden = "pg_auth_code",
        /// The payer's e-mail address.
        user_email: Hidden = "pg_user_email",
        /// The payer's phone.
        user_phone: Hidden = "pg_user_phone",
        /// The card holder.
        card_name: Hidden = "pg_card_name",
        /// The card's number, masked.
        card_pan: Hidden = "pg_card_pan",
        /// The card's token.
        card_token: Hidden = "pg_card_token",
        /// The card's id.
        card_id: Hidden = "pg_card_id",
        /// The card's end.
        card_exp: Hidden = "pg_card_exp",
        /// The card's brand.
        card_brand: Found = "pg_card_brand",
        /// Why it failed, as a code. Codes are opaque: integrators give them different meanings.
        failure_code: Found = "pg_failure_code",
        /// Why it failed, in the service's words.
        failure_description: Found = "pg_failure_description",
    }
}

impl Payment {
    /// Returns whether the payment is paid: its own state says so, and it exists. `pg_status` alone is
    /// never enough.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        let exists = self.payment_id.as_ref().is_some_and(|id| id.as_str() != "0");
        exists && self.payment_status == Some(PaymentStatus::Success)
    }
}

reply! {
    /// A card that is being saved.
    SavedCard {
        /// What the reply says of the request.
        status: PgStatus = "pg_status",
        /// The service's id of the transaction.
        payment_id: Found = "pg_payment_id",
        /// Where the user's browser goes to enter the card.
        redirect_url: Hidden = "pg_redirect_url",
        /// The card's token.
        card_token: Hidden = "pg_card_token",
        /// The card's number, masked.
        card_hash: Hidden = "pg_card_hash",
    }
}
