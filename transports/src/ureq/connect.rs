//! From a URL to a connection that is ready for a request: name, TCP, proxy and TLS, all within one
//! time limit.
//!
//! Owns the connections of ureq's agent. Where they may go is [`crate::connect`]'s to say. Nothing
//! but this makes a [`ConnectError`] out of a ureq call: that one is returned proves that the
//! request has met no connection. Knows nothing of requests.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Uri;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{self, ConnectionDetails, NextTimeout};

use super::link::Link;
use super::lookup::lookup;
use super::mask::Masks;
use super::stream::{Stream, Wire};
use crate::connect::{ConnectError, Place};
use crate::proxy::Proxy;
use crate::proxy::tunnel::{self, Answer, TunnelError};
use crate::tls::Tls;

/// Makes the connections of one transport.
pub(super) struct Connector {
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
    time_limit: Duration,
    masks: Masks,
}

impl Connector {
    pub(super) fn new(tls: &Tls, proxy: Option<Proxy>, time_limit: Duration, masks: Masks) -> Self {
        Self { tls: tls.client_config(), proxy, time_limit, masks }
    }

    fn connect(&self, uri: &Uri, deadline: Instant) -> Result<Stream, ConnectError> {
        let place = Place::of(uri)?;
        let stream = match place.proxy(self.proxy.as_ref()) {
            Some(proxy) => self.through(proxy, place, deadline)?,
            None => Stream::Tcp(tcp(place, deadline)?),
        };
        if place.is_secure { self.secure(place, stream) } else { Ok(stream) }
    }

    /// Opens a tunnel through the proxy, which is itself reached by TLS where its URL says https.
    fn through(
        &self,
        proxy: &Proxy,
        to: Place<'_>,
        deadline: Instant,
    ) -> Result<Stream, ConnectError> {
        let failed = |error: ConnectError| ConnectError::Proxy(error.into());
        let mut stream = Stream::Tcp(tcp(proxy.place(), deadline).map_err(failed)?);
        if proxy.place().is_secure {
            stream = self.secure(proxy.place(), stream).map_err(failed)?;
        }
        tunnel(&mut stream, proxy, to).map_err(|error| ConnectError::Proxy(error.into()))?;
        Ok(stream)
    }

    /// Completes the handshake: what fails later is no longer a failure to connect.
    fn secure(&self, place: Place<'_>, mut stream: Stream) -> Result<Stream, ConnectError> {
        let mut tls = ClientConnection::new(Arc::clone(&self.tls), place.server_name()?)
            .map_err(|error| ConnectError::Tls(io::Error::other(error)))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).map_err(ConnectError::Tls)?;
        }
        Ok(Stream::Tls(Box::new(StreamOwned::new(tls, stream))))
    }
}

impl transport::Connector for Connector {
    type Out = Link;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Link>, Error> {
        let limit = self.time_limit.min(*details.timeout.after);
        // A limit beyond what the clock can say is none; a year stands in for it.
        let now = Instant::now();
        let deadline = now.checked_add(limit).unwrap_or_else(|| now + YEAR);
        let connected = Connector::connect(self, details.uri, deadline).map_err(|error| {
            if Instant::now() < deadline { error } else { ConnectError::TimedOut(limit) }
        });
        let stream = connected.map_err(|error| Error::Other(Box::new(error)))?;
        Ok(Some(Link::new(stream, self.masks.clone())))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// Opens a TCP connection to the first address that answers. Each has its share of the time that is
/// left, so that a dead one does not use up that of the next.
fn tcp(place: Place<'_>, deadline: Instant) -> Result<Wire, ConnectError> {
    let mut addresses = Vec::new();
    for host in place.hosts() {
        addresses.extend(lookup(host, place.port, deadline).map_err(tcp_error)?);
    }
    let mut first = None;
    for (at, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let shares = u32::try_from(addresses.len() - at).unwrap_or(u32::MAX);
        match dial(address, left / shares) {
            Ok(stream) => return Ok(Wire::new(stream, deadline)),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(tcp_error(first.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())))
}

fn dial(address: &SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(address, limit.max(Duration::from_millis(1)))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Asks a proxy for a tunnel.
fn tunnel(stream: &mut Stream, proxy: &Proxy, to: Place<'_>) -> Result<(), TunnelError> {
    stream.write_all(&tunnel::request(proxy, to)?)?;
    stream.flush()?;
    let (mut answer, mut byte) = (Answer::default(), [0]);
    loop {
        stream.read_exact(&mut byte).map_err(|error| io::Error::from(error.kind()))?;
        if let Some(opened) = answer.take(byte[0]) {
            return opened;
        }
    }
}

fn tcp_error(error: io::Error) -> ConnectError {
    ConnectError::Tcp(error.into())
}

/// Leaves names to the connector, which looks one up only where no open connection is at hand.
#[derive(Debug)]
pub(super) struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);
