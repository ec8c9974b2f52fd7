//! JSON whose fields are not known, kept as text, so that every number stays exact.
//!
//! Owns that text and wipes it. Does not know about operations.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::Malformed;

/// One JSON value, as text. `Debug` prints its length. Its memory is wiped on drop, because it may
/// hold personal data.
///
/// ```
/// use imts_core::operation::Json;
///
/// let json = Json::parse(r#"{"amount": 123456789012345.6789}"#)?;
/// assert_eq!(json.as_str(), r#"{"amount": 123456789012345.6789}"#);
/// # Ok::<(), imts_core::error::Malformed>(())
/// ```
#[derive(Clone)]
pub struct Json(Zeroizing<Box<str>>);

impl Json {
    /// Takes a text that is one JSON value.
    ///
    /// # Errors
    ///
    /// [`Malformed`] says where the text is not JSON.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        serde_json::from_str(text).map_err(|error| Malformed::from(&error))
    }

    /// Takes a text that is known to be one JSON value without white space around it.
    pub(crate) fn known(text: &str) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text as it came, without the white space around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Deserializes it as the caller's type.
    ///
    /// # Errors
    ///
    /// [`Malformed`] says where it does not fit the type.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        serde_json::from_str(self.as_str()).map_err(|error| Malformed::from(&error))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: &RawValue = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(Zeroizing::new(text.into())))
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.as_str().len())
    }
}
