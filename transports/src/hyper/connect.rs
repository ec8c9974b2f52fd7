//! Opens a byte stream for a URL: name lookup, TCP, proxy and TLS, all within one time limit.
//!
//! Owns how connections are opened. [`crate::connect`] decides where they may go. Does not know
//! about requests.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper::rt::Timer;
use hyper_util::rt::TokioIo;
use imts_core::endpoint::PlainHost;
use rustls::ClientConfig;
use tokio_rustls::TlsConnector;

use super::filter::Filter;
use super::runtime::Runtime;
use super::wire::{BoxedIo, Watch};
use super::{racing, tunnel};
use crate::connect::{ConnectError, Late, Place};
use crate::proxy::Proxy;
use crate::race::{Known, Race};
use crate::tls::Tls;
use crate::transport::BoxFuture;
use crate::within::within;

/// Opens the connections of one transport.
#[derive(Clone)]
pub(super) struct Connector(Arc<Wiring>);

struct Wiring {
    runtime: Runtime,
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
    named: Option<PlainHost>,
    known: Known,
    time_limit: Duration,
}

impl Connector {
    pub(super) fn new(
        runtime: Runtime,
        tls: &Tls,
        proxy: Option<Proxy>,
        named: Option<PlainHost>,
        time_limit: Duration,
    ) -> Self {
        let (tls, known) = (tls.client_config(), Known::default());
        Self(Arc::new(Wiring { runtime, tls, proxy, named, known, time_limit }))
    }

    /// Returns the host other than this machine that plain http may go to.
    pub(super) fn named(&self) -> Option<&PlainHost> {
        self.0.named.as_ref()
    }

    /// Opens a connection to the host of this URL, ready for a request.
    pub(super) async fn connect(&self, uri: &Uri) -> Result<(Filter, Arc<Watch>), ConnectError> {
        let (wiring, limit) = (Arc::clone(&self.0), self.0.time_limit);
        let time = self.0.runtime.time.clone();
        let mut race = Race::default();
        let connected = {
            let connecting = pin!(connect(wiring, uri, &mut race));
            within(limit, |beat| time.sleep(beat), connecting).await
        };
        let late = || ConnectError::TimedOut(Late::new(limit, race.report()));
        connected
            .unwrap_or_else(|| Err(late()))
            .map(|Way { io, watch }| (Filter::new(io, Arc::clone(&watch)), watch))
    }
}

/// A byte stream to a host, and what is watched at the bottom of it.
pub(super) struct Way {
    io: BoxedIo,
    watch: Arc<Watch>,
}

async fn connect(wiring: Arc<Wiring>, uri: &Uri, race: &mut Race) -> Result<Way, ConnectError> {
    let place = Place::of(uri, wiring.named.as_ref())?;
    let proxy = place.proxy(wiring.proxy.as_ref())?;
    let first = proxy.map_or(place, Proxy::place);
    let of_proxy = |error: io::Error| match proxy {
        Some(_) => ConnectError::Proxy(ConnectError::Tcp(error.into()).into()),
        None => ConnectError::Tcp(error.into()),
    };
    let addresses = match (first.addresses(), &wiring.runtime.resolve) {
        (Some(addresses), _) => addresses,
        (None, Some(resolve)) => {
            resolve(first.host.to_owned(), first.port).await.map_err(of_proxy)?
        }
        (None, None) if place.is_named() => return Err(ConnectError::NoResolver),
        // The runtime's own dial function takes the name, and decides which address to use.
        (None, None) => {
            let by = (first.host.to_owned(), first.port);
            return attempt(Arc::clone(&wiring), uri.clone(), by).await;
        }
    };
    if proxy.is_none() {
        place.check(&addresses)?;
    }
    *race = Race::new(addresses, wiring.known.of(first.host, first.port));
    let by = |address: SocketAddr| -> BoxFuture<'static, _> {
        let by = (address.ip().to_string(), address.port());
        Box::pin(attempt(Arc::clone(&wiring), uri.clone(), by))
    };
    let (way, address) = racing::run(race, &wiring.runtime.time, by).await?;
    wiring.known.worked(first.host, first.port, address);
    Ok(way)
}

/// Connects completely through one address or name, of the host or of the proxy.
async fn attempt(wiring: Arc<Wiring>, uri: Uri, by: (String, u16)) -> Result<Way, ConnectError> {
    let place = Place::of(&uri, wiring.named.as_ref())?;
    let Way { mut io, watch } = match place.proxy(wiring.proxy.as_ref())? {
        Some(proxy) => through(&wiring, proxy, place, by).await?,
        None => tcp(&wiring.runtime, by).await?,
    };
    if place.is_secure {
        io = secure(Arc::clone(&wiring.tls), place, io).await?;
    }
    Ok(Way { io, watch })
}

async fn tcp(runtime: &Runtime, (host, port): (String, u16)) -> Result<Way, ConnectError> {
    let wire = runtime.dial(host, port).await.map_err(|error| ConnectError::Tcp(error.into()))?;
    let watch = wire.watch();
    Ok(Way { io: Box::new(wire), watch })
}

async fn secure(
    config: Arc<ClientConfig>,
    place: Place<'_>,
    io: BoxedIo,
) -> Result<BoxedIo, ConnectError> {
    let connector = TlsConnector::from(config);
    let stream = connector.connect(place.server_name()?, TokioIo::new(io)).await;
    Ok(Box::new(TokioIo::new(stream.map_err(ConnectError::Tls)?)))
}

/// Opens a tunnel through the proxy. If the proxy's URL says https, the proxy itself is reached by
/// TLS.
async fn through(
    wiring: &Wiring,
    proxy: &Proxy,
    to: Place<'_>,
    by: (String, u16),
) -> Result<Way, ConnectError> {
    let failed = |error: ConnectError| ConnectError::Proxy(error.into());
    let Way { mut io, watch } = tcp(&wiring.runtime, by).await.map_err(failed)?;
    if proxy.place().is_secure {
        io = secure(Arc::clone(&wiring.tls), proxy.place(), io).await.map_err(failed)?;
    }
    tunnel::open(&mut io, proxy, to).await.map_err(|error| ConnectError::Proxy(error.into()))?;
    Ok(Way { io, watch })
}
