//! The gateway asks, before it takes money.
//!
//! Owns the answers that a check admits. They are not kept: the gateway may ask again, and the
//! order may have changed since (assumed).

use super::decision::{Decision, Word};
use super::doubt::Doubt;
use super::expected::{Expected, Mismatch};
use super::message::Message;
use crate::sign::pg_sig::{FieldError, OwnUrl, PgValue};

/// A question whether a payment may be taken. No or a late answer counts as a refusal (published).
#[derive(Clone, Debug)]
pub struct Check(Message);

impl Check {
    pub(super) fn new(message: Message) -> Self {
        Self(message)
    }

    /// Returns whether the check is about this order, with this amount and currency.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] says what does not agree, or is missing.
    pub fn agrees(&self, expected: &Expected) -> Result<(), Mismatch> {
        expected.compare(&self.0, "pg_amount")
    }

    /// Returns the id of the merchant's order.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, or there twice.
    pub fn order_id(&self) -> Result<&str, FieldError> {
        self.0.text("pg_order_id")
    }

    /// Returns the text of a field.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if it is missing, stands there more than once, or is nested.
    pub fn text(&self, name: &str) -> Result<&str, FieldError> {
        self.0.text(name)
    }

    /// Returns all fields in their order, known or not.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PgValue)> {
        self.0.iter()
    }

    /// Returns why the message may not say what was signed; see [`Doubt`].
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        self.0.doubt()
    }

    /// Lets the gateway take the payment.
    pub fn ok(&self, description: &str) -> Decision {
        self.decision(Word::Ok, description)
    }

    /// Refuses the payment. The payer sees the description (published).
    pub fn reject(&self, description: &str) -> Decision {
        self.decision(Word::Rejected, description)
    }

    /// Says that the check cannot be answered.
    pub fn error(&self, description: &str) -> Decision {
        self.decision(Word::Error, description)
    }

    fn decision(&self, word: Word, description: &str) -> Decision {
        Decision::new(OwnUrl::Check, word, description).for_message(self.0.salt(), None)
    }
}
