//! Remembers the addresses that worked, so that they are tried first.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// The memory of one transport: one address for each of the hosts that it reached last.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<VecDeque<Entry>>);

#[derive(Debug)]
struct Entry {
    host: String,
    port: u16,
    address: SocketAddr,
}

impl Entry {
    fn is_of(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port == port
    }
}

impl Known {
    /// Returns the address of this host and port that worked last.
    pub(crate) fn of(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|entry| entry.is_of(host, port)).map(|entry| entry.address)
    }

    /// Stores the address of a host that worked, in place of the one before.
    pub(crate) fn worked(&self, host: &str, port: u16, address: SocketAddr) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|entry| !entry.is_of(host, port));
        known.push_front(Entry { host: host.to_owned(), port, address });
        known.truncate(MOST);
    }
}

/// The most hosts that are remembered.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Known, MOST};

    #[test]
    fn the_address_that_worked_last_is_known_for_each_host_and_port() {
        let known = Known::default();
        for (host, port, address) in [
            ("a", 1, "192.0.2.1:1"),
            ("b", 1, "192.0.2.2:1"),
            ("a", 2, "192.0.2.3:2"),
            ("a", 1, "192.0.2.4:1"),
        ] {
            known.worked(host, port, address.parse().unwrap());
        }
        assert_eq!(known.of("a", 1), Some("192.0.2.4:1".parse().unwrap()));
        assert_eq!(known.of("a", 2), Some("192.0.2.3:2".parse().unwrap()));
        assert_eq!(known.of("b", 1), Some("192.0.2.2:1".parse().unwrap()));
        assert_eq!(known.of("c", 1), None);
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let known = Known::default();
        for host in 0..=MOST {
            known.worked(&host.to_string(), 1, "192.0.2.1:1".parse().unwrap());
        }
        assert_eq!(known.of("0", 1), None);
        assert!((1..=MOST).all(|host| known.of(&host.to_string(), 1).is_some()));
    }

    #[test]
    fn a_host_that_works_again_and_again_takes_the_place_of_no_other() {
        let known = Known::default();
        known.worked("seldom", 1, "192.0.2.1:1".parse().unwrap());
        for _ in 0..=MOST {
            known.worked("often", 1, "192.0.2.2:1".parse().unwrap());
        }
        assert_eq!(known.of("seldom", 1), Some("192.0.2.1:1".parse().unwrap()));
    }
}
