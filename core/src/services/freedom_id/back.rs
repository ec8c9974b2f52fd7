//! How a user comes back from the link: with a code, or refused.
//!
//! Owns the unguessable value that ties the way back to the browser that left, and what is read of
//! the URL. Draws no random number: the caller does.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use super::query;
use crate::secret::Token;

/// The unguessable value that goes out in `redirect_uri` and must come back.
///
/// Without it anybody could send a user a way back with somebody else's code, and the user would act
/// in that person's account. Freedom ID's OAuth2 pages have no `state`, so it is a parameter of the
/// integrator's own URL. That the service keeps the parameters of a registered URL is assumed.
///
/// Keep it where only that browser has it, such as its session cookie.
///
/// ```
/// use imts_core::services::freedom_id::{BackError, LinkState};
///
/// let random = [7; 32]; // from the system's source of random numbers
/// let state = LinkState::new(random);
/// let back = format!("state={}&authorization_code=abc", state.expose());
/// assert_eq!(state.code(&back)?.expose(), "abc");
///
/// let other = LinkState::new([8; 32]);
/// assert_eq!(other.code(&back).unwrap_err(), BackError::NotOurs);
/// # Ok::<(), BackError>(())
/// ```
#[derive(Clone)]
pub struct LinkState(Token);

impl LinkState {
    /// The name of its parameter.
    pub const PARAMETER: &'static str = "state";

    /// Makes it from 32 random bytes of the system's source. Use them for nothing else.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(64));
        for half in random.iter().flat_map(|byte| [byte.wrapping_shr(4), byte & 15]) {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or_default());
        }
        Self(Token::new(&text))
    }

    /// Takes the value that [`expose`](LinkState::expose) returned: 64 hexadecimal digits. `None`
    /// if it is anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let is_one = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| Self(Token::new(text)))
    }

    /// Returns the value, to be kept with the browser's session.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Reads the code from the URL to which the user came back, or from its query alone.
    ///
    /// # Errors
    ///
    /// [`BackError`] if the value did not come back, the user or the service refused, or there is no
    /// code. Nothing else of the URL is believed before the value is right.
    pub fn code(&self, url: &str) -> Result<AuthorizationCode, BackError> {
        let came = Zeroizing::new(query::value(url, Self::PARAMETER).unwrap_or_default());
        if !is_same(came.as_bytes(), self.expose().as_bytes()) {
            return Err(BackError::NotOurs);
        }
        if let Some(code) = query::value(url, "error_code") {
            let code = code.parse().ok();
            return Err(BackError::Refused { code });
        }
        let code = query::value(url, "authorization_code").map(Zeroizing::new);
        code.and_then(|code| AuthorizationCode::new(&code)).ok_or(BackError::NoCode)
    }
}

impl fmt::Debug for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkState(..)")
    }
}

/// The code that a user brought back. It works once. It is wiped on drop.
#[derive(Clone)]
pub struct AuthorizationCode(Token);

impl AuthorizationCode {
    /// Takes a code that came back. `None` if it is empty.
    pub(super) fn new(code: &str) -> Option<Self> {
        (!code.is_empty()).then(|| Self(Token::new(code)))
    }

    /// Returns the code, for [`Credentials::with_code`](crate::Credentials::with_code).
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationCode(..)")
    }
}

/// Why the way back brought no code. It quotes no text of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BackError {
    /// The unguessable value is missing or another one. Do not sign anybody in: the link was not
    /// made for this browser.
    #[error("the user did not come back from the link that was made for this browser")]
    NotOurs,
    /// The user or the service refused.
    #[error("the sign-in was refused")]
    Refused {
        /// The service's `error_code`, if it is a number. `100102` occurs in a sample URL (draft).
        code: Option<u32>,
    },
    /// The URL has no `authorization_code`, or more than one.
    #[error("the URL has no authorization code")]
    NoCode,
}

/// Compares all bytes, so that the time does not say how many of them are right.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |all, (one, other)| all | (one ^ other));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}
