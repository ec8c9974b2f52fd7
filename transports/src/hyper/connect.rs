//! From a URL to a byte stream: name, TCP, proxy and TLS, all within one time limit.
//!
//! Owns the connections of hyper's client. Where they may go is [`crate::connect`]'s to say. Knows
//! nothing of requests.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use hyper::rt::{Read, ReadBufCursor, Timer, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::runtime::{BoxedIo, Runtime};
use crate::connect::{ConnectError, Place};
use crate::proxy::{Proxy, authority};
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
    let proxy = wiring.proxy.as_ref().filter(|_| !place.is_loopback());
    let io = match proxy.filter(|proxy| proxy.serves(place.host)) {
        Some(proxy) => through(Arc::clone(&wiring), proxy, &uri).await?,
        None => tcp(&wiring.runtime, place).await?,
    };
    Ok(Link(if place.is_secure { secure(Arc::clone(&wiring.tls), place, io).await? } else { io }))
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

/// Opens a tunnel to where a URL points.
async fn through(wiring: Arc<Wiring>, proxy: &Proxy, uri: &Uri) -> Result<BoxedIo, ConnectError> {
    let place = proxy.place();
    let url = Uri::builder()
        .scheme(if place.is_secure { Scheme::HTTPS } else { Scheme::HTTP })
        .authority(authority(place.host, place.port).ok_or(ConnectError::Host)?)
        .path_and_query(PathAndQuery::from_static("/"))
        .build()
        .map_err(|_| ConnectError::Host)?;
    let mut tunnel = Tunnel::new(url, ToProxy(Arc::clone(&wiring)));
    if let Some(authorization) = proxy.authorization() {
        tunnel = tunnel.with_auth(authorization.clone());
    }
    tunnel.call(uri.clone()).await.map_err(|error| ConnectError::Proxy(error.into()))
}

/// Connects to the proxy itself, by TLS where its URL says https.
#[derive(Clone)]
struct ToProxy(Arc<Wiring>);

impl Service<Uri> for ToProxy {
    type Response = BoxedIo;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<BoxedIo, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let wiring = Arc::clone(&self.0);
        Box::pin(async move {
            let proxy = wiring.proxy.as_ref().ok_or(ConnectError::Host)?;
            let io = tcp(&wiring.runtime, proxy.place()).await?;
            if !proxy.place().is_secure {
                return Ok(io);
            }
            secure(Arc::clone(&wiring.tls), proxy.place(), io).await
        })
    }
}

/// A connection that hyper may use.
pub(super) struct Link(BoxedIo);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }
}
