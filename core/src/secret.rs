//! The values that must not leak: credentials, tokens, request bodies.
//!
//! Owns their memory, which is wiped on drop, and keeps them out of outputs: `Debug` is redacted,
//! and they have no `Display`, `PartialEq` or `Serialize`. Does not know how they are obtained.

mod token_id;

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

pub use self::token_id::TokenId;
use crate::text::{TextError, check_line};
use crate::time::{End, Now, Wall};

/// An agent's credentials, as the vendor's support gives them to a partner of the service.
///
/// The secret is wiped from memory on drop. `Debug` prints the agent's id and not the secret.
///
/// ```
/// use imts_core::Credentials;
///
/// let credentials = Credentials::new("agent-7", "s3cret")?;
/// assert_eq!(format!("{credentials:?}"), r#"Credentials { agent_id: "agent-7", .. }"#);
/// # Ok::<(), imts_core::secret::CredentialsError>(())
/// ```
pub struct Credentials {
    agent_id: String,
    agent_secret: Zeroizing<String>,
    code: Option<Zeroizing<String>>,
}

impl Credentials {
    /// Takes an agent's id and secret as the service knows them (published: both are required
    /// strings; no lengths are printed). Nothing is cut off: read a file or a variable with
    /// [`text::line`](crate::text::line), which leaves out the line break at its end.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] names the one that is blank, or has a line break, a control character or
    /// an invisible one. So a value that was copied badly is not sent: accounts get locked.
    pub fn new(
        agent_id: impl Into<String>,
        agent_secret: impl Into<String>,
    ) -> Result<Self, CredentialsError> {
        let agent_secret = Zeroizing::new(agent_secret.into());
        let agent_id = agent_id.into();
        check_line(&agent_id).map_err(CredentialsError::AgentId)?;
        check_line(&agent_secret).map_err(CredentialsError::Secret)?;
        Ok(Self { agent_id, agent_secret, code: None })
    }

    /// Adds a code that works for one sign-in, for a service that signs in with one.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Code`] if it is blank, or has a line break, a control character or an
    /// invisible one.
    pub fn with_code(self, code: impl Into<String>) -> Result<Self, CredentialsError> {
        let code = Zeroizing::new(code.into());
        check_line(&code).map_err(CredentialsError::Code)?;
        Ok(Self { code: Some(code), ..self })
    }

    /// Returns the agent's id, which is not secret.
    #[must_use]
    pub fn agent_id(&self) -> &str {
        &self.agent_id
    }

    pub(crate) fn expose_secret(&self) -> &str {
        &self.agent_secret
    }

    pub(crate) fn expose_code(&self) -> Option<&str> {
        self.code.as_ref().map(|code| code.as_str())
    }

    /// A hash of all of them. It does not hide them: a short secret can be found by trying.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.agent_id.hash(&mut hasher);
        self.agent_secret.as_str().hash(&mut hasher);
        self.expose_code().hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("agent_id", &self.agent_id).finish_non_exhaustive()
    }
}

/// Why credentials cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The agent's id is not a value of one line.
    #[error("the agent id cannot be used: {0}")]
    AgentId(TextError),
    /// The agent's secret is not a value of one line.
    #[error("the agent secret cannot be used: {0}")]
    Secret(TextError),
    /// The code for one sign-in is not a value of one line.
    #[error("the code for the sign-in cannot be used: {0}")]
    Code(TextError),
}

/// How long a session keeps the credentials that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Until sign-out: the session signs in by itself whenever a refresh does not help.
    Always,
    /// For one sign-in, which is due at once. They are kept until the service accepts or refuses
    /// them.
    Once,
}

/// The access token, as it goes into `Authorization: Bearer …`.
///
/// It was usable when the session yielded it. Cloning is cheap and allocates nothing. The bytes are
/// wiped when the last clone is dropped.
#[derive(Clone)]
pub struct Bearer {
    header: HeaderValue,
    epoch: Epoch,
    end: End,
}

const SCHEME: &str = "Bearer ";

impl Bearer {
    pub(crate) fn new(header: HeaderValue, epoch: Epoch, end: End) -> Self {
        Self { header, epoch, end }
    }

    /// Returns the ready value of the `Authorization` header, marked sensitive.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// Returns the access token itself. The caller is then responsible for where it is printed or
    /// stored.
    #[must_use]
    pub fn expose_token(&self) -> &str {
        self.header.to_str().ok().and_then(|value| value.get(SCHEME.len()..)).unwrap_or_default()
    }

    /// Returns which grant of its session this is. Pass it to
    /// [`Session::reject`](crate::Session::reject) when the service rejects the token.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns how long the token may still be used, by the clock that leaves less. Zero once it is
    /// dead.
    #[must_use]
    pub fn remaining(&self, now: Now) -> Duration {
        self.end.remaining(now)
    }

    /// Returns when the token ends, by this machine's wall clock.
    #[must_use]
    pub fn ends_at(&self) -> Wall {
        self.end.wall()
    }

    pub(crate) fn end(&self) -> End {
        self.end
    }

    pub(crate) fn has_token_of(&self, header: &HeaderValue) -> bool {
        self.header == header
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Counts the grants of one session. It is never reused within the session, and means nothing
/// outside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Returns the count, for logs. The session's first grant is 1.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }
}

/// A stored token. It leaves the crate only in a request or in a saved state.
#[derive(Clone)]
pub(crate) struct Token(Zeroizing<Box<str>>);

impl Token {
    pub(crate) fn new(token: &str) -> Self {
        Self(Zeroizing::new(token.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The longest accepted token, in bytes.
pub(crate) const MAX_TOKEN: usize = 8_192;

/// Whether a token can be put into a header unchanged: 1 to 8,192 bytes of visible ASCII.
pub(crate) fn is_token(token: &str) -> bool {
    // The loop has no early exit, so that it can handle many bytes at once.
    let is_visible = || token.bytes().fold(true, |so_far, byte| so_far & byte.is_ascii_graphic());
    (1..=MAX_TOKEN).contains(&token.len()) && is_visible()
}

/// The bytes of a request's body. They are wiped when the last clone is dropped.
///
/// It is its own type because `http::Request` prints its body in `Debug`, and these bodies hold
/// credentials. The `Debug` of this type prints the length.
#[derive(Clone, Default)]
pub struct Body(Bytes);

impl Body {
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(wiped(bytes))
    }

    /// Returns whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the bytes, to pass to an HTTP client. They share memory with this body and are wiped
    /// with it. A copy that the client makes is not wiped.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl From<Vec<u8>> for Body {
    /// Takes the bytes without copying them.
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(Zeroizing::new(bytes))
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// The header value `Bearer TOKEN`, marked sensitive and wiped on drop. `None` if the token is not
/// visible ASCII.
pub(crate) fn bearer_header(token: &str) -> Option<HeaderValue> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(SCHEME.len().saturating_add(token.len())));
    bytes.extend_from_slice(SCHEME.as_bytes());
    bytes.extend_from_slice(token.as_bytes());
    let mut value = HeaderValue::from_maybe_shared(wiped(bytes)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header value `Basic …` of RFC 7617, marked sensitive and wiped on drop.
pub(crate) fn basic_header(credentials: &Credentials) -> Option<HeaderValue> {
    let (id, secret) = (credentials.agent_id().as_bytes(), credentials.expose_secret().as_bytes());
    let mut pair =
        Zeroizing::new(Vec::with_capacity(id.len().saturating_add(secret.len()).saturating_add(1)));
    for part in [id, b":", secret] {
        pair.extend_from_slice(part);
    }
    let groups = pair.len().div_ceil(3).saturating_mul(4);
    let mut bytes = Zeroizing::new(Vec::with_capacity(groups.saturating_add(BASIC.len())));
    bytes.extend_from_slice(BASIC.as_bytes());
    pair.chunks(3).for_each(|group| bytes.extend_from_slice(&base64(group)));
    let mut value = HeaderValue::from_maybe_shared(wiped(bytes)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(crate) const BASIC: &str = "Basic ";

/// Up to three bytes as four characters (RFC 4648, section 4).
fn base64(group: &[u8]) -> [u8; 4] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let byte = |at: usize| group.get(at).copied().unwrap_or_default();
    let bits = u32::from_be_bytes([0, byte(0), byte(1), byte(2)]);
    [18, 12, 6, 0].map(|shift| {
        // The groups of six bits after the last byte are padding.
        let is_padding = matches!((group.len(), shift), (1, 0 | 6) | (2, 0));
        let digit =
            usize::try_from(bits.wrapping_shr(shift) & 63).ok().and_then(|at| DIGITS.get(at));
        if is_padding { b'=' } else { digit.copied().unwrap_or_default() }
    })
}

/// Shares bytes without copying them. The memory is wiped when the last share is dropped.
fn wiped(bytes: Zeroizing<Vec<u8>>) -> Bytes {
    Bytes::from_owner(Wiped(bytes))
}

struct Wiped(Zeroizing<Vec<u8>>);

impl Drop for Wiped {
    /// `clear` makes the whole vector spare capacity. Spare capacity is wiped at once; elements are
    /// wiped one by one.
    fn drop(&mut self) {
        self.0.clear();
        self.0.zeroize();
    }
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
