//! A host other than this machine that plain http may go to.
//!
//! Owns which names can be such a host, and which addresses one may have. Resolves no name: the
//! transport does, and asks here about each address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

use super::{in_brackets, is_host};

/// A host that plain http may go to, for a sandbox in another container or a service of a CI job.
///
/// It is one name, or one private address, matched exactly. Each address that the name has must be
/// loopback or private, so that the secret does not leave the network. It is never a host of the
/// vendor. The secret is in clear on that network: use it for tests alone.
///
/// ```
/// use std::net::IpAddr;
/// use imts_core::Endpoint;
/// use imts_core::endpoint::PlainHost;
///
/// let sandbox = PlainHost::new("sandbox")?;
/// assert!(Endpoint::plain_named("http://sandbox:8080", &sandbox).is_ok());
/// assert!(Endpoint::plain_named("http://sandbox.example:8080", &sandbox).is_err());
/// assert!(PlainHost::allows("172.18.0.2".parse::<IpAddr>()?));
/// assert!(!PlainHost::allows("203.0.113.7".parse::<IpAddr>()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainHost(Box<str>);

impl PlainHost {
    /// Takes a host name or a private address, as it stands in the URL. An IPv6 address is in
    /// brackets. Upper case is the same as lower case.
    ///
    /// # Errors
    ///
    /// [`PlainHostError`] says why plain http cannot go there.
    pub fn new(host: &str) -> Result<Self, PlainHostError> {
        let host = host.to_ascii_lowercase();
        if host.ends_with('.') {
            return Err(PlainHostError::Dot);
        }
        if !is_host(&host) {
            return Err(PlainHostError::Name);
        }
        let address = in_brackets(&host).map(IpAddr::V6);
        match address.or_else(|| host.parse().map(IpAddr::V4).ok()) {
            Some(address) if !Self::allows(address) => Err(PlainHostError::Address),
            None if host.split('.').any(|label| VENDORS.contains(&label)) => {
                Err(PlainHostError::Vendor)
            }
            _ => Ok(Self(host.into())),
        }
    }

    /// Returns the host as it stands in a URL, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether plain http may go to this address, if the host has it: loopback
    /// (`127.0.0.0/8`, `::1`) or private (`10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16` of RFC
    /// 1918, `fc00::/7` of RFC 4193). An IPv4 address that is mapped into IPv6 is that IPv4 address.
    ///
    /// Link-local addresses are not allowed: clouds serve their machines' credentials there. Nor are
    /// unspecified addresses, nor those that carriers share among customers (`100.64.0.0/10`).
    #[must_use]
    pub fn allows(address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => address.is_loopback() || address.is_private(),
            IpAddr::V6(address) => address == Ipv6Addr::LOCALHOST || address.is_unique_local(),
        }
    }

    /// Takes the host of an endpoint, which was checked when the endpoint was made.
    pub(super) fn of_endpoint(host: &str) -> Self {
        Self(host.into())
    }
}

impl fmt::Display for PlainHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlainHost {
    type Err = PlainHostError;

    /// Reads what [`PlainHost::new`] accepts.
    fn from_str(host: &str) -> Result<Self, PlainHostError> {
        Self::new(host)
    }
}

/// Why plain http cannot go to a host. The caller must name another one, or use https.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlainHostError {
    /// The text is not a host name or an address.
    #[error("it is not a host name or an address: give the URL's host alone, such as sandbox")]
    Name,
    /// The name ends with a dot.
    #[error("it ends with a dot: leave the dot out, here and in the URL")]
    Dot,
    /// The name has a label that is the vendor's.
    #[error("it is a name of the vendor, whose hosts are reached by https only: use https")]
    Vendor,
    /// The address is neither loopback nor private.
    #[error("the address is neither loopback nor private: use https")]
    Address,
}

/// What no label of the name may be: the names of the vendor's domains, today's and the earlier one
/// (published).
const VENDORS: [&str; 2] = ["freedompay", "paybox"];
