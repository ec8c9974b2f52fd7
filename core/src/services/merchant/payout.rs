//! Payouts: `/api/reg2nonreg`, `/api/reg2reg`, `/api/to_iban`. They are signed with the key for
//! payouts.

use crate::operation::{Account, Auth};
use crate::services::pg::{Charge, OrderId, Price, UserId};
use crate::services::request::request;
use crate::services::values::{Hidden, Limited};

request! {
    /// Pays out to a card, which the recipient enters on the vendor's page (published).
    PayOut = "payout", Money, Auth::PgSig(Account::Payouts), Some("/api/reg2nonreg"), Published => Charge;
    reference "pg_order_id";
    required {
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        description: Limited<1024> = "pg_description",
        post_link: Limited<255> = "pg_post_link",
        back_link: Limited<255> = "pg_back_link",
        order_time_limit: Limited<50> = "pg_order_time_limit",
    }
    optional {}
}

request! {
    /// Pays out to a saved card (published). The time limit has the form `Y-m-d H:i:s`.
    PayOutToToken = "payout-by-token", Money, Auth::PgSig(Account::Payouts), Some("/api/reg2reg"), Published => Charge;
    reference "pg_order_id";
    required {
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        description: Limited<1024> = "pg_description",
        order_time_limit: Limited<50> = "pg_order_time_limit",
        user_id: UserId = "pg_user_id",
        post_link: Limited<255> = "pg_post_link",
        card_token: Hidden = "pg_card_token_to",
    }
    optional {}
}

request! {
    /// Pays out to an account (published).
    PayOutToIban = "payout-to-iban", Money, Auth::PgSig(Account::Payouts), Some("/api/to_iban"), Published => Charge;
    reference "pg_order_id";
    required {
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        description: Limited<1024> = "pg_description",
        post_link: Limited<255> = "pg_post_link",
        iban: Hidden = "pg_recipient_iban",
    }
    optional {
        /// Sets the recipient's personal number.
        with_recipient_iin(recipient_iin: Hidden) = "pg_recipient_iin",
        /// Sets the recipient's name.
        with_recipient_name(recipient_name: Hidden) = "pg_recipient_name",
        /// Sets the recipient's code of beneficiary.
        with_recipient_kbe(recipient_kbe: Limited<50>) = "pg_recipient_kbe",
        /// Sets the purpose's code.
        with_knp(knp: Limited<50>) = "pg_knp",
        /// Sets the code of the recipient's bank.
        with_bank_bik(bank_bik: Limited<50>) = "pg_bank_bik",
    }
}
