//! Where a PostgreSQL server listens.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::host::{is_this_machine, without_lookup};

/// One host of an address.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A name or an IP address, and a port.
    Tcp(String, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// Returns the hosts of an address in their order. `None` if there is none, or if its ports are
/// not one for each host.
pub(super) fn of(config: &Config) -> Option<Vec<Place>> {
    let (hosts, ports) = (config.get_hosts(), config.get_ports());
    let counts_fit = ports.len() <= 1 || ports.len() == hosts.len();
    // `hostaddr` would lead elsewhere than the name says.
    if hosts.is_empty() || !counts_fit || !config.get_hostaddrs().is_empty() {
        return None;
    }
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
    let place = |(at, host): (usize, &Host)| match host {
        Host::Tcp(host) => Place::Tcp(host.clone(), port(at)),
        #[cfg(unix)]
        Host::Unix(folder) => Place::Unix(folder.join(format!(".s.PGSQL.{}", port(at)))),
    };
    Some(hosts.iter().enumerate().map(place).collect())
}

impl Place {
    /// Whether no other machine can answer there.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(host, _) => is_this_machine(host),
        }
    }

    /// Whether this is the host of that name.
    pub(super) fn is(&self, host: &str) -> bool {
        matches!(self, Self::Tcp(own, _) if own == host)
    }

    /// Returns the addresses for which no resolver is asked.
    pub(super) fn addresses(&self) -> Option<Vec<SocketAddr>> {
        let Self::Tcp(host, port) = self else { return None };
        let hosts = without_lookup(host)?;
        Some(hosts.into_iter().map(|host| SocketAddr::new(host, *port)).collect())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The port that PostgreSQL listens on by default.
const DEFAULT_PORT: u16 = 5432;
