//! The gateway reports how a payout ended.
//!
//! Owns when a payout is proved. Does not know the merchant's payouts.

use super::decimal::Decimal;
use super::decision::{Decision, Word};
use super::doubt::Doubt;
use super::expected::{Expected, Mismatch};
use super::key::{AnswerKey, fingerprint};
use super::message::Message;
use crate::sign::pg_sig::{FieldError, OwnUrl, PgValue};

/// The result of a payout, signed with the key for payouts.
#[derive(Clone, Debug)]
pub struct PayoutResult {
    message: Message,
    key: AnswerKey,
}

/// What the result of a payout proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PayoutVerdict {
    /// `pg_status` is `ok`, and order and amount are the expected ones.
    PaidOut,
    /// `pg_status` is `error`, and order and amount are the expected ones.
    Failed,
    /// The message is not about what was expected.
    Mismatch(Mismatch),
    /// The message may not say what was signed. Ask the service for the status before you act.
    AskStatus(Doubt),
}

impl PayoutResult {
    pub(super) fn new(message: Message) -> Self {
        let status = message.text("pg_status").ok().filter(|it| matches!(*it, "ok" | "error"));
        let key = match (message.doubt(), message.number("pg_payment_id"), status) {
            (None, Some(payment), Some(status)) => AnswerKey::of("payout", payment, status),
            _ => AnswerKey::doubtful("payout", &message.fields),
        };
        Self { message, key }
    }

    /// Says what the message proves about a payout. Its amount is `pg_payment_amount`; the message
    /// has no currency, so none is compared.
    pub fn verdict(&self, expected: &Expected) -> PayoutVerdict {
        if let Some(doubt) = self.doubt() {
            return PayoutVerdict::AskStatus(doubt);
        }
        if let Err(mismatch) = expected.compare_amount(&self.message, "pg_payment_amount") {
            return PayoutVerdict::Mismatch(mismatch);
        }
        match self.message.text("pg_status") {
            Ok("ok") => PayoutVerdict::PaidOut,
            Ok("error") => PayoutVerdict::Failed,
            _ => PayoutVerdict::AskStatus(Doubt::Shape { field: "pg_status" }),
        }
    }

    /// Returns why the message may not say what was signed; see [`Doubt`].
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        let missing = |field| match self.message.text(field) {
            Ok(_) => None,
            Err(_) => Some(Doubt::Missing { field }),
        };
        self.message.doubt().or_else(|| missing("pg_payment_id")).or_else(|| missing("pg_status"))
    }

    /// Returns the key under which the first answer is kept.
    #[must_use]
    pub fn key(&self) -> &AnswerKey {
        &self.key
    }

    /// Returns a fingerprint of order and amount, to compare repeats by: 64 hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let amount = self.message.text("pg_payment_amount").unwrap_or_default();
        let amount = match amount.parse::<Decimal>() {
            Ok(decimal) => decimal.to_string(),
            Err(_) => amount.to_owned(),
        };
        fingerprint([self.message.text("pg_order_id").unwrap_or_default(), amount.as_str()])
    }

    /// Returns the id of the merchant's payout.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, or there twice.
    pub fn order_id(&self) -> Result<&str, FieldError> {
        self.message.text("pg_order_id")
    }

    /// Returns the text of a field. A date has no zone, so it stays a text.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, stands there more than once, or is nested.
    pub fn text(&self, name: &str) -> Result<&str, FieldError> {
        self.message.text(name)
    }

    /// Returns all fields in their order, known or not.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PgValue)> {
        self.message.iter()
    }

    /// Accepts the report. A payout cannot be rejected.
    pub fn ok(&self, description: &str) -> Decision {
        Decision::new(OwnUrl::Payout, Word::Ok, description)
            .for_message(self.message.salt(), Some(self.key.clone()))
    }
}
