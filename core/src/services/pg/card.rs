//! A card, in the fields of the Gateway.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::services::values::{Cvc, FieldError, Hidden, Pan};

/// A card that is charged or saved. `Debug` shows none of it.
#[derive(Clone, Debug, Serialize)]
pub struct GatewayCard {
    #[serde(rename = "pg_card_name")]
    name: Hidden,
    #[serde(rename = "pg_card_pan")]
    pan: Pan,
    #[serde(rename = "pg_card_cvc")]
    cvc: Cvc,
    #[serde(rename = "pg_card_year")]
    year: CardExpiry,
    #[serde(rename = "pg_card_month")]
    month: CardExpiry,
}

impl GatewayCard {
    /// Takes the holder's name, the number, the code, and the last year and month in which the card is
    /// valid.
    #[must_use]
    pub fn new(name: Hidden, pan: Pan, cvc: Cvc, year: CardExpiry, month: CardExpiry) -> Self {
        Self { name, pan, cvc, year, month }
    }
}

/// The year or the month of a card's end: two digits (published).
#[derive(Clone)]
pub struct CardExpiry(Zeroizing<String>);

impl FromStr for CardExpiry {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let ok = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let digits = Self(Zeroizing::new(text.to_owned()));
        FieldError::require(ok, digits, "pg_card_year or pg_card_month", "two digits")
    }
}

impl fmt::Debug for CardExpiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardExpiry(..)")
    }
}

impl Serialize for CardExpiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
