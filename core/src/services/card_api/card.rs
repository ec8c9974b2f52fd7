//! `POST /v5/card-api/card/unblock` and `…/close`: a card is opened again, or closed for ever.

use crate::operation::Auth;
use crate::services::flat::Accepted;
use crate::services::request::request;
use crate::services::values::{Hidden, Limited, Uuid};

request! {
    /// Unblocks a card (published).
    UnblockCard = "unblock-card", Create, Auth::Jws, Some("/v5/card-api/card/unblock"), Published => Accepted;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        card_id: Hidden = "card_id",
        description: Limited<255> = "description",
    }
    optional {}
}

request! {
    /// Closes a card. This cannot be undone (published).
    CloseCard = "close-card", Create, Auth::Jws, Some("/v5/card-api/card/close"), Published => Accepted;
    reference "request_id";
    required {
        request_id: Uuid = "request_id",
        card_id: Hidden = "card_id",
        description: Limited<255> = "description",
    }
    optional {}
}
