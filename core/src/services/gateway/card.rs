//! `POST /g2g/cardstorage/add`: a card is saved for later payments.

use crate::operation::{Account, Auth};
use crate::services::pg::{GatewayCard, OrderId, SavedCard, UserId};
use crate::services::request::request;

request! {
    /// Saves a card (published).
    AddCard = "card-add", Create, Auth::PgSig(Account::Accepting), Some("/g2g/cardstorage/add"), Published => SavedCard;
    reference "pg_order_id";
    required { user_id: UserId = "pg_user_id", }
    optional {
        /// Sets the merchant's own id of the order.
        with_order_id(order_id: OrderId) = "pg_order_id",
    }
    whole { card: GatewayCard, }
}
