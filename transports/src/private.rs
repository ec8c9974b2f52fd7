//! Which addresses belong to a private network, where a program may allow plain connections.

use std::net::IpAddr;

/// Whether an address belongs to this machine or to a private network (RFC 1918, RFC 4193).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}
