//! The gateway reports how a payment ended.
//!
//! Owns when a payment is proved, and which answers a report admits. Does not know the merchant's
//! orders.

use super::decimal::Decimal;
use super::decision::{Alarm, Decision, Delivery, Rejection, Word};
use super::doubt::Doubt;
use super::expected::{Expected, Mismatch};
use super::key::{AnswerKey, fingerprint};
use super::message::Message;
use crate::sign::pg_sig::{FieldError, OwnUrl, PgValue};

/// The result of a payment, as the gateway reports it. It may come several times (published).
#[derive(Clone, Debug)]
pub struct PaymentResult {
    message: Message,
    key: AnswerKey,
}

/// What the result of a payment proves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The order was paid.
    Paid(Paid),
    /// The order was not paid by this payment. Another payment of the same order may follow.
    NotPaid(NotPaid),
    /// The message is not about what was expected. Do not deliver.
    Mismatch(Mismatch),
    /// The message may not say what was signed. Ask the service for the status before you act.
    AskStatus(Doubt),
}

/// Proof that an order was paid: the signature is right, `pg_result` is 1, and order, amount and
/// currency are the expected ones. Only [`PaymentResult::verdict`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    payment_id: String,
    is_test: bool,
    is_captured: Option<bool>,
}

impl Paid {
    /// Returns the payment's id: what an own record of the payment is best kept under.
    #[must_use]
    pub fn payment_id(&self) -> &str {
        &self.payment_id
    }

    /// Returns whether it was a payment in testing mode, without money. Deliver nothing for it.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.is_test
    }

    /// Returns whether the money was taken (`true`), or only held for a later clearing (`false`).
    /// `None` if the message does not say.
    #[must_use]
    pub fn is_captured(&self) -> Option<bool> {
        self.is_captured
    }
}

/// How a payment ended that paid nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPaid {
    /// `pg_result` is 0.
    Failed,
    /// `pg_result` is 2: it is not completed.
    NotCompleted,
}

impl PaymentResult {
    pub(super) fn new(message: Message) -> Self {
        let ends = [message.number("pg_payment_id"), message.text("pg_result").ok()];
        let key = match (message.doubt(), ends) {
            (None, [Some(payment), Some(result)]) => AnswerKey::of("result", payment, result),
            _ => AnswerKey::doubtful("result", &message.fields),
        };
        Self { message, key }
    }

    /// Says what the message proves about an order.
    ///
    /// It is [`Verdict::Paid`] only if nothing is in doubt, `pg_result` is exactly 1, and order,
    /// amount and currency agree. No other field says so, `pg_status` least of all.
    pub fn verdict(&self, expected: &Expected) -> Verdict {
        if let Some(doubt) = self.doubt() {
            return Verdict::AskStatus(doubt);
        }
        if let Err(mismatch) = expected.compare(&self.message, "pg_amount") {
            return Verdict::Mismatch(mismatch);
        }
        let payment = self.message.number("pg_payment_id");
        match (self.message.text("pg_result"), payment) {
            (Ok("1"), Some(payment)) => Verdict::Paid(Paid {
                payment_id: payment.to_owned(),
                is_test: self.flag("pg_testing_mode") == Some(true),
                is_captured: self.flag("pg_captured"),
            }),
            (Ok("0"), _) => Verdict::NotPaid(NotPaid::Failed),
            (Ok("2"), _) => Verdict::NotPaid(NotPaid::NotCompleted),
            (_, None) => Verdict::AskStatus(Doubt::Missing { field: "pg_payment_id" }),
            _ => Verdict::AskStatus(Doubt::Missing { field: "pg_result" }),
        }
    }

    /// Returns why the message may not say what was signed; see [`Doubt`].
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        let missing = |field| match self.message.text(field) {
            Ok(_) => None,
            Err(_) => Some(Doubt::Missing { field }),
        };
        self.message.doubt().or_else(|| missing("pg_payment_id")).or_else(|| missing("pg_result"))
    }

    /// Returns the key under which the first answer is kept.
    #[must_use]
    pub fn key(&self) -> &AnswerKey {
        &self.key
    }

    /// Returns a fingerprint of order, amount and currency, to compare repeats by: 64 hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let amount = self.message.text("pg_amount").unwrap_or_default();
        let amount = match amount.parse::<Decimal>() {
            Ok(decimal) => decimal.to_string(),
            Err(_) => amount.to_owned(),
        };
        let text = |name| self.message.text(name).unwrap_or_default();
        fingerprint([text("pg_order_id"), amount.as_str(), text("pg_currency")])
    }

    /// Returns the id of the merchant's order.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, or there twice.
    pub fn order_id(&self) -> Result<&str, FieldError> {
        self.message.text("pg_order_id")
    }

    /// Returns the payment's id.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, or there twice.
    pub fn payment_id(&self) -> Result<&str, FieldError> {
        self.message.text("pg_payment_id")
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

    /// Accepts the report.
    pub fn ok(&self, description: &str) -> Decision {
        self.decision(Word::Ok, description)
    }

    /// Says that the report cannot be used. The gateway keeps the payment as it is (published).
    pub fn error(&self, description: &str) -> Decision {
        self.decision(Word::Error, description)
    }

    /// Returns the right to reject the payment; `None` if the gateway would ignore it. That is so
    /// unless `pg_can_reject` is 1 and this is the first delivery.
    #[must_use]
    pub fn rejection(&self, delivery: Delivery) -> Option<Rejection> {
        match delivery {
            Delivery::First(first) if self.flag("pg_can_reject") == Some(true) => {
                let (salt, key) = (self.message.salt(), self.key.clone());
                Some(Rejection { _first: first, salt, key })
            }
            _ => None,
        }
    }

    /// Refuses a payment that is not wanted, such as one of an unknown order. If it can be rejected,
    /// it is. Otherwise the report is accepted, with the alarm [`Alarm::RefundByHand`] if
    /// `pg_result` is not that of a payment that took nothing.
    pub fn refuse(&self, delivery: Delivery, description: &str) -> Decision {
        if let Some(rejection) = self.rejection(delivery) {
            return rejection.reject(description);
        }
        let accepted = self.ok(description);
        let took_nothing = self.doubt().is_none() && self.message.text("pg_result") == Ok("0");
        match took_nothing {
            true => accepted,
            false => accepted.with_alarm(Alarm::RefundByHand { key: self.key.clone() }),
        }
    }

    fn decision(&self, word: Word, description: &str) -> Decision {
        Decision::new(OwnUrl::Result, word, description)
            .for_message(self.message.salt(), Some(self.key.clone()))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.message.text(name) {
            Ok("1") => Some(true),
            Ok("0") => Some(false),
            _ => None,
        }
    }
}
