//! Where connections may go, and why one could not be opened: both ready-made transports follow
//! this.
//!
//! Owns the rule: https anywhere, plain http only to loopback and to one named host, loopback never
//! through a proxy or a resolver, and the named host never through a proxy. Does no I/O. Does not
//! know about requests.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use imts_core::endpoint::PlainHost;
use rustls::pki_types::ServerName;
use thiserror::Error;

use crate::host::{is_this_machine, without_lookup};

/// One end of a connection: the host, the port, and whether it uses TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// A name, or an address without brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) is_secure: bool,
}

impl<'a> Place<'a> {
    /// Returns where a URL points, if a secret may go there. Plain http may go to the named host,
    /// if [`check`](Self::check) allows its addresses.
    pub(crate) fn of(uri: &'a Uri, named: Option<&PlainHost>) -> Result<Self, ConnectError> {
        let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let host = uri.host().unwrap_or_default();
        let place = Self { host: bare(host), port, is_secure };
        let is_named = || named.is_some_and(|named| named.as_str() == host);
        if place.is_secure || place.is_loopback() || is_named() {
            return Ok(place);
        }
        Err(ConnectError::PlainHttp)
    }

    /// Returns whether it is the named host, which plain http may reach if each address allows it.
    pub(crate) fn is_named(&self) -> bool {
        !self.is_secure && !self.is_loopback()
    }

    /// Checks the addresses to which connections are about to be opened: a name that has a public
    /// one today may lead there, whatever it had before.
    pub(crate) fn check(&self, addresses: &[SocketAddr]) -> Result<(), ConnectError> {
        let outside = addresses.iter().find(|address| !PlainHost::allows(address.ip()));
        match outside.filter(|_| self.is_named()) {
            Some(address) => Err(ConnectError::NotPrivate(address.ip())),
            None => Ok(()),
        }
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_this_machine(self.host)
    }

    /// Returns the addresses for which no resolver is asked.
    pub(crate) fn addresses(&self) -> Option<Vec<SocketAddr>> {
        let hosts = without_lookup(self.host)?;
        Some(hosts.into_iter().map(|host| SocketAddr::new(host, self.port)).collect())
    }

    /// Returns the name that a certificate must be for.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, ConnectError> {
        ServerName::try_from(self.host.to_owned()).map_err(|_| ConnectError::Host)
    }
}

/// Returns a URL's host; an IPv6 address has no brackets.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// How long a connection may take to open, unless the caller sets another limit.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why no connection was opened: not one byte of a request was given to a connection.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("plain http to another machine would send the secret in clear: use https")]
    PlainHttp,
    #[error(
        "plain http goes to loopback or private addresses only, and the named host has {0}: use \
         https, or correct the name's addresses"
    )]
    NotPrivate(IpAddr),
    #[error(
        "plain http to the named host does not go through a proxy: except the host from the proxy, \
         such as by NO_PROXY"
    )]
    PlainByProxy,
    #[cfg(feature = "hyper-util")]
    #[error("the addresses of the named host are not known: give the transport a resolver")]
    NoResolver,
    #[error("the URL's host is not a name that a certificate can have")]
    Host,
    #[error(transparent)]
    Tcp(BoxedError),
    #[error("the proxy did not open a connection")]
    Proxy(#[source] BoxedError),
    #[error("TLS handshake failed")]
    Tls(#[source] io::Error),
    /// Each of several addresses failed, each for its own reason.
    #[error("no connection to any address of the host: {0}")]
    Each(String),
    #[error(transparent)]
    TimedOut(Late),
}

/// No connection was opened in time.
#[derive(Debug)]
pub(crate) struct Late {
    limit: Duration,
    report: String,
}

impl Late {
    /// Creates the error. The report says what had become of each address until then, if there were
    /// several.
    pub(crate) fn new(limit: Duration, report: String) -> Self {
        Self { limit, report }
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no connection within {:.1} s", self.limit.as_secs_f64())?;
        if self.report.is_empty() { Ok(()) } else { write!(f, ": {}", self.report) }
    }
}

impl StdError for Late {}

pub(crate) type BoxedError = Box<dyn StdError + Send + Sync>;
