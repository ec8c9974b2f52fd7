//! Owns the order in which a host's addresses are tried (RFC 8305, section 4).

use std::net::SocketAddr;

/// Returns the addresses without repetitions: both families in turn, each in the resolver's order,
/// and the one that worked last in front. Addresses beyond [`MOST`] are left out.
pub(super) fn interleaved(
    addresses: Vec<SocketAddr>,
    worked: Option<SocketAddr>,
) -> Vec<SocketAddr> {
    let mut unique = Vec::with_capacity(addresses.len().min(MOST));
    let first = worked.filter(|worked| addresses.contains(worked));
    for address in first.into_iter().chain(addresses) {
        if !unique.contains(&address) && unique.len() < MOST {
            unique.push(address);
        }
    }
    let leads_v6 = unique.first().is_some_and(SocketAddr::is_ipv6);
    let (leading, other): (Vec<_>, Vec<_>) =
        unique.into_iter().partition(|address| address.is_ipv6() == leads_v6);
    let (mut leading, mut other) = (leading.into_iter(), other.into_iter());
    let mut order = Vec::with_capacity(leading.len() + other.len());
    loop {
        let pair = [leading.next(), other.next()];
        if pair == [None, None] {
            return order;
        }
        order.extend(pair.into_iter().flatten());
    }
}

/// The most addresses of one host that are tried. With 250 ms from one to the next, more would only
/// hide a failure for longer.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{MOST, interleaved};

    fn all(hosts: &[&str]) -> Vec<SocketAddr> {
        hosts.iter().map(|host| SocketAddr::new(host.parse().unwrap(), 443)).collect()
    }

    #[test]
    fn families_take_turns_and_the_resolvers_first_choice_leads() {
        for (given, order) in [
            (&["::1", "::2", "::3", "1.1.1.1"][..], &["::1", "1.1.1.1", "::2", "::3"][..]),
            (&["1.1.1.1", "::1", "::2", "2.2.2.2"], &["1.1.1.1", "::1", "2.2.2.2", "::2"]),
            (&["1.1.1.1", "2.2.2.2"], &["1.1.1.1", "2.2.2.2"]),
            (&["1.1.1.1", "1.1.1.1", "::1", "::1"], &["1.1.1.1", "::1"]),
            (&[], &[]),
        ] {
            assert_eq!(interleaved(all(given), None), all(order), "{given:?}");
        }
    }

    #[test]
    fn what_worked_leads_if_the_host_still_has_it() {
        let given = all(&["::1", "1.1.1.1", "2.2.2.2"]);
        let worked = |host: &str| Some(SocketAddr::new(host.parse().unwrap(), 443));
        let order = interleaved(given.clone(), worked("2.2.2.2"));
        assert_eq!(order, all(&["2.2.2.2", "::1", "1.1.1.1"]));
        assert_eq!(
            interleaved(given.clone(), worked("9.9.9.9")),
            all(&["::1", "1.1.1.1", "2.2.2.2"])
        );
    }

    #[test]
    fn a_host_with_many_addresses_has_a_few_of_them_tried() {
        let many = (0..1_000_u32).map(|n| SocketAddr::new(std::net::Ipv4Addr::from(n).into(), 443));
        assert_eq!(interleaved(many.collect(), None).len(), MOST);
    }
}
