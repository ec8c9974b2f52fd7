//! Owns the list in `NO_PROXY`: the hosts that do not go through a proxy.

use std::net::IpAddr;

/// Hosts and networks that are reached directly.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug, PartialEq)]
enum Exception {
    Everything,
    /// This name, and all names below it.
    Name(String),
    /// All addresses that begin with these bits.
    Network(IpAddr, u32),
}

impl Exceptions {
    pub(super) fn contain(&self, host: &str) -> bool {
        let address = host.parse::<IpAddr>().ok();
        self.0.iter().any(|exception| match (exception, address) {
            (Exception::Everything, _) => true,
            (Exception::Network(network, bits), Some(address)) => begins(address, *network, *bits),
            (Exception::Name(name), None) => is_below(host, name),
            _ => false,
        })
    }
}

impl From<&str> for Exceptions {
    fn from(list: &str) -> Self {
        let entries = list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.map(Exception::from).collect())
    }
}

impl From<&str> for Exception {
    fn from(entry: &str) -> Self {
        if entry == "*" {
            return Self::Everything;
        }
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, bits.parse().ok()),
            None => (entry, Some(128)),
        };
        match (address.parse(), bits) {
            (Ok(address), Some(bits)) => Self::Network(address, bits),
            _ => Self::Name(entry.trim_start_matches("*.").trim_matches('.').to_owned()),
        }
    }
}

fn begins(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
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

    #[test]
    fn names_cover_what_is_below_them_and_networks_their_addresses() {
        let list = "internal.example, .bank.kz,*.pay.kz,10.0.0.0/8,192.0.2.7,2001:db8::/32";
        let exceptions = Exceptions::from(list);
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
            assert!(exceptions.contain(host), "{host}");
        }
        for host in
            ["example", "xinternal.example", "otherbank.kz", "11.0.0.1", "192.0.2.8", "2001:db9::1"]
        {
            assert!(!exceptions.contain(host), "{host}");
        }
        let hosts = Exceptions::from("internal.example,2001:db8::7,2001:db8:1::/48,10.0.0.1/32");
        for host in ["api.internal.example.", "2001:db8::7", "2001:db8:1:ffff::1", "10.0.0.1"] {
            assert!(hosts.contain(host), "{host}");
        }
        for host in ["2001:db8::8", "2001:db8:2::1", "10.0.0.0"] {
            assert!(!hosts.contain(host), "{host}");
        }
        assert!(Exceptions::from("*").contain("anything.example"));
        assert!(!Exceptions::default().contain("anything.example"));
        assert!(Exceptions::from("0.0.0.0/0,::/0").contain("192.0.2.1"));
    }
}
