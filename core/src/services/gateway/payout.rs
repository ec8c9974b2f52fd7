//! `POST /g2g/p2p2nonreg` and `POST /g2g/p2p/transfer`: money goes to a card.

use serde::Serialize;

use crate::operation::{Account, Auth};
use crate::services::pg::{Charge, GatewayCard, OrderId, Price, UserId};
use crate::services::request::request;
use crate::services::values::{Currency, Hidden, Limited, Pan};

request! {
    /// Pays out to a card (published, on the older site). It takes the key for payouts.
    CardPayout = "payout-card", Money, Auth::PgSig(Account::Payouts), Some("/g2g/p2p2nonreg"), Published => Charge;
    reference "pg_order_id";
    required {
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        to: Pan = "pg_payment_to",
        description: Limited<1024> = "pg_description",
        post_link: Limited<255> = "pg_post_link",
    }
    optional {
        /// Sets the merchant's own id of the user.
        with_user_id(user_id: UserId) = "pg_user_id",
        /// Sets the holder's name.
        with_card_name(card_name: Hidden) = "pg_card_name",
        /// Sets the currency.
        with_currency(currency: Currency) = "pg_currency",
    }
}

request! {
    /// Moves money from one card to another (published). Which of the two keys signs it is not
    /// printed: the key for accepting is assumed.
    CardTransfer = "transfer-card", Money, Auth::PgSig(Account::Accepting), Some("/g2g/p2p/transfer"), Published => Charge;
    reference "pg_order_id";
    required {
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        currency_from: Currency = "pg_currency_from",
        currency_to: Currency = "pg_currency_to",
        description: Limited<1024> = "pg_description",
    }
    optional {
        /// Sets how much arrives.
        with_amount_to(amount_to: Price) = "pg_amount_to",
        /// Sets the commission.
        with_commission_amount(commission_amount: Price) = "pg_commission_amount",
        /// Sets the language.
        with_language(language: Limited<50>) = "pg_language",
        /// Sets the merchant's own id of the user.
        with_user_id(user_id: UserId) = "pg_user_id",
        /// Sets the recipient's name.
        with_recipient_name(recipient_name: Hidden) = "pg_card_recipient_name",
        /// Asks to save the sender's card.
        with_save_sender_card(save_sender_card: Limited<50>) = "pg_save_sender_card",
        /// Asks to save the recipient's card.
        with_save_recipient_card(save_recipient_card: Limited<50>) = "pg_save_recipient_card",
    }
    whole { sender: Sender, receiver: Receiver, }
}

/// The card from which money goes.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Sender {
    /// A card.
    Card(GatewayCard),
    /// A saved card.
    Token {
        /// Its token.
        #[serde(rename = "pg_card_token")]
        token: Hidden,
    },
}

/// The card to which money goes.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Receiver {
    /// A card.
    Card {
        /// Its number.
        #[serde(rename = "pg_card_recipient")]
        number: Pan,
    },
    /// A saved card.
    Token {
        /// Its token.
        #[serde(rename = "pg_card_recipient_token")]
        token: Hidden,
    },
}
