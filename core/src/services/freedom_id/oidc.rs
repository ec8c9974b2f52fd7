//! OpenID Connect with Freedom ID: the URL that a browser opens (published), the token exchange
//! (published, its path printed wrongly), and Userinfo (a name only).
//!
//! Owns what is checked of the way back. The keys of id tokens are unknown, so an id token cannot be
//! verified here: it is read as a hint alone.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::back::is_same;
use super::{AuthorizationCode, BackError, LinkState, UserGrant, link, query};
use crate::endpoint::Endpoint;
use crate::error::{EncodeError, Malformed};
use crate::evidence::Evidence;
use crate::operation::{Auth, Class, Operation, OperationName};
use crate::secret::{Body, Token};
use crate::services::values::FieldError;
use crate::wire::{Object, Success, Text};

/// One sign-in by OpenID Connect: the URL to open, and what must come back.
///
/// ```
/// use imts_core::Endpoint;
/// use imts_core::services::freedom_id::{LinkState, OidcRequest, UserGrant};
///
/// // Two times 32 bytes of the system's source of random numbers.
/// let (state, nonce) = (LinkState::new([7; 32]), LinkState::new([8; 32]));
/// let request = OidcRequest::new("client-1", "https://example.com/back", state, nonce)?
///     .with_grant(&UserGrant::Email);
/// let url = request.url(&Endpoint::https("https://passport.freedompay.kz")?);
/// assert!(url.starts_with("https://passport.freedompay.kz/openid?scope=openid%20read.email&"));
/// assert!(url.contains("&response_type=code&client_id=client-1&"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OidcRequest {
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: LinkState,
    nonce: LinkState,
}

impl OidcRequest {
    /// Takes the client, the URL to which the user comes back, and two unguessable values, each from
    /// random bytes of its own. Keep the request with the browser's session.
    ///
    /// # Errors
    ///
    /// [`FieldError`] if the URL is not `https` (or `http` to this machine), or has a fragment or a
    /// `state` of its own.
    pub fn new(
        client_id: impl Into<String>,
        redirect_uri: &str,
        state: LinkState,
        nonce: LinkState,
    ) -> Result<Self, FieldError> {
        let redirect_uri = link::checked(redirect_uri)?.to_owned();
        let scope = UserGrant::OpenId.as_str().to_owned();
        Ok(Self { client_id: client_id.into(), redirect_uri, scope, state, nonce })
    }

    /// Adds a grant to the scope, which has `openid` from the beginning.
    #[must_use]
    pub fn with_grant(mut self, grant: &UserGrant) -> Self {
        let is_new = self.scope.split(' ').all(|name| name != grant.as_str());
        if is_new {
            self.scope.push(' ');
            self.scope.push_str(grant.as_str());
        }
        self
    }

    /// Returns the URL that the browser opens (published: `/openid` and all six parameters).
    #[must_use]
    pub fn url(&self, endpoint: &Endpoint) -> String {
        let mut url = format!("{endpoint}/openid");
        let parameters = [
            ("scope", self.scope.as_str()),
            ("state", self.state.expose()),
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("nonce", self.nonce.expose()),
        ];
        parameters.into_iter().for_each(|(name, value)| query::push(&mut url, name, value));
        url
    }

    /// Reads the code from the URL to which the user came back, or from its query alone.
    ///
    /// # Errors
    ///
    /// [`BackError`] if the state did not come back, the user or the service refused (`error`, RFC
    /// 6749, section 4.1.2.1), or there is no code.
    pub fn code(&self, url: &str) -> Result<AuthorizationCode, BackError> {
        let came = Zeroizing::new(query::value(url, LinkState::PARAMETER).unwrap_or_default());
        if !is_same(came.as_bytes(), self.state.expose().as_bytes()) {
            return Err(BackError::NotOurs);
        }
        if query::value(url, "error").is_some() {
            return Err(BackError::Refused { code: None });
        }
        let code = query::value(url, "code").map(Zeroizing::new);
        code.and_then(|code| AuthorizationCode::new(&code)).ok_or(BackError::NoCode)
    }

    /// Makes the exchange of the code that came back.
    #[must_use]
    pub fn exchange(&self, code: AuthorizationCode) -> OidcToken {
        OidcToken { code, redirect_uri: self.redirect_uri.clone() }
    }

    /// Reads the claims of an id token **that is not verified**. Take the user from a request to the
    /// service instead.
    ///
    /// # Errors
    ///
    /// [`OidcError`] if the token cannot be read, was made for another client, or its `nonce` is not
    /// the one that was sent. The issuer must be `issuer`, without a slash at its end.
    pub fn hint(&self, tokens: &OidcTokens, issuer: &str) -> Result<IdTokenHint, OidcError> {
        let hint = IdTokenHint::read(tokens.expose_id_token()).ok_or(OidcError::Unreadable)?;
        let nonce = Zeroizing::new(hint.nonce.clone().unwrap_or_default());
        if !is_same(nonce.as_bytes(), self.nonce.expose().as_bytes()) {
            return Err(OidcError::Nonce);
        }
        if hint.audience != self.client_id || hint.issuer != issuer {
            return Err(OidcError::Other);
        }
        Ok(hint)
    }
}

/// Why an id token is not even a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OidcError {
    /// It is not a signed token with the claims of one.
    #[error("the id token cannot be read")]
    Unreadable,
    /// Its nonce is missing or another one: it belongs to another sign-in.
    #[error("the id token belongs to another sign-in")]
    Nonce,
    /// It was made by another issuer, or for another client.
    #[error("the id token was made for another client, or by another service")]
    Other,
}

/// Claims of an id token whose signature nobody checked.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct IdTokenHint {
    /// Who made it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The user's id.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The client for which it was made.
    #[serde(rename = "aud")]
    pub audience: String,
    /// When it ends, in seconds since 1970.
    #[serde(rename = "exp")]
    pub expires_at: u64,
    /// When it was made, in seconds since 1970.
    #[serde(rename = "iat")]
    pub issued_at: u64,
    nonce: Option<String>,
}

impl IdTokenHint {
    fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
        let claims = decoded(claims).filter(|_| parts.next().is_none())?;
        serde_json::from_slice(&claims).ok().map(|Object(hint)| hint)
    }
}

/// Reads base 64 for URLs, without padding (RFC 4648, section 5).
fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in group {
            let value = match digit {
                b'A'..=b'Z' => digit.checked_sub(b'A')?,
                b'a'..=b'z' => digit.checked_sub(b'a')?.checked_add(26)?,
                b'0'..=b'9' => digit.checked_sub(b'0')?.checked_add(52)?,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits = bits.wrapping_shl(6) | u32::from(value);
        }
        let missing = u32::try_from(4_usize.checked_sub(group.len())?).ok()?;
        let whole = bits.wrapping_shl(missing.checked_mul(6)?).to_be_bytes();
        let count = group.len().checked_sub(1).filter(|count| *count > 0)?;
        bytes.extend(whole.iter().skip(1).take(count));
    }
    Some(bytes)
}

/// Exchanges a code for tokens (published; its path `/api/v1/oidc/token` is assumed, because the page
/// prints it wrongly: [`Catalogue::set_path`](crate::Catalogue::set_path) changes it). It carries
/// the client by `Authorization: Basic`, and JSON, where the standard has a form.
///
/// A code works once, so it is never sent again without proof.
#[derive(Clone, Debug)]
pub struct OidcToken {
    code: AuthorizationCode,
    redirect_uri: String,
}

/// The tokens of OpenID Connect. How they are refreshed is unknown, so no session keeps them. They
/// are wiped on drop.
#[derive(Clone)]
pub struct OidcTokens {
    access_token: Token,
    refresh_token: Token,
    id_token: Token,
    token_type: String,
    expires_in: u64,
}

impl OidcTokens {
    /// Returns the access token.
    #[must_use]
    pub fn expose_access_token(&self) -> &str {
        self.access_token.expose()
    }

    /// Returns the refresh token.
    #[must_use]
    pub fn expose_refresh_token(&self) -> &str {
        self.refresh_token.expose()
    }

    /// Returns the id token, which nobody has verified.
    #[must_use]
    pub fn expose_id_token(&self) -> &str {
        self.id_token.expose()
    }

    /// Returns the type of the access token, as printed.
    #[must_use]
    pub fn token_type(&self) -> &str {
        &self.token_type
    }

    /// Returns how long the access token lives from its reply on, in seconds.
    #[must_use]
    pub fn expires_in(&self) -> u64 {
        self.expires_in
    }
}

impl fmt::Debug for OidcTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcTokens").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

impl Operation for OidcToken {
    const NAME: &'static str = "oidc-token";
    const PATH: Option<&'static str> = Some("/api/v1/oidc/token");
    const AUTH: Auth = Auth::Basic;
    const CLASS: Class = Class::Create;
    const EVIDENCE: Evidence = Evidence::Assumed;
    type Reply = OidcTokens;

    fn encode(&self) -> Result<Body, EncodeError> {
        #[derive(Serialize)]
        struct Fields<'a> {
            code: &'a str,
            redirect_uri: &'a str,
            grant_type: &'a str,
        }
        let (code, grant_type) = (self.code.expose(), "authorization_code");
        Body::json(&Fields { code, redirect_uri: &self.redirect_uri, grant_type })
    }

    fn decode(success: Success<'_>) -> Result<OidcTokens, Malformed> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            access_token: Option<Text<'a>>,
            expires_in: Option<u64>,
            #[serde(borrow)]
            refresh_token: Option<Text<'a>>,
            token_type: Option<String>,
            #[serde(borrow)]
            id_token: Option<Text<'a>>,
        }
        let Object(fields): Object<Fields<'_>> = success.payload()?;
        let token = |text: Option<Text<'_>>, field| match text {
            Some(text) if crate::secret::is_token(&text) => Ok(Token::new(&text)),
            Some(_) => Err(Malformed::Token { field }),
            None => Err(Malformed::Missing { field }),
        };
        Ok(OidcTokens {
            access_token: token(fields.access_token, "access_token")?,
            refresh_token: token(fields.refresh_token, "refresh_token")?,
            id_token: token(fields.id_token, "id_token")?,
            token_type: fields.token_type.ok_or(Malformed::Missing { field: "token_type" })?,
            expires_in: fields.expires_in.ok_or(Malformed::Missing { field: "expires_in" })?,
        })
    }
}

/// By its name, returns what is known about the signed-in user. Its page could not be read: give
/// path, fields and reply with [`Custom`](crate::operation::Custom).
#[derive(Clone, Copy, Debug)]
pub enum OidcUserinfo {}

impl OperationName for OidcUserinfo {
    const NAME: &'static str = "oidc-userinfo";
    const CLASS: Class = Class::Read;
}
