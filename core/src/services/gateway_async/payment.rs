//! `POST /v5/g2g/create` and `POST /v5/g2g/read`: a payment by card, and its state.

use serde::Serialize;

use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::operation::{Auth, Class, Operation};
use crate::secret::Body;
use crate::services::request::{reply, request};
use crate::services::values::{Amount, Currency, Cvc, Found, Hidden, Limited, Pan, Uuid};
use crate::wire::Success;

request! {
    /// Charges a card (its body is published, its `X-Action` is not).
    CreatePayment = "create-payment", Money, Auth::Jws, None, Published => AsyncReply;
    id request_id: Uuid;
    required {
        amount: Amount = "amount",
        currency: Currency = "currency",
        description: Limited<255> = "description",
        order_id: Limited<50> = "order_id",
        from: CardSource = "from",
    }
    optional {
        /// Sets the merchant's own id of the user.
        with_user_id(user_id: Hidden) = "user_id",
        /// Sets whether the money is taken at once, or held until it is cleared.
        with_auto_clearing(auto_clearing: bool) = "auto_clearing",
        /// Sets the user's device.
        with_device(device: AsyncDevice) = "device",
        /// Sets the merchant's own URLs.
        with_urls(urls: AsyncUrls) = "urls",
    }
}

/// Where the money comes from: a card.
#[derive(Clone, Debug, Serialize)]
pub struct CardSource {
    #[serde(rename = "type")]
    kind: &'static str,
    card: AsyncCard,
    #[serde(skip_serializing_if = "Option::is_none")]
    save: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrent: Option<Recurrent>,
}

impl CardSource {
    /// Takes a card.
    #[must_use]
    pub fn new(card: AsyncCard) -> Self {
        Self { kind: "card", card, save: None, recurrent: None }
    }

    /// Sets whether the card is saved.
    #[must_use]
    pub fn with_save(self, save: bool) -> Self {
        Self { save: Some(save), ..self }
    }

    /// Makes a profile for further payments.
    #[must_use]
    pub fn with_recurrent(self, recurrent: Recurrent) -> Self {
        Self { recurrent: Some(recurrent), ..self }
    }
}

/// A card. `Debug` shows none of it.
#[derive(Clone, Debug, Serialize)]
pub struct AsyncCard {
    /// The holder's name.
    pub name: Hidden,
    /// The number.
    pub pan: Pan,
    /// The code.
    pub cvc: Cvc,
    /// The last year in which it is valid, two digits.
    pub year: u8,
    /// The last month, 1 to 12.
    pub month: u8,
}

/// A profile for further payments.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Recurrent {
    /// How long it lives. The page prints no unit.
    pub lifetime: u32,
}

/// The user's device.
#[derive(Clone, Debug, Serialize)]
pub struct AsyncDevice {
    /// Its address.
    pub user_ip: Hidden,
}

/// The merchant's own URLs.
#[derive(Clone, Debug, Serialize)]
pub struct AsyncUrls {
    /// Is called before money is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_url: Option<Limited<255>>,
    /// Is called with the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_url: Option<Limited<255>>,
}

/// Asks for the state of a payment (published). One page takes one of the two ids, another one both.
#[derive(Clone, Debug, Serialize)]
pub struct ReadPayment {
    #[serde(skip)]
    request_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Hidden>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<Limited<50>>,
}

impl ReadPayment {
    /// Names the payment by the merchant's order.
    #[must_use]
    pub fn of_order(request_id: Uuid, order_id: Limited<50>) -> Self {
        Self { request_id, id: None, order_id: Some(order_id) }
    }

    /// Names the payment by the service's id.
    #[must_use]
    pub fn of_payment(request_id: Uuid, id: Hidden) -> Self {
        Self { request_id, id: Some(id), order_id: None }
    }

    /// Adds the service's id.
    #[must_use]
    pub fn with_id(self, id: Hidden) -> Self {
        Self { id: Some(id), ..self }
    }
}

impl Operation for ReadPayment {
    const NAME: &'static str = "read-payment";
    const PATH: Option<&'static str> = Some("/v5/g2g/read");
    const AUTH: Auth = Auth::Jws;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Published;
    type Reply = AsyncReply;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<AsyncReply, Malformed> {
        success.payload()
    }

    fn reference(&self) -> Option<String> {
        Some(self.request_id.as_str().to_owned())
    }
}

reply! {
    /// A reply. The page prints `{}` as its body; what it says stands in three headers, whose words are
    /// not known. So a payment is never called paid because of it.
    AsyncReply {
        /// The request's id.
        request_id: Found = "x-request-id",
        /// When the service replied.
        datetime: Found = "x-datetime",
        /// How far the service is with the request.
        request_status: Found = "x-request-status",
    }
}
