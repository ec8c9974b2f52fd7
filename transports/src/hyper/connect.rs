//! From a URL to a byte stream: name, TCP, proxy and TLS, all within one time limit.
//!
//! Owns where connections may go: https anywhere, plain http to loopback alone, and loopback never
//! through a proxy nor through a resolver. Knows nothing of requests.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBufCursor, Timer, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use thiserror::Error;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::proxy::Proxy;
use super::runtime::{BoxedError, BoxedIo, Runtime};
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

/// Why no connection came about.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    #[error("plain http to another machine would send the secret in clear: only https does")]
    PlainHttp,
    #[error("the URL's host is no name that a certificate could have")]
    Host,
    #[error(transparent)]
    Tcp(BoxedError),
    #[error("the proxy gave no connection")]
    Proxy(#[source] BoxedError),
    #[error("TLS handshake failed")]
    Tls(#[source] io::Error),
    #[error("no connection within {:.1} s", .0.as_secs_f64())]
    TimedOut(Duration),
}

impl Connector {
    pub(super) fn new(
        runtime: Runtime,
        tls: Arc<ClientConfig>,
        proxy: Option<Proxy>,
        time_limit: Duration,
    ) -> Self {
        Self(Arc::new(Wiring { runtime, tls, proxy, time_limit }))
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
    let host = bare_host(&uri);
    let is_loopback = is_loopback(host);
    let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
    if !is_secure && !is_loopback {
        return Err(ConnectError::PlainHttp);
    }
    let proxy = wiring.proxy.as_ref().filter(|_| !is_loopback);
    let io = match proxy.and_then(|proxy| proxy.intercept(&uri)) {
        Some(intercept) => {
            let mut tunnel = Tunnel::new(intercept.uri().clone(), ToProxy(Arc::clone(&wiring)));
            if let Some(authorization) = intercept.basic_auth() {
                tunnel = tunnel.with_auth(authorization.clone());
            }
            tunnel.call(uri.clone()).await.map_err(|error| ConnectError::Proxy(error.into()))?
        }
        None => tcp(&wiring.runtime, &uri).await?,
    };
    Ok(Link(if is_secure { secure(Arc::clone(&wiring.tls), host, io).await? } else { io }))
}

/// Opens a TCP connection to where a URL points.
async fn tcp(runtime: &Runtime, uri: &Uri) -> Result<BoxedIo, ConnectError> {
    let host = bare_host(uri);
    let port =
        uri.port_u16().unwrap_or(if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
    if host != LOCALHOST {
        return runtime.dial(host, port).await.map_err(ConnectError::Tcp);
    }
    match runtime.dial("127.0.0.1", port).await {
        Ok(io) => Ok(io),
        Err(error) => runtime.dial("::1", port).await.map_err(|_| ConnectError::Tcp(error)),
    }
}

async fn secure(
    config: Arc<ClientConfig>,
    host: &str,
    io: BoxedIo,
) -> Result<BoxedIo, ConnectError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::Host)?;
    let connector = TlsConnector::from(config);
    let connector = connector.with_alpn(vec![b"http/1.1".to_vec()]);
    let stream = connector.connect(name, TokioIo::new(io)).await.map_err(ConnectError::Tls)?;
    Ok(Box::new(TokioIo::new(stream)))
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

    fn call(&mut self, uri: Uri) -> Self::Future {
        let wiring = Arc::clone(&self.0);
        Box::pin(async move {
            let io = tcp(&wiring.runtime, &uri).await?;
            if uri.scheme() != Some(&Scheme::HTTPS) {
                return Ok(io);
            }
            secure(Arc::clone(&wiring.tls), bare_host(&uri), io).await
        })
    }
}

const LOCALHOST: &str = "localhost";

fn is_loopback(host: &str) -> bool {
    host == LOCALHOST || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host, an IPv6 address without its brackets.
fn bare_host(uri: &Uri) -> &str {
    let host = uri.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
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
