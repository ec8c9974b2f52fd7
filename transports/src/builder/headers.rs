//! The headers that a client adds to each request.
//!
//! Owns the check of those that the caller gives.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, EXPECT, HOST, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::BuildError;

pub(super) fn headers(
    user_agent: &str,
    given: Vec<(HeaderName, HeaderValue)>,
) -> Result<HeaderMap, BuildError> {
    let mut headers = HeaderMap::new();
    headers
        .insert(USER_AGENT, HeaderValue::from_str(user_agent).map_err(|_| BuildError::UserAgent)?);
    for (name, value) in given {
        if RESERVED.contains(&name) {
            return Err(BuildError::Header(name));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

/// Headers that frame a request, say where it goes or who sends it, or change what the service
/// returns. A header set by the caller could split one request into two, or replace a token.
const RESERVED: [HeaderName; 17] = [
    ACCEPT,
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    EXPECT,
    HOST,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    USER_AGENT,
];
