//! The positions of a receipt, whose names are nested in a message.

use serde::Serialize;

use super::Price;
use crate::services::values::{FieldError, Limited};

/// The positions of a receipt: 1 to 10 of them.
///
/// With eleven, the readings of the vendor's sample sort the message in different ways. Such a message
/// is not sent, so it is not made either.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt(Vec<ReceiptPosition>);

impl Receipt {
    /// Takes the positions.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if there is none, or if there are more than 10.
    pub fn new(positions: Vec<ReceiptPosition>) -> Result<Self, FieldError> {
        let ok = (1..=10).contains(&positions.len());
        FieldError::require(ok, Self(positions), "pg_receipt_positions", "1 to 10 positions")
    }
}

/// One position of a receipt.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiptPosition {
    /// How many pieces.
    pub count: u32,
    /// What it is.
    pub name: Limited<255>,
    /// The kind of tax: 0 to 9 (published).
    pub tax_type: u8,
    /// The price of a piece.
    pub price: Price,
}
