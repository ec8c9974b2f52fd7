//! `POST /v5/card-api/transaction/refund` (draft): money goes back.

use crate::operation::Auth;
use crate::services::flat::Accepted;
use crate::services::request::request;
use crate::services::values::{Amount, Hidden, Limited, Uuid};

request! {
    /// Refunds a transaction, in part if an amount is given. The page is marked as being in
    /// development.
    RefundTransaction = "refund-transaction", Money, Auth::Jws, Some("/v5/card-api/transaction/refund"), Draft => Accepted;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        order_id: Hidden = "order_id",
        transaction_id: Hidden = "transaction_id",
    }
    optional {
        /// Sets the reason.
        with_description(description: Limited<255>) = "description",
        /// Sets how much goes back.
        with_amount(amount: Amount) = "amount",
    }
}
