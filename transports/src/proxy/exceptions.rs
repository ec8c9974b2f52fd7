//! Owns the list in `NO_PROXY`: the hosts that do not go through a proxy.

use std::net::{IpAddr, SocketAddrV6};

use crate::connect::{Place, bare};

/// Hosts and networks that are reached directly.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug, PartialEq)]
struct Exception {
    hosts: Hosts,
    /// `None` if it holds for every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
enum Hosts {
    All,
    /// This name, and all names below it.
    Name(String),
    /// All addresses that begin with these bits.
    Network(IpAddr, u32),
}

impl Exceptions {
    pub(super) fn contain(&self, place: &Place<'_>) -> bool {
        let address = place.host.parse().ok().as_ref().map(IpAddr::to_canonical);
        self.0.iter().any(|exception| {
            exception.port.is_none_or(|port| port == place.port)
                && match (&exception.hosts, address) {
                    (Hosts::All, _) => true,
                    (Hosts::Network(network, bits), Some(address)) => {
                        begins(address, *network, *bits)
                    }
                    (Hosts::Name(name), None) => is_below(place.host, name),
                    _ => false,
                }
        })
    }
}

impl From<&str> for Exceptions {
    /// Commas, white space or both separate the entries.
    fn from(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter(|entry| !entry.is_empty()).map(Exception::from).collect())
    }
}

impl From<&str> for Exception {
    fn from(entry: &str) -> Self {
        let (host, port) = split_port(entry);
        Self { hosts: Hosts::from(host), port }
    }
}

impl From<&str> for Hosts {
    fn from(host: &str) -> Self {
        if host == "*" {
            return Self::All;
        }
        let (address, bits) = match host.split_once('/') {
            Some((address, bits)) => (address, bits.parse().ok()),
            None => (host, Some(128)),
        };
        match (bare(address).parse::<IpAddr>(), bits) {
            (Ok(address), Some(128)) => Self::Network(address.to_canonical(), 128),
            (Ok(address), Some(bits)) => Self::Network(address, bits),
            _ => Self::Name(host.trim_start_matches("*.").trim_matches('.').to_owned()),
        }
    }
}

/// Splits `HOST` or `HOST:PORT`. An IPv6 address has brackets if a port follows it.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if bare(entry).parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if entry.parse::<SocketAddrV6>().is_ok() || !host.contains(':') => {
            port.parse().map_or((entry, None), |port| (host, Some(port)))
        }
        _ => (entry, None),
    }
}

fn begins(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        // A single address has 128 bits here. Other networks of more than 32 bits do not exist.
        (IpAddr::V4(_), IpAddr::V4(_)) if bits > 32 && bits != 128 => false,
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let rest = 32_u32.saturating_sub(bits);
            u64::from(address.to_bits()) >> rest == u64::from(network.to_bits()) >> rest
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let rest = 128_u32.saturating_sub(bits);
            let first = |address: u128| address.checked_shr(rest).unwrap_or_default();
            first(address.to_bits()) == first(network.to_bits())
        }
        _ => false,
    }
}

fn is_below(host: &str, name: &str) -> bool {
    let (host, name) = (host.trim_end_matches('.').to_ascii_lowercase(), name.to_ascii_lowercase());
    host.strip_suffix(&name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::Exceptions;
    use crate::connect::Place;

    /// Whether a connection to port 443 of this host uses no proxy.
    fn except(list: &str, host: &str) -> bool {
        except_port(list, host, 443)
    }

    fn except_port(list: &str, host: &str, port: u16) -> bool {
        Exceptions::from(list).contain(&Place { host, port, is_secure: true })
    }

    #[test]
    fn names_cover_what_is_below_them_and_networks_their_addresses() {
        let list = "internal.example, .bank.kz,*.pay.kz,10.0.0.0/8,192.0.2.7,2001:db8::/32";
        for host in [
            "internal.example",
            "api.INTERNAL.example",
            "bank.kz",
            "a.b.bank.kz",
            "x.pay.kz",
            "10.1.2.3",
            "192.0.2.7",
            "2001:db8::1",
        ] {
            assert!(except(list, host), "{host}");
        }
        for host in
            ["example", "xinternal.example", "otherbank.kz", "11.0.0.1", "192.0.2.8", "2001:db9::1"]
        {
            assert!(!except(list, host), "{host}");
        }
        let hosts = "internal.example,2001:db8::7,2001:db8:1::/48,10.0.0.1/32";
        for host in ["api.internal.example.", "2001:db8::7", "2001:db8:1:ffff::1", "10.0.0.1"] {
            assert!(except(hosts, host), "{host}");
        }
        for host in ["2001:db8::8", "2001:db8:2::1", "10.0.0.0"] {
            assert!(!except(hosts, host), "{host}");
        }
        assert!(except("*", "anything.example"));
        assert!(!except("", "anything.example"));
        assert!(except("0.0.0.0/0,::/0", "192.0.2.1"));
        assert!(!except("10.0.0.0/33,10.0.0.0/x", "10.0.0.0"), "no such network");
        assert!(except("::ffff:10.0.0.1", "10.0.0.1") && except("10.0.0.1", "::ffff:10.0.0.1"));
    }

    #[test]
    fn an_entry_with_a_port_holds_for_that_port_alone() {
        for (entry, host) in [
            ("api.example:8443", "api.example"),
            ("api.example:8443", "v2.API.example"),
            (".example:8443", "api.example"),
            ("*.example:8443", "api.example"),
            ("*:8443", "api.example"),
            ("192.0.2.7:8443", "192.0.2.7"),
            ("10.0.0.0/8:8443", "10.1.2.3"),
            ("[2001:db8::1]:8443", "2001:db8::1"),
        ] {
            assert!(except_port(entry, host, 8443), "{entry} {host}");
            assert!(!except_port(entry, host, 443), "{entry} {host}");
            assert!(!except_port(entry, "other.test", 8443) || entry == "*:8443", "{entry}");
        }
        for port in [1, 443, 8443] {
            assert!(except_port("[2001:db8::1]", "2001:db8::1", port), "without a port");
        }
        for entry in ["api.example:", "api.example:x", "api.example:99999", ":8443"] {
            assert!(!except_port(entry, "api.example", 8443), "{entry}");
        }
    }

    #[test]
    fn commas_and_any_white_space_separate_entries() {
        for list in ["a.test,b.test", "a.test b.test", "a.test\tb.test", "\na.test ,\r\n, b.test\n"]
        {
            assert!(except(list, "a.test") && except(list, "b.test"), "{list:?}");
            assert!(!except(list, "c.test"), "{list:?}");
        }
    }
}
