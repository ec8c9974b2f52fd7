//! Any text as a base URL, and any as a path to join to it.
//!
//! An input is two lines: the URL, the path. What begins with `=` is put together from parts, a line
//! each: host, port, path of the URL, path to join, scheme, user name. A part that is empty has a good
//! value or is left out; any text may stand in each.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;
use imts_core::Endpoint;
use imts_core::endpoint::{EndpointError, ServicePath};

use crate::{Ran, Target};

/// This target.
pub const TARGET: Target =
    Target { name: "endpoint", goal: "a URL under an accepted endpoint", run };

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let text = String::from_utf8_lossy(data);
    let (structured, url, path) = match text.strip_prefix('=') {
        Some(parts) => {
            let (url, path) = put_together(parts);
            (true, url, path)
        }
        None => match text.split_once('\n') {
            Some((url, path)) => (false, url.to_owned(), path.to_owned()),
            None => (false, text.as_ref().to_owned(), "/a".to_owned()),
        },
    };
    let secure = Endpoint::https(&url);
    let local = Endpoint::plain_loopback(&url);
    let path = ServicePath::new(path);
    match (&secure, &local) {
        (Ok(secure), local) => {
            assert_eq!(Ok(secure), local.as_ref(), "what is good for https is good for both");
            assert!(secure.as_str().starts_with("https://"));
        }
        (Err(EndpointError::NotHttps), Ok(local)) => assert_loopback(local),
        (Err(EndpointError::NotHttps), Err(error)) => {
            assert_ne!(*error, EndpointError::NotHttps, "the one reason not to name");
        }
        (Err(error), local) => assert_eq!(Err(error), local.as_ref(), "one URL, one fault"),
    }
    let Ok(endpoint) = local else { return Ran { structured, deepest: false } };
    check_canonical(&url, &endpoint);
    let Ok(path) = path else { return Ran { structured, deepest: false } };
    check_joined(&endpoint, &path);
    Ran { structured, deepest: true }
}

/// A URL, and a path to join to it.
fn put_together(parts: &str) -> (String, String) {
    let mut parts = parts.split('\n').map(|part| Some(part).filter(|part| !part.is_empty()));
    let mut next = || parts.next().flatten();
    let host = next().unwrap_or("host.example");
    let port = next().map(|port| format!(":{port}")).unwrap_or_default();
    let path = next().map(|path| format!("/{path}")).unwrap_or_default();
    let join = next().map_or("/a".to_owned(), |path| format!("/{path}"));
    let scheme = next().unwrap_or("https");
    let user = next().map(|user| format!("{user}@")).unwrap_or_default();
    (format!("{scheme}://{user}{host}{port}{path}"), join)
}

/// Plain http stays on this machine, for any reader of the URL.
fn assert_loopback(endpoint: &Endpoint) {
    let uri: Uri = endpoint.as_str().parse().expect("an endpoint is a URL");
    let host = uri.host().expect("an endpoint has a host");
    let inside = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host == "localhost"
        || host.parse().is_ok_and(|address: Ipv4Addr| address.octets()[0] == 127)
        || inside.parse().is_ok_and(|address: Ipv6Addr| address == Ipv6Addr::LOCALHOST);
    assert!(is_loopback, "{endpoint} is plain http to another machine");
}

/// There is one form for one place. The `http` crate reads the same host and port, and reading the
/// form again changes nothing.
fn check_canonical(url: &str, endpoint: &Endpoint) {
    let canonical = endpoint.as_str();
    assert_eq!(Endpoint::plain_loopback(canonical).as_ref(), Ok(endpoint), "a fixed point");
    assert!(canonical.is_ascii() && canonical.len() <= url.len(), "{canonical}");
    assert!(!canonical.ends_with('/') && !canonical.contains(['?', '#', '\\', '%']));
    let uri: Uri = canonical.parse().expect("an endpoint is a URL");
    assert!(uri.authority().is_some_and(|authority| !authority.as_str().contains('@')));
    let host = uri.host().expect("an endpoint has a host");
    assert!(!host.is_empty() && host == host.to_ascii_lowercase());
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    assert_ne!(uri.port_u16(), Some(default), "a default port is left out");
    let given: Uri = url.parse().expect("what is accepted is a URL to others as well");
    assert_eq!(given.host().map(str::to_ascii_lowercase).as_deref(), Some(host), "{url}");
    assert_eq!(given.port_u16().unwrap_or(default), uri.port_u16().unwrap_or(default), "{url}");
    assert_eq!(given.scheme_str(), uri.scheme_str());
    let path = uri.path().trim_end_matches('/');
    assert_eq!(given.path().strip_suffix('/').unwrap_or(given.path()), path, "{url}");
}

/// What is joined has the endpoint's scheme, host and port, and its path in front.
fn check_joined(endpoint: &Endpoint, path: &ServicePath) {
    assert_eq!(ServicePath::new(path.as_str()).as_ref(), Ok(path), "a fixed point");
    let Ok(joined) = endpoint.join(path) else {
        panic!("{endpoint} and {path} make no URL");
    };
    let base: Uri = endpoint.as_str().parse().expect("an endpoint is a URL");
    assert_eq!(joined.scheme(), base.scheme());
    assert_eq!(joined.authority(), base.authority());
    assert_eq!(joined.query(), None);
    let under = joined.path().strip_prefix(base.path().trim_end_matches('/'));
    assert_eq!(under, Some(path.as_str()), "{endpoint} and {path}");
    assert!(joined.path().split('/').skip(1).all(|segment| !matches!(segment, "" | "." | "..")));
}
