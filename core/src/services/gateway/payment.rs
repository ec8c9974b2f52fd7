//! `POST /g2g/payment` and `POST /g2g/status_v2`: a card is charged, and what became of it.

use serde::Serialize;

use crate::operation::{Account, Auth};
use crate::services::pg::{Charge, Flag, GatewayCard, OrderId, Payment, PaymentId, Price, UserId};
use crate::services::request::request;
use crate::services::values::{Currency, Limited};

request! {
    /// Charges a card (published). There is no idempotency key: after a lost reply, ask for the status
    /// by the order.
    CardPayment = "purchase-card", Money, Auth::PgSig(Account::Accepting), Some("/g2g/payment"), Published => Charge;
    reference "pg_order_id";
    required {
        order_id: OrderId = "pg_order_id",
        amount: Price = "pg_amount",
        description: Limited<1024> = "pg_description",
    }
    optional {
        /// Sets the currency. In Kazakhstan it is KZT.
        with_currency(currency: Currency) = "pg_currency",
        /// Sets whether the money is taken at once, or by the clearing.
        with_auto_clearing(auto_clearing: Flag) = "pg_auto_clearing",
        /// Sets the test mode.
        with_testing_mode(testing_mode: Flag) = "pg_testing_mode",
        /// Sets whether the payer must confirm at the card's bank.
        with_3ds_challenge(challenge: Flag) = "pg_3ds_challenge",
        /// Sets the exchange.
        with_exchange(exchange: Exchange) = "pg_exchange_params",
        /// Sets the merchant's own id of the user.
        with_user_id(user_id: UserId) = "pg_user_id",
        /// Sets the first text of the merchant's own.
        with_param1(param1: Limited<255>) = "pg_param1",
        /// Sets the second text of the merchant's own.
        with_param2(param2: Limited<255>) = "pg_param2",
        /// Sets the third text of the merchant's own.
        with_param3(param3: Limited<255>) = "pg_param3",
    }
    whole { card: GatewayCard, }
}

/// An exchange of currencies.
#[derive(Clone, Debug, Serialize)]
pub struct Exchange {
    /// The rate.
    pub rate: Limited<50>,
    /// The code of the rates.
    pub rates_code: Limited<50>,
    /// The date of the exchange.
    pub ex_date: Limited<50>,
}

request! {
    /// Asks for the state of a payment (published: the page requires both ids; searching by the order
    /// alone is known from older pages). By order, the service finds the payment alone.
    CardStatus = "purchase-status", Read, Auth::PgSig(Account::Accepting), Some("/g2g/status_v2"), Published => Payment;
    required { order_id: OrderId = "pg_order_id", }
    optional {
        /// Adds the service's id of the payment.
        with_payment_id(payment_id: PaymentId) = "pg_payment_id",
    }
}
