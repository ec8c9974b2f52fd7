//! Looks names up, within a time limit.
//!
//! Owns the thread of a lookup. The system's own lookup has no time limit, so a lookup that is
//! abandoned ends in its own time.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

/// A function from a host name and a port to addresses.
pub(crate) type Resolve = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Returns the system's resolver.
pub(crate) fn system() -> Resolve {
    Arc::new(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
}

/// Returns the addresses of a host.
pub(crate) fn lookup(
    resolve: &Resolve,
    host: &str,
    port: u16,
    deadline: Instant,
) -> io::Result<Vec<SocketAddr>> {
    let (tell, hear) = mpsc::sync_channel(1);
    let (host, resolve) = (host.to_owned(), Arc::clone(resolve));
    thread::Builder::new().name("imts-lookup".to_owned()).spawn(move || {
        drop(tell.send(resolve(&host, port)));
    })?;
    let left = deadline.saturating_duration_since(Instant::now());
    hear.recv_timeout(left).map_err(|error| match error {
        RecvTimeoutError::Timeout => io::Error::from(io::ErrorKind::TimedOut),
        RecvTimeoutError::Disconnected => io::Error::other("the thread of the lookup panicked"),
    })?
}
