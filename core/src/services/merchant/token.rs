//! Cards by their tokens: `/v1/merchant/{id}/cardstorage/add` and `/v1/merchant/{id}/card/init`.

use crate::operation::{Account, Auth};
use crate::services::pg::{
    Callbacks, Charge, MerchantId, OrderId, Price, Receipt, SavedCard, UserId,
};
use crate::services::request::request;
use crate::services::values::{Hidden, Limited};

request! {
    /// Saves a card, which the user enters on the vendor's page (published).
    TokenizeCard = "tokenize-card", Create, Auth::PgSig(Account::Accepting), Some("/v1/merchant/:pg_merchant_id/cardstorage/add"), Published => SavedCard;
    required {
        merchant_id: MerchantId = "pg_merchant_id",
        user_id: UserId = "pg_user_id",
        post_link: Limited<255> = "pg_post_link",
        back_link: Limited<255> = "pg_back_link",
    }
    optional {}
}

request! {
    /// Creates a payment by the token of a saved card (published). One integrator says that its reply
    /// is signed without a script: set `ReplyScript::Absent` if yours is.
    CreateTokenPayment = "create-token-payment", Money, Auth::PgSig(Account::Accepting), Some("/v1/merchant/:pg_merchant_id/card/init"), Published => Charge;
    reference "pg_order_id";
    required {
        merchant_id: MerchantId = "pg_merchant_id",
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        description: Limited<1024> = "pg_description",
        user_id: UserId = "pg_user_id",
        card_token: Hidden = "pg_card_token",
    }
    optional {
        /// Sets the user's address.
        with_user_ip(user_ip: Hidden) = "pg_user_ip",
        /// Sets the user's phone, as digits.
        with_user_phone(user_phone: Hidden) = "pg_user_phone",
        /// Sets the user's e-mail address.
        with_user_email(user_email: Hidden) = "pg_user_email",
        /// Sets the positions of the receipt.
        with_receipt(receipt: Receipt) = "pg_receipt_positions",
        /// Sets the first text of the merchant's own.
        with_param1(param1: Limited<255>) = "pg_param1",
        /// Sets the second text of the merchant's own.
        with_param2(param2: Limited<255>) = "pg_param2",
        /// Sets the third text of the merchant's own.
        with_param3(param3: Limited<255>) = "pg_param3",
        /// Sets the idempotency key. Whether a repeated one replays or is refused is unknown.
        with_idempotency_key(idempotency_key: Limited<255>) = "pg_idempotency_key",
        /// Sets the id in the loyalty system.
        with_loyalty_id(loyalty_id: Hidden) = "pg_loyalty_id",
        /// Sets how many units of the loyalty system are used.
        with_loyalty_amount(loyalty_amount: Price) = "pg_loyalty_amount",
        /// Sets the user's id at Freedom ID.
        with_freedom_id(freedom_id: Hidden) = "pg_freedom_id",
    }
    parts {
        /// Sets the merchant's own URLs. The page lists those for the result and for the browser.
        with_callbacks(callbacks: Callbacks),
    }
}
