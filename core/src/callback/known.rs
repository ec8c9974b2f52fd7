//! The fields that a callback is known to have, and the shape of each.
//!
//! Owns the two lists. A message with another field, or with a value of another shape, may be a
//! signed message whose values were given new names.

use super::decimal::Decimal;

/// A field's name, and the shape that its value must have.
pub(super) type Known = (&'static str, Shape);

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// 1 to 20 digits.
    Number,
    Decimal,
    /// `0` or `1`.
    Flag,
    /// `0`, `1` or `2`.
    Result,
    /// Three capital letters.
    Currency,
    /// `YYYY-MM-DD HH:MM:SS`.
    Time,
    /// `MM/YY`.
    Expiry,
    /// Digits, `X`, `*` and `-`.
    Card,
}

impl Shape {
    pub(super) fn fits(self, text: &str) -> bool {
        let all = |is: fn(u8) -> bool| !text.is_empty() && text.bytes().all(is);
        match self {
            Self::Text => true,
            Self::Number => text.len() <= 20 && all(|byte| byte.is_ascii_digit()),
            Self::Decimal => text.parse::<Decimal>().is_ok(),
            Self::Flag => matches!(text, "0" | "1"),
            Self::Result => matches!(text, "0" | "1" | "2"),
            Self::Currency => text.len() == 3 && all(|byte| byte.is_ascii_uppercase()),
            Self::Time => is_like(text, "0000-00-00 00:00:00"),
            Self::Expiry => is_like(text, "00/00"),
            Self::Card => all(|byte| byte.is_ascii_digit() || b"Xx*-".contains(&byte)),
        }
    }
}

/// Whether a text has digits where the pattern has zeros, and is the same elsewhere.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut pairs = text.bytes().zip(pattern.bytes());
    text.len() == pattern.len()
        && pairs.all(|(byte, like)| if like == b'0' { byte.is_ascii_digit() } else { byte == like })
}

/// Fields of check and result: published, and four of the last six seen by an integrator. Of all
/// these names `pg_amount` comes first, so no other value can take its place.
pub(super) const PAYMENT: &[Known] = &[
    ("pg_order_id", Shape::Text),
    ("pg_payment_id", Shape::Number),
    ("pg_amount", Shape::Decimal),
    ("pg_currency", Shape::Currency),
    ("pg_net_amount", Shape::Decimal),
    ("pg_ps_amount", Shape::Decimal),
    ("pg_ps_full_amount", Shape::Decimal),
    ("pg_ps_currency", Shape::Currency),
    ("pg_description", Shape::Text),
    ("pg_result", Shape::Result),
    ("pg_payment_date", Shape::Time),
    ("pg_can_reject", Shape::Flag),
    ("pg_user_phone", Shape::Text),
    ("pg_user_contact_email", Shape::Text),
    ("pg_testing_mode", Shape::Flag),
    ("pg_captured", Shape::Flag),
    ("pg_card_id", Shape::Text),
    ("pg_card_token", Shape::Text),
    ("pg_card_pan", Shape::Card),
    ("pg_card_exp", Shape::Expiry),
    ("pg_card_owner", Shape::Text),
    ("pg_card_brand", Shape::Text),
    ("pg_payment_method", Shape::Text),
    ("pg_discount_percent", Shape::Decimal),
    ("pg_discount_amount", Shape::Decimal),
    ("pg_salt", Shape::Text),
    ("pg_recurring_profile_id", Shape::Text),
    ("pg_need_phone_notification", Shape::Flag),
    ("pg_need_email_notification", Shape::Flag),
    ("pg_reference", Shape::Text),
    ("pg_auth_code", Shape::Text),
];

/// Fields of a payout's result (published).
pub(super) const PAYOUT: &[Known] = &[
    ("pg_payment_id", Shape::Number),
    ("pg_order_id", Shape::Text),
    ("pg_card_hash", Shape::Text),
    ("pg_status", Shape::Text),
    ("pg_balance", Shape::Decimal),
    ("pg_payment_amount", Shape::Decimal),
    ("pg_to_pay", Shape::Decimal),
    ("pg_merchant_id", Shape::Number),
    ("pg_payment_date", Shape::Time),
    ("pg_salt", Shape::Text),
];

/// The first of the documented names of a payment.
pub(super) const FIRST: &str = "pg_amount";
