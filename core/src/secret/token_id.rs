//! The service's own id of a pair of tokens.
//!
//! Owns its form and how two are compared. Does not know what a revocation does.

use std::fmt;

use super::{Token, is_token};

/// The service's own id of a pair of tokens, such as the one that a revocation names.
///
/// Who knows it can end the session, so it is a secret: it is wiped on drop, and `Debug` does not
/// print it. Letters are compared without their case, because a UUID may be printed in either (RFC
/// 9562, section 4).
///
/// ```
/// use imts_core::secret::TokenId;
///
/// let id = TokenId::new("01953BD1-a6d3-739e-8aa3-83e881f09055").expect("it is one");
/// assert!(TokenId::new("01953bd1-a6d3-739e-8aa3-83e881f09055") == Some(id.clone()));
/// assert_eq!(format!("{id:?}"), "TokenId(..)");
/// assert!(TokenId::new("two words").is_none());
/// ```
#[derive(Clone)]
pub struct TokenId(Token);

impl TokenId {
    /// The longest accepted id, in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// Takes an id of 1 to 128 visible ASCII characters. `None` if it is anything else.
    #[must_use]
    pub fn new(id: &str) -> Option<Self> {
        let is_one = id.len() <= Self::MAX_LENGTH && is_token(id);
        is_one.then(|| Self(Token::new(id)))
    }

    /// Returns the id itself. The caller is then responsible for where it is printed or stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl PartialEq for TokenId {
    /// Compares all characters, so that the time does not say how many of them are right.
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.expose().as_bytes(), other.expose().as_bytes());
        let differs = |(a, b): (&u8, &u8)| a.to_ascii_lowercase() ^ b.to_ascii_lowercase();
        let difference = one.iter().zip(other).map(differs).fold(0, |all, one| all | one);
        one.len() == other.len() && std::hint::black_box(difference) == 0
    }
}

impl Eq for TokenId {}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenId(..)")
    }
}
