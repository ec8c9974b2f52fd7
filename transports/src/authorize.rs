//! Puts a client's token on a request that is not the client's own.
//!
//! Owns the check of where a token may go, and why a request got none. Does not know about HTTP
//! clients.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use imts_core::{Bearer, Endpoint, Epoch};
use thiserror::Error;

use crate::token_error::TokenError;

/// Why a request got no token. Nothing of the request was sent.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum NoToken {
    /// The client could not return a token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The request would send the token in clear to another machine.
    #[error("plain http to another machine would send the secret in clear: use https")]
    PlainHttp,
}

/// Returns whether a token may go there: over https, or over plain http to this machine. A URL
/// without a scheme leads nowhere by itself, and is allowed.
pub(crate) fn allows(uri: &Uri) -> bool {
    uri.scheme_str().is_none_or(|scheme| allows_url(scheme, uri.host()))
}

/// Returns whether a token may go to this host by this scheme.
pub(crate) fn allows_url(scheme: &str, host: Option<&str>) -> bool {
    let is_loopback = |host| Endpoint::plain_loopback(&format!("http://{host}")).is_ok();
    scheme == "https" || (scheme == "http" && host.is_some_and(is_loopback))
}

/// Puts the token into the header `Authorization`, in place of what is there. Returns its grant.
pub(crate) fn put(headers: &mut HeaderMap, bearer: &Bearer) -> Epoch {
    headers.insert(AUTHORIZATION, bearer.header().clone());
    bearer.epoch()
}
