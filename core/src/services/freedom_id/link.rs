//! `POST /api/v1/oauth/authorize` (published): the link that a user follows to sign in.
//!
//! Owns its request and its reply. How the user comes back is in [`back`](super::back).

use http::Uri;
use serde::{Deserialize, Serialize};

use super::{LinkState, UserGrant, query};
use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::operation::{Auth, Class, Operation};
use crate::secret::Body;
use crate::services::values::FieldError;
use crate::wire::{Object, Success, Text};

/// Asks for a link that a user follows to sign in. It carries the client by `Authorization: Basic`,
/// so it needs no session. A repetition makes another link, which does no harm.
///
/// ```
/// use imts_core::Operation;
/// use imts_core::services::freedom_id::{AuthorizationLink, LinkState, UserGrant};
///
/// let state = LinkState::new([7; 32]); // random bytes; keep it with the browser's session
/// let grants = [UserGrant::Email, UserGrant::Phone];
/// let link = AuthorizationLink::new("https://example.com/login", grants, &state)?;
/// let body = link.encode()?;
/// let body = std::str::from_utf8(body.as_ref())?;
/// assert!(body.starts_with(r#"{"redirect_uri":"https://example.com/login?state=0707"#));
/// assert!(body.ends_with(r#","grants":["read.email","read.phone"]}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Serialize)]
pub struct AuthorizationLink {
    redirect_uri: String,
    grants: Vec<UserGrant>,
}

impl AuthorizationLink {
    /// Takes the registered URL to which the user comes back, and what the user is asked to grant.
    /// The value of `state` is added to the URL.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the URL is not `https` (or `http` to this machine, for tests), has a
    /// fragment or a `state` of its own, or if there is no grant.
    pub fn new(
        redirect_uri: &str,
        grants: impl IntoIterator<Item = UserGrant>,
        state: &LinkState,
    ) -> Result<Self, FieldError> {
        let mut redirect_uri = checked(redirect_uri)?.to_owned();
        let grants: Vec<_> = grants.into_iter().collect();
        let grants = FieldError::require(!grants.is_empty(), grants, "grants", "one name or more")?;
        query::push(&mut redirect_uri, LinkState::PARAMETER, state.expose());
        Ok(Self { redirect_uri, grants })
    }
}

impl std::fmt::Debug for AuthorizationLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationLink").field("grants", &self.grants).finish_non_exhaustive()
    }
}

/// A URL to which a user may come back.
pub(super) fn checked(url: &str) -> Result<&str, FieldError> {
    let uri: Option<Uri> = url.parse().ok().filter(|_| !url.contains('#'));
    let is_local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let is_safe = uri.is_some_and(|uri| {
        let host = uri.host().unwrap_or_default();
        let is_plain = uri.scheme_str() == Some("http");
        let has_state = query::value(url, LinkState::PARAMETER).is_some();
        let is_secure = uri.scheme_str() == Some("https") && !host.is_empty();
        !has_state && (is_secure || is_plain && is_local(host))
    });
    FieldError::require(is_safe, url, "redirect_uri", "an https URL without `state` and fragment")
}

/// The link that a user follows. It ends: [`expires_at`](LoginLink::expires_at).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginLink {
    url: String,
}

impl LoginLink {
    /// Returns the URL to which the user's browser must go.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns when the link ends, in seconds since 1970, if it says so (published: in the
    /// example). How long links live is unknown.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        query::value(&self.url, "expire_at")?.parse().ok()
    }
}

impl Operation for AuthorizationLink {
    const NAME: &'static str = "authorize";
    const PATH: Option<&'static str> = Some("/api/v1/oauth/authorize");
    const AUTH: Auth = Auth::Basic;
    const CLASS: Class = Class::Read;
    const EVIDENCE: Evidence = Evidence::Published;
    type Reply = LoginLink;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(self)
    }

    fn decode(success: Success<'_>) -> Result<LoginLink, Malformed> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            redirect_uri: Option<Text<'a>>,
        }
        let Object(Fields { redirect_uri }) = success.payload()?;
        let url = redirect_uri.ok_or(Malformed::Missing { field: "redirect_uri" })?;
        Ok(LoginLink { url: (*url).to_owned() })
    }
}
