//! Which hosts are this machine, and which addresses belong to a private network.
//!
//! Owns what every connection has in common, whatever is spoken over it. Does not know what may be
//! sent in clear: the caller decides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const LOCALHOST: &str = "localhost";

/// Whether no other machine can answer at this host. An IPv6 address has no brackets.
pub(crate) fn is_this_machine(host: &str) -> bool {
    host == LOCALHOST || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Returns the addresses for which no resolver is asked: those of an address, and of `localhost`. A
/// resolver that answers for that name would decide where a secret goes.
pub(crate) fn without_lookup(host: &str) -> Option<Vec<IpAddr>> {
    match host {
        LOCALHOST => Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]),
        host => Some(vec![host.parse().ok()?]),
    }
}

/// Whether an address belongs to this machine or to a private network (RFC 1918, RFC 4193).
#[cfg(any(feature = "_postgres", feature = "store-redis"))]
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}
