//! What a caller expects of a message.
//!
//! Owns the comparison of order, amount and currency. Does not know how an order is stored.

use thiserror::Error;

use super::decimal::{Decimal, DecimalError};
use super::message::Message;

/// What the caller's own order says: its id, the amount and the currency.
///
/// ```
/// use imts_core::callback::Expected;
///
/// let expected = Expected::new("23", "20.00", "KZT")?;
/// assert!(Expected::new("23", "twenty", "KZT").is_err());
/// # let _ = expected;
/// # Ok::<(), imts_core::callback::DecimalError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    order: String,
    amount: Decimal,
    currency: String,
}

impl Expected {
    /// Takes the order's id, its amount in the currency's main unit, and the currency's three
    /// letters.
    ///
    /// # Errors
    ///
    /// [`DecimalError`] if the amount is not a decimal number.
    pub fn new(
        order: impl Into<String>,
        amount: &str,
        currency: impl Into<String>,
    ) -> Result<Self, DecimalError> {
        Ok(Self { order: order.into(), amount: amount.parse()?, currency: currency.into() })
    }

    /// Compares a message with what is expected. A field that is missing, or stands there twice,
    /// does not agree.
    pub(super) fn compare(&self, message: &Message, amount: &str) -> Result<(), Mismatch> {
        self.compare_amount(message, amount)?;
        if message.text("pg_currency") != Ok(self.currency.as_str()) {
            return Err(Mismatch::Currency);
        }
        Ok(())
    }

    /// The same without the currency, which a payout's message does not have.
    pub(super) fn compare_amount(&self, message: &Message, amount: &str) -> Result<(), Mismatch> {
        if message.text("pg_order_id") != Ok(self.order.as_str()) {
            return Err(Mismatch::Order);
        }
        let came = message.text(amount).ok().and_then(|text| text.parse::<Decimal>().ok());
        if came.as_ref() != Some(&self.amount) {
            return Err(Mismatch::Amount);
        }
        Ok(())
    }
}

/// What of a message does not agree with what was expected. A missing field does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The order's id.
    #[error("the message is about another order")]
    Order,
    /// The amount, compared as a decimal number.
    #[error("the amount is missing or not the expected one")]
    Amount,
    /// The currency.
    #[error("the currency is missing or not the expected one")]
    Currency,
}
