//! From a URL to a byte stream: name, TCP, proxy and TLS, all within one time limit.
//!
//! Owns the connections of hyper's client. Where they may go is [`crate::connect`]'s to say. Knows
//! nothing of requests.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::Timer;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::link::Link;
use super::runtime::{BoxedIo, Runtime};
use super::tunnel;
use crate::connect::{ConnectError, Place};
use crate::proxy::Proxy;
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
    time_limit: Duration,
}

impl Connector {
    pub(super) fn new(
        runtime: Runtime,
        tls: &Tls,
        proxy: Option<Proxy>,
        time_limit: Duration,
    ) -> Self {
        Self(Arc::new(Wiring { runtime, tls: tls.client_config(), proxy, time_limit }))
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
            let connected = within(sleep, connect(wiring, uri)).await;
            connected.unwrap_or(Err(ConnectError::TimedOut(limit)))
        })
    }
}

async fn connect(wiring: Arc<Wiring>, uri: Uri) -> Result<Link, ConnectError> {
    let place = Place::of(&uri)?;
    let io = match place.proxy(wiring.proxy.as_ref()) {
        Some(proxy) => through(&wiring, proxy, place).await?,
        None => tcp(&wiring.runtime, place).await?,
    };
    let io = if place.is_secure { secure(Arc::clone(&wiring.tls), place, io).await? } else { io };
    Ok(Link::new(io))
}

/// Opens a TCP connection.
async fn tcp(runtime: &Runtime, place: Place<'_>) -> Result<BoxedIo, ConnectError> {
    let mut first = None;
    for host in place.hosts() {
        match runtime.dial(host, place.port).await {
            Ok(io) => return Ok(io),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.map_or(ConnectError::Host, ConnectError::Tcp))
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
async fn through(wiring: &Wiring, proxy: &Proxy, to: Place<'_>) -> Result<BoxedIo, ConnectError> {
    let failed = |error: ConnectError| ConnectError::Proxy(error.into());
    let mut io = tcp(&wiring.runtime, proxy.place()).await.map_err(failed)?;
    if proxy.place().is_secure {
        io = secure(Arc::clone(&wiring.tls), proxy.place(), io).await.map_err(failed)?;
    }
    tunnel::open(&mut io, proxy, to).await.map_err(|error| ConnectError::Proxy(error.into()))?;
    Ok(io)
}
