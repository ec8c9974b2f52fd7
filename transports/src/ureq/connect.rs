//! Opens a connection that is ready for a request: name lookup, TCP, proxy and TLS, all within one
//! time limit.
//!
//! Owns the connections of ureq's agent. [`crate::connect`] decides where they may go. Of requests,
//! it knows only the end of their time.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Uri;
use imts_core::endpoint::PlainHost;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{self, ConnectionDetails, NextTimeout};

use super::UreqBuilder;
use super::attempt;
use super::link::Link;
use super::mask::Masks;
use super::racing::{self, Connect, Lane};
use super::stream::{Socket, Stream};
use crate::connect::{ConnectError, Late, Place};
use crate::lookup::{Resolve, lookup};
use crate::proxy::Proxy;
use crate::proxy::tunnel::{self, Answer, SHOWN, TunnelError};
use crate::race::{Known, Race};

/// Opens the connections of one transport.
#[derive(Clone)]
pub(super) struct Connector(Arc<Wiring>);

struct Wiring {
    parts: Arc<Parts>,
    resolve: Resolve,
    known: Known,
    time_limit: Duration,
    max_idle_age: Duration,
    masks: Masks,
}

/// The settings with which an attempt to connect is made.
struct Parts {
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
    named: Option<PlainHost>,
}

impl Connector {
    pub(super) fn new(settings: UreqBuilder, masks: Masks) -> Self {
        let UreqBuilder { tls, proxy, named, resolve, connect_timeout, idle_connections } =
            settings;
        let (time_limit, max_idle_age) = (connect_timeout, idle_connections);
        let parts = Arc::new(Parts { tls: tls.client_config(), proxy, named });
        let known = Known::default();
        Self(Arc::new(Wiring { parts, resolve, known, time_limit, max_idle_age, masks }))
    }

    /// Opens a connection for the request that this thread is making.
    pub(super) fn open(&self, uri: &Uri) -> Result<Stream, Error> {
        let now = Instant::now();
        let left = attempt::deadline().map(|deadline| deadline.saturating_duration_since(now));
        // A limit beyond the clock's range counts as no limit; a year stands in for it.
        let limit = self.0.time_limit.min(left.unwrap_or(YEAR)).min(YEAR);
        let deadline = now + limit;
        let mut race = Race::default();
        let connected = self.0.connect(uri, deadline, &mut race).map_err(|error| {
            let is_late = Instant::now() >= deadline;
            if is_late { ConnectError::TimedOut(Late::new(limit, race.report())) } else { error }
        });
        connected.map_err(|error| Error::Other(Box::new(error)))
    }
}

impl Wiring {
    fn connect(
        &self,
        uri: &Uri,
        deadline: Instant,
        race: &mut Race,
    ) -> Result<Stream, ConnectError> {
        let place = Place::of(uri, self.parts.named.as_ref())?;
        let proxy = place.proxy(self.parts.proxy.as_ref())?;
        let first = proxy.map_or(place, Proxy::place);
        let of_proxy = |error: ConnectError| match proxy {
            Some(_) => ConnectError::Proxy(error.into()),
            None => error,
        };
        let addresses = match first.addresses() {
            Some(addresses) => addresses,
            None => lookup(&self.resolve, first.host, first.port, deadline)
                .map_err(|error| of_proxy(tcp_error(error)))?,
        };
        if proxy.is_none() {
            place.check(&addresses)?;
        }
        *race = Race::new(addresses, self.known.of(first.host, first.port));
        let (parts, uri) = (Arc::clone(&self.parts), uri.clone());
        let connect: Connect = Arc::new(move |address, lane| parts.connect(&uri, address, lane));
        let (stream, address) = racing::run(race, &connect, deadline)?;
        self.known.worked(first.host, first.port, address);
        Ok(stream)
    }
}

impl Parts {
    /// Connects completely by one address: of the host, or of the proxy.
    fn connect(&self, uri: &Uri, by: SocketAddr, lane: &Lane) -> Result<Stream, ConnectError> {
        let place = Place::of(uri, self.named.as_ref())?;
        let stream = match place.proxy(self.proxy.as_ref())? {
            Some(proxy) => self.through(proxy, place, by, lane)?,
            None => tcp(by, lane)?,
        };
        if place.is_secure { self.secure(place, stream) } else { Ok(stream) }
    }

    /// Opens a tunnel through the proxy. If the proxy's URL says https, the proxy itself is reached
    /// by TLS.
    fn through(
        &self,
        proxy: &Proxy,
        to: Place<'_>,
        by: SocketAddr,
        lane: &Lane,
    ) -> Result<Stream, ConnectError> {
        let failed = |error: ConnectError| ConnectError::Proxy(error.into());
        let mut stream = tcp(by, lane).map_err(failed)?;
        if proxy.place().is_secure {
            stream = self.secure(proxy.place(), stream).map_err(failed)?;
        }
        tunnel(&mut stream, proxy, to).map_err(|error| ConnectError::Proxy(error.into()))?;
        Ok(stream)
    }

    /// Completes the TLS handshake: what fails later is no longer a failure to connect.
    fn secure(&self, place: Place<'_>, stream: Stream) -> Result<Stream, ConnectError> {
        let mut socket = Socket::new(stream);
        let mut tls = ClientConnection::new(Arc::clone(&self.tls), place.server_name()?)
            .map_err(|error| ConnectError::Tls(io::Error::other(error)))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket).map_err(ConnectError::Tls)?;
        }
        Ok(Stream::Tls(Box::new(StreamOwned::new(tls, socket))))
    }
}

impl transport::Connector for Connector {
    type Out = Link;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Link>, Error> {
        let stream = self.open(details.uri)?;
        let (connector, uri) = (self.clone(), details.uri.clone());
        let reopen = Box::new(move || connector.open(&uri));
        Ok(Some(Link::new(stream, reopen, self.0.masks.clone(), self.0.max_idle_age)))
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

fn tcp(address: SocketAddr, lane: &Lane) -> Result<Stream, ConnectError> {
    lane.dial(address).map(Stream::Tcp).map_err(tcp_error)
}

/// Asks a proxy for a tunnel.
fn tunnel(stream: &mut Stream, proxy: &Proxy, to: Place<'_>) -> Result<(), TunnelError> {
    stream.write_all(&tunnel::request(proxy, to)?)?;
    stream.flush()?;
    let (mut answer, mut byte) = (Answer::of(proxy), [0]);
    loop {
        match stream.read(&mut byte) {
            Ok(0) => return Err(answer.ended()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        match answer.take(byte[0]) {
            Some(Err(error)) => {
                let mut rest = [0; SHOWN];
                let length = stream.read_now(&mut rest).unwrap_or_default();
                return Err(answer.showing(error, &rest[..length]));
            }
            Some(Ok(())) => return Ok(()),
            None => {}
        }
    }
}

fn tcp_error(error: io::Error) -> ConnectError {
    ConnectError::Tcp(error.into())
}

/// Leaves names to the connector, which looks one up only if no open connection can be used.
#[derive(Debug)]
pub(super) struct NoLookup;

impl Resolver for NoLookup {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

const YEAR: Duration = Duration::from_secs(365 * 86_400);
