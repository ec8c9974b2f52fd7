//! Decides which proxy, if any, a connection goes through.
//!
//! Owns the reading of proxy URLs and, if the caller asks for it, of the environment. A connection
//! to loopback never goes through a proxy. Does not know about connections.

mod exceptions;
pub(crate) mod tunnel;

use std::fmt;
use std::str::FromStr;

use http::uri::Authority;
use http::{HeaderValue, Uri};
use imts_core::text::{self, TextError};
use thiserror::Error;
use zeroize::Zeroizing;

use self::exceptions::Exceptions;
use crate::connect::{ConnectError, Place, bare};

/// A proxy for https, which opens a tunnel by `CONNECT`.
#[derive(Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    is_secure: bool,
    authorization: Option<HeaderValue>,
    exceptions: Exceptions,
}

/// Why a proxy cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The text is not `http://HOST:PORT` or `https://HOST:PORT`, with or without `USER:PASSWORD@`.
    #[error("the proxy's URL is not http://HOST:PORT or https://HOST:PORT")]
    Malformed,
    /// A variable of the environment is not text: its name, and what is wrong with its value.
    #[error("{0} cannot be used: {1}")]
    Variable(&'static str, TextError),
}

impl Proxy {
    /// Creates the proxy at `http://HOST:PORT` or `https://HOST:PORT`. If the URL has a user name
    /// and a password before the host, percent-encoded, they are sent to the proxy as
    /// `Proxy-Authorization`.
    ///
    /// # Errors
    ///
    /// Returns [`ProxyError`] if the URL has another form.
    pub fn new(url: &str) -> Result<Self, ProxyError> {
        Self::parse(url, Exceptions::default()).ok_or(ProxyError::Malformed)
    }

    /// Reads the proxy for https from the environment; `None` if it names none. The proxy is the
    /// first of `HTTPS_PROXY`, `https_proxy`, `ALL_PROXY` and `all_proxy` that is set and not
    /// empty. Hosts that `NO_PROXY` or `no_proxy` lists do not use it: host names with all names
    /// below them, addresses, networks such as `10.0.0.0/8`, or `*`, each alone or with a port, such
    /// as `host.example:8443`. Commas or white space separate them. One byte order mark at the start
    /// of a variable and one line break at its end are not part of it.
    ///
    /// # Errors
    ///
    /// Returns [`ProxyError`] if a variable is set and cannot be used: it is not skipped.
    pub fn from_env() -> Result<Option<Self>, ProxyError> {
        let first = |names: &[&'static str]| {
            let value = |name| std::env::var_os(name).filter(|value| !value.is_empty());
            names.iter().find_map(|name| Some((*name, value(name)?.into_encoded_bytes())))
        };
        let Some((name, url)) = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
        else {
            return Ok(None);
        };
        let url = Zeroizing::new(url);
        let url = text::line(&url).map_err(|error| ProxyError::Variable(name, error))?;
        let exceptions = match first(&["NO_PROXY", "no_proxy"]) {
            None => Exceptions::default(),
            Some((name, list)) => match text::document(&list) {
                Ok(list) => Exceptions::from(list),
                Err(TextError::Blank) => Exceptions::default(),
                Err(error) => return Err(ProxyError::Variable(name, error)),
            },
        };
        Self::parse(url, exceptions).map(Some).ok_or(ProxyError::Malformed)
    }

    fn parse(url: &str, exceptions: Exceptions) -> Option<Self> {
        let uri = url.parse::<Uri>().ok()?;
        let is_secure = match uri.scheme_str()? {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let authority = uri.authority()?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || uri.host()?.is_empty() {
            return None;
        }
        let authorization = match authority.as_str().rsplit_once('@') {
            Some((user, _)) => Some(basic(user)?),
            None => None,
        };
        let (host, port) = (bare(uri.host()?).to_owned(), uri.port_u16()?);
        Some(Self { host, port, is_secure, authorization, exceptions })
    }

    /// Returns where the proxy is.
    pub(crate) fn place(&self) -> Place<'_> {
        Place { host: &self.host, port: self.port, is_secure: self.is_secure }
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    /// Reads what [`Proxy::new`] accepts.
    fn from_str(url: &str) -> Result<Self, ProxyError> {
        Self::new(url)
    }
}

impl Place<'_> {
    /// Returns the given proxy if a connection to this place goes through it. A connection to
    /// loopback never does. One by plain http to the named host may not: the proxy would look the
    /// name up, and nothing here would see its addresses.
    pub(crate) fn proxy<'p>(
        &self,
        given: Option<&'p Proxy>,
    ) -> Result<Option<&'p Proxy>, ConnectError> {
        let used = |proxy: &&Proxy| !self.is_loopback() && !proxy.exceptions.contain(self);
        match given.filter(used) {
            Some(_) if self.is_named() => Err(ConnectError::PlainByProxy),
            proxy => Ok(proxy),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy(..)")
    }
}

/// Returns `HOST:PORT` as a request line and a URL contain it.
pub(crate) fn authority(host: &str, port: u16) -> Option<Authority> {
    let text =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Authority::try_from(text).ok()
}

/// Returns `USER:PASSWORD`, percent-encoded, as the value of `Proxy-Authorization` (RFC 7617).
fn basic(user: &str) -> Option<HeaderValue> {
    let mut pair = unescape(user)?;
    if !user.contains(':') {
        pair.push(b':');
    }
    let mut value = HeaderValue::try_from(format!("Basic {}", base64(&pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Decodes a percent-encoding.
fn unescape(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        };
        bytes.push(byte);
    }
    Some(bytes)
}

/// Encodes base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |n: usize| u32::from(three.get(n).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > three.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Proxy, base64};

    #[test]
    fn base64_is_that_of_the_rfc() {
        // RFC 4648, section 10.
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_user_and_a_password_are_decoded_once() {
        // RFC 7617, section 2, and a password that contains a colon and a percent sign.
        for (url, value) in [
            ("http://Aladdin:open%20sesame@proxy:1", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("http://u:a%3Ab%25@proxy:1", "Basic dTphOmIl"),
            ("http://u@proxy:1", "Basic dTo="),
        ] {
            let proxy: Proxy = url.parse().unwrap();
            let authorization = proxy.authorization.as_ref().unwrap();
            assert_eq!(authorization, value);
            assert!(authorization.is_sensitive());
        }
    }

    #[test]
    fn a_proxy_is_where_its_url_says() {
        let proxy = Proxy::new("https://[::1]:3128/").unwrap();
        let place = proxy.place();
        assert_eq!((place.host, place.port, place.is_secure), ("::1", 3128, true));
        assert!(proxy.authorization.is_none());
    }
}
