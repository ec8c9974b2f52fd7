//! Reads from a URL where a request goes, and which part of the URL is sent.

use std::mem;

use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};

use super::pool::Key;
use super::runtime::Home;

/// Reduces a request's URL to the part that is sent (RFC 9112, section 3.2.1), and returns the
/// whole URL.
pub(super) fn origin_form(uri: &mut Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
    mem::replace(uri, Uri::from(path))
}

/// Returns where a URL leads to.
pub(super) fn key(uri: &Uri, home: Home) -> Option<Key> {
    let (scheme, authority) = (uri.scheme()?.clone(), uri.authority()?.clone());
    Some(Key { scheme, authority, home })
}

/// Returns the value of the header `Host` for a URL (RFC 9110, section 7.2): without user and
/// default port.
pub(super) fn host(uri: &Uri) -> Option<HeaderValue> {
    let default = match uri.scheme_str()? {
        "https" => 443,
        _ => 80,
    };
    let host = uri.host()?;
    match uri.port_u16().filter(|port| *port != default) {
        Some(port) => HeaderValue::try_from(format!("{host}:{port}")).ok(),
        None => HeaderValue::from_str(host).ok(),
    }
}
