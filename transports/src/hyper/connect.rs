//! From a URL to a byte stream: name, TCP, proxy and TLS, all within one time limit.
//!
//! Owns the connections of hyper's client. Where they may go is [`crate::connect`]'s to say. Knows
//! nothing of requests.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::Timer;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::filter::Filter;
use super::link::Link;
use super::runtime::{BoxedIo, Runtime};
use super::{racing, tunnel};
use crate::connect::{ConnectError, Late, Place};
use crate::proxy::Proxy;
use crate::race::{Known, Race};
use crate::tls::Tls;
use crate::transport::BoxFuture;
use crate::within::within;

/// Makes the connections of one transport.
#[derive(Clone)]
pub(super) struct Connector(Arc<Wiring>);

struct Wiring {
    runtime: Runtime,
    tls: Arc<ClientConfig>,
    proxy: Option<Proxy>,
    known: Known,
    time_limit: Duration,
}

impl Connector {
    pub(super) fn new(
        runtime: Runtime,
        tls: &Tls,
        proxy: Option<Proxy>,
        time_limit: Duration,
    ) -> Self {
        let (tls, known) = (tls.client_config(), Known::default());
        Self(Arc::new(Wiring { runtime, tls, proxy, known, time_limit }))
    }
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Link, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (wiring, limit) = (Arc::clone(&self.0), self.0.time_limit);
        let sleep = self.0.runtime.time.sleep(limit);
        Box::pin(async move {
            let mut race = Race::default();
            let connected = within(sleep, connect(wiring, uri, &mut race)).await;
            let late = || ConnectError::TimedOut(Late::new(limit, race.report()));
            connected.unwrap_or_else(|| Err(late()))
        })
    }
}

async fn connect(wiring: Arc<Wiring>, uri: Uri, race: &mut Race) -> Result<Link, ConnectError> {
    let place = Place::of(&uri)?;
    let proxy = place.proxy(wiring.proxy.as_ref());
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
        // The runtime's own way to dial takes the name, and decides which address it means.
        (None, None) => {
            let by = (first.host.to_owned(), first.port);
            return Ok(linked(attempt(Arc::clone(&wiring), uri.clone(), by).await?));
        }
    };
    *race = Race::new(addresses, wiring.known.of(first.host, first.port));
    let by = |address: SocketAddr| -> BoxFuture<'static, _> {
        let by = (address.ip().to_string(), address.port());
        Box::pin(attempt(Arc::clone(&wiring), uri.clone(), by))
    };
    let (io, address) = racing::run(race, &wiring.runtime.time, by).await?;
    wiring.known.worked(first.host, first.port, address);
    Ok(linked(io))
}

fn linked(io: BoxedIo) -> Link {
    Link::new(Box::new(Filter::new(io)))
}

/// Goes all the way by one address, or name: of the host, or of the proxy.
async fn attempt(
    wiring: Arc<Wiring>,
    uri: Uri,
    by: (String, u16),
) -> Result<BoxedIo, ConnectError> {
    let place = Place::of(&uri)?;
    let io = match place.proxy(wiring.proxy.as_ref()) {
        Some(proxy) => through(&wiring, proxy, place, by).await?,
        None => tcp(&wiring.runtime, by).await?,
    };
    if place.is_secure { secure(Arc::clone(&wiring.tls), place, io).await } else { Ok(io) }
}

async fn tcp(runtime: &Runtime, (host, port): (String, u16)) -> Result<BoxedIo, ConnectError> {
    runtime.dial(host, port).await.map_err(|error| ConnectError::Tcp(error.into()))
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

/// Opens a tunnel through the proxy, which is itself reached by TLS where its URL says https.
async fn through(
    wiring: &Wiring,
    proxy: &Proxy,
    to: Place<'_>,
    by: (String, u16),
) -> Result<BoxedIo, ConnectError> {
    let failed = |error: ConnectError| ConnectError::Proxy(error.into());
    let mut io = tcp(&wiring.runtime, by).await.map_err(failed)?;
    if proxy.place().is_secure {
        io = secure(Arc::clone(&wiring.tls), proxy.place(), io).await.map_err(failed)?;
    }
    tunnel::open(&mut io, proxy, to).await.map_err(|error| ConnectError::Proxy(error.into()))?;
    Ok(io)
}
