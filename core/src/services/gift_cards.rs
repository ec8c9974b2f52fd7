//! Gift cards: prepaid cards that the partner's customers activate.
//!
//! Owns what the vendor's page says of it: one operation in full, five by name, and the codes. It
//! differs from its siblings: another base path, a numeric `status`, a date without a zone.

use serde::Deserialize;

use super::request::{open, reply, request};
use super::values::{Found, Hidden};
use super::whole::whole;
use crate::catalogue::{Catalogue, OperationInfo};
use crate::error::Malformed;
use crate::operation::{Auth, Class};
use crate::service::Service;
use crate::sign::jws::{Algorithm, JwsForm};
use crate::wire::{Envelope, Format, Object, RefusalFields, Success, object};

/// Returns the service. Its form of the JWS is assumed to be that of Card API's older page.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::gift_cards::ConfirmGiftCard;
///
/// let confirm = ConfirmGiftCard::new("123456".into()).with_card_id(17);
/// assert_eq!(confirm.encode()?.as_ref(), br#"{"otp":"123456","card_id":17}"#);
/// assert!(!format!("{confirm:?}").contains("123456"));
/// # Ok::<(), imts_core::error::EncodeError>(())
/// ```
#[must_use]
pub fn service() -> Service {
    Service::new(&FORMAT, catalogue())
        .with_name("gift-cards")
        .with_jws_form(JwsForm::partner(Algorithm::Hs256))
}

/// Returns its six operations, in the order of the vendor's menu.
#[must_use]
pub fn catalogue() -> Catalogue {
    let named = |name, class| OperationInfo::by_name(name, class, Auth::Jws);
    Catalogue::of([
        named("list", Class::Read),
        named("issue", Class::Money),
        OperationInfo::of::<ConfirmGiftCard>(),
        named("resend", Class::Create),
        named("resend-code", Class::Create),
        named("status", Class::Read),
    ])
}

request! {
    /// Activates a gift card with the code that its owner received (published).
    ConfirmGiftCard = "confirm", Create, Auth::Jws, Some("/v5/cards/activate_card"), Published => GiftCard;
    required { otp: Hidden = "otp", }
    optional {
        /// Names the card, if the owner has several.
        with_card_id(card_id: u64) = "card_id",
    }
}

reply! {
    /// A gift card.
    GiftCard {
        /// When the service replied: a date and a time without a zone.
        datetime: Found = "datetime",
        /// The state of the card.
        card_status: CardStatus = "card_status",
        /// Its currency.
        card_currency: Found = "card_currency",
        /// What is on it.
        card_balance: Found = "card_balance",
        /// Its number, masked.
        card_mask: Hidden = "card_mask",
    }
}

open! {
    /// The state of a gift card: a number from 0 to 5 (published). What the numbers mean is not
    /// printed, but for the one that a confirmation replies with.
    CardStatus {
        /// 1: the reply to a confirmation has it.
        Active = "1",
    }
}

/// `status` is 0 for a success, and −1 to −11 for a refusal (published).
static FORMAT: Format = Format {
    envelope,
    refuses,
    refusal: RefusalFields {
        succeeded: None,
        codes: &["status", "error_code"],
        messages: &["error_description", "message", "description"],
        texts: &["error", "errors"],
        content: None,
        objects: &[],
        errors: &[],
    },
};

#[derive(Deserialize)]
struct Status {
    status: Option<Found>,
}

fn envelope(success: Success<'_>) -> Result<Envelope<'_>, Malformed> {
    let Object(Status { status }) = success.json()?;
    let status = status.ok_or(Malformed::Missing { field: "status" })?;
    whole(success, status.as_str() != "0")
}

fn refuses(body: &[u8]) -> bool {
    object(body).is_some_and(|Status { status }| status.is_some_and(|it| it.as_str() != "0"))
}
