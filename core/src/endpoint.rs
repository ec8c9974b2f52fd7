//! Where credentials may be sent: a safe base URL, and paths that stay under it.
//!
//! Owns the checks that keep a secret from being sent unencrypted or to another host. If an
//! [`Endpoint`] exists, credentials may be sent to it. If a [`ServicePath`] exists, it cannot leave
//! its endpoint.

mod parameters;
mod plain_host;

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;
use thiserror::Error;

pub use self::plain_host::{PlainHost, PlainHostError};

/// The longest accepted base URL or path, in bytes.
const MAX_LENGTH: usize = 2_048;

/// The base URL of a service: `https`, or plain `http` to this machine or to one named host.
///
/// It is kept in one canonical form: lower-case host, no default port, no trailing slash. So two
/// endpoints are equal if and only if they name the same place.
///
/// ```
/// use imts_core::Endpoint;
///
/// let endpoint = Endpoint::https("https://Test-API.example:443/gateway/")?;
/// assert_eq!(endpoint.as_str(), "https://test-api.example/gateway");
/// assert!(Endpoint::https("http://test-api.example").is_err());
/// assert!(Endpoint::plain_loopback("http://127.0.0.1:8080").is_ok());
/// # Ok::<(), imts_core::endpoint::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Arc<str>);

impl Endpoint {
    /// Accepts an `https` URL: scheme, host, an optional port, an optional path.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says what is wrong with the URL. Plain `http` is
    /// [`EndpointError::NotHttps`] for any host.
    pub fn https(url: &str) -> Result<Self, EndpointError> {
        let parts = Parts::of(url)?;
        match parts.scheme {
            Scheme::Https => parts.into_endpoint(),
            Scheme::Http => Err(EndpointError::NotHttps),
        }
    }

    /// Accepts what [`Endpoint::https`] accepts. For tests and a local sandbox it also accepts
    /// plain `http` to a loopback address: `127.0.0.0/8`, `[::1]` or `localhost`.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says what is wrong with the URL. Plain `http` to any other host is
    /// [`EndpointError::NotLoopback`].
    pub fn plain_loopback(url: &str) -> Result<Self, EndpointError> {
        let parts = Parts::of(url)?;
        if matches!(parts.scheme, Scheme::Http) && !is_loopback(&parts.host) {
            return Err(EndpointError::NotLoopback);
        }
        parts.into_endpoint()
    }

    /// Accepts what [`Endpoint::https`] accepts, and plain `http` to this one host. The client's
    /// transport must be made for the same host: it checks each address that the host has. See
    /// [`PlainHost`].
    ///
    /// # Errors
    ///
    /// [`EndpointError`] says what is wrong with the URL. Plain `http` to any other host, this
    /// machine included, is [`EndpointError::NotNamed`].
    pub fn plain_named(url: &str, host: &PlainHost) -> Result<Self, EndpointError> {
        let parts = Parts::of(url)?;
        if matches!(parts.scheme, Scheme::Http) && parts.host != host.as_str() {
            return Err(EndpointError::NotNamed);
        }
        parts.into_endpoint()
    }

    /// Returns the host to which the endpoint is plain `http`, unless that is this machine. A
    /// driver connects to it only if [`PlainHost::allows`] each of its addresses.
    #[must_use]
    pub fn plain_host(&self) -> Option<PlainHost> {
        let authority = self.0.strip_prefix("http://")?.split('/').next()?;
        let (host, _) = split_port(authority).ok()?;
        (!is_loopback(host)).then(|| PlainHost::of_endpoint(host))
    }

    /// Returns the base URL in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL of a path under this base. Clones of it share memory.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Malformed`] if the two together do not make a URL.
    pub fn join(&self, path: &ServicePath) -> Result<Uri, EndpointError> {
        let url = format!("{}{}", self.0, path.as_str());
        let uri = Uri::try_from(url).map_err(|_| EndpointError::Malformed)?;
        // The first clone makes the memory shared.
        drop(uri.clone());
        Ok(uri)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Reads what [`Endpoint::https`] accepts. Plain `http` is an error here: it must be asked for
    /// by [`Endpoint::plain_loopback`].
    fn from_str(url: &str) -> Result<Self, EndpointError> {
        Self::https(url)
    }
}

/// An absolute path that stays under the endpoint that it is joined to.
///
/// Some forms could carry a token elsewhere, or to another operation. These are refused: a URL with
/// a scheme or host, `//`, `.` and `..` segments, and percent-escapes (`%2f`, `%2e`). So are a
/// query, a fragment, a backslash, and a control or non-ASCII character.
///
/// A segment such as `:id` is a parameter: each call fills it with the field `id` of its request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServicePath {
    path: Cow<'static, str>,
    /// Whether a segment may be a parameter. Most paths have none, and each call asks.
    may_have_parameters: bool,
}

impl ServicePath {
    /// Accepts a path of one or more segments, such as `/v5/partner/transfer/agent/auth`.
    ///
    /// # Errors
    ///
    /// [`EndpointError::Path`] if the path is not safe.
    pub fn new(path: impl Into<String>) -> Result<Self, EndpointError> {
        let path = path.into();
        let rest = path.strip_prefix('/').ok_or(EndpointError::Path)?;
        if path.len() > MAX_LENGTH || !rest.split('/').all(is_segment) {
            return Err(EndpointError::Path);
        }
        Ok(Self::of(path))
    }

    /// Makes a path of segments that were checked.
    fn of(path: String) -> Self {
        let may_have_parameters = has_colon(&path);
        Self { path: Cow::Owned(path), may_have_parameters }
    }

    /// Makes a path from this crate's own source. The tests check it with [`ServicePath::new`].
    pub(crate) const fn constant(path: &'static str) -> Self {
        Self { path: Cow::Borrowed(path), may_have_parameters: has_colon(path) }
    }

    /// Returns the path with its first slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.path
    }
}

/// Whether a segment begins with a colon.
const fn has_colon(path: &str) -> bool {
    let mut left = path.as_bytes();
    while let [first, rest @ ..] = left {
        if *first == b'/' && matches!(rest, [b':', ..]) {
            return true;
        }
        left = rest;
    }
    false
}

impl FromStr for ServicePath {
    type Err = EndpointError;

    /// Reads what [`ServicePath::new`] accepts.
    fn from_str(path: &str) -> Result<Self, EndpointError> {
        Self::new(path)
    }
}

impl fmt::Display for ServicePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// Why a URL or a path is not safe to send credentials to. The caller must correct it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The URL does not begin with `https://`.
    #[error("the URL has no scheme: write it in full, such as https://host.example")]
    NoScheme,
    /// The scheme is neither `https` nor `http`.
    #[error("the URL's scheme is not supported: use https")]
    Scheme,
    /// Plain `http` would send credentials unencrypted.
    #[error("plain http would send the secret in clear: use https")]
    NotHttps,
    /// Plain `http` is allowed only to loopback, and this is another host.
    #[error(
        "plain http is allowed only to this machine (127.0.0.0/8, [::1], localhost): use https for \
         other hosts"
    )]
    NotLoopback,
    /// Plain `http` is allowed only to the host that was named for it, and this is another host.
    #[error(
        "plain http is allowed only to the host that was named for it: name the URL's host exactly, \
         or use https"
    )]
    NotNamed,
    /// There is a user name or password before the host.
    #[error("the URL has a user name or password before its host: leave it out")]
    UserInfo,
    /// The host is missing, or is not a host name or address.
    #[error("the URL's host is missing or not a host name")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the URL's port is not a number from 1 to 65535")]
    Port,
    /// The base URL has a query or a fragment.
    #[error("the URL has a query or a fragment: leave it out")]
    QueryOrFragment,
    /// A path could lead elsewhere.
    #[error(
        "the path must be /segments that have only letters, digits and -._~!$&'()*+,;=:@, without \
         '..', '//', '%', query or fragment"
    )]
    Path,
    /// The URL is too long, or has characters that a URL cannot have.
    #[error("the URL is longer than 2048 bytes or has characters that a URL cannot have")]
    Malformed,
}

enum Scheme {
    Https,
    Http,
}

/// The checked parts of a base URL.
struct Parts {
    scheme: Scheme,
    host: String,
    port: Option<u16>,
    path: String,
}

impl Parts {
    fn of(url: &str) -> Result<Self, EndpointError> {
        if url.len() > MAX_LENGTH || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(EndpointError::Malformed);
        }
        let (scheme, rest) = url.split_once("://").ok_or(EndpointError::NoScheme)?;
        let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => (Scheme::Https, 443),
            "http" => (Scheme::Http, 80),
            _ => return Err(EndpointError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(EndpointError::QueryOrFragment);
        }
        let (authority, path) = match rest.split_once('/') {
            // One slash at the end is dropped. Two are a segment without a name.
            Some((authority, path)) => match path.strip_suffix('/') {
                Some(before) if !before.is_empty() => (authority, before),
                _ => (authority, path),
            },
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(EndpointError::Host);
        }
        if !path.is_empty() && !path.split('/').all(is_segment) {
            return Err(EndpointError::Path);
        }
        Ok(Self {
            scheme,
            host,
            port: port.filter(|port| *port != default_port),
            path: path.to_owned(),
        })
    }

    fn into_endpoint(self) -> Result<Endpoint, EndpointError> {
        let scheme = match self.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
        };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let slash = if self.path.is_empty() { "" } else { "/" };
        let url = format!("{scheme}://{}{port}{slash}{}", self.host, self.path);
        match Uri::try_from(url.as_str()) {
            Ok(uri) if uri.host() == Some(self.host.as_str()) => Ok(Endpoint(url.into())),
            _ => Err(EndpointError::Malformed),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || in_brackets(host).is_some_and(|address| address.is_loopback())
}

/// Splits `host` or `host:port`. An IPv6 address is in brackets.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => return Ok((authority, None)),
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number != 0 => Ok((host, Some(number))),
        _ => Err(EndpointError::Port),
    }
}

/// Whether the text is an IPv4 or bracketed IPv6 address, or a host name of letters, digits,
/// hyphens and dots.
///
/// A name whose last label is all digits is not accepted: resolvers read `127.1` and `0x7f.1` as
/// addresses.
fn is_host(host: &str) -> bool {
    if host.starts_with('[') {
        return in_brackets(host).is_some();
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let last_is_number = name
        .rsplit('.')
        .next()
        .is_some_and(|label| label.starts_with("0x") || label.bytes().all(|b| b.is_ascii_digit()));
    host.parse::<Ipv4Addr>().is_ok()
        || (host.len() <= 253 && name.split('.').all(is_label) && !last_is_number)
}

fn in_brackets(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// Whether a segment consists of RFC 3986's `pchar` characters without percent-escapes, and is not
/// empty, `.` or `..`.
fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte))
}
