//! Names to addresses, within a time limit.
//!
//! Owns the thread of a lookup: the system's own has no time limit, and one that is given up ends on
//! its own time.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Instant;

/// The addresses of a host, at least one.
pub(super) fn lookup(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (tell, hear) = mpsc::sync_channel(1);
    let host = host.to_owned();
    thread::Builder::new().name("imts-lookup".to_owned()).spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        drop(tell.send(found));
    })?;
    let left = deadline.saturating_duration_since(Instant::now());
    let found = hear.recv_timeout(left).map_err(|error| match error {
        RecvTimeoutError::Timeout => io::Error::from(io::ErrorKind::TimedOut),
        RecvTimeoutError::Disconnected => io::Error::other("the lookup's thread died"),
    })??;
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
    }
    Ok(found)
}
