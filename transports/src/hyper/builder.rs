//! The settings of a transport over hyper.
//!
//! Owns their defaults. Opens no connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::{Executor, Read, Timer, Write};
use imts_core::endpoint::PlainHost;

use super::connect::Connector;
use super::pool::Pool;
use super::runtime::{Resolve, Runtime};
use super::under_way::UnderWay;
use super::{Connections, HyperTransport, Over};
use crate::connect::CONNECT_TIMEOUT;
use crate::proxy::Proxy;
use crate::tls::Tls;
use crate::transport::BoxFuture;

/// Collects the settings of a [`HyperTransport`].
#[must_use]
pub struct HyperBuilder {
    tls: Tls,
    runtime: Runtime,
    proxy: Option<Proxy>,
    named: Option<PlainHost>,
    resolve: Option<Resolve>,
    connect_timeout: Duration,
    idle_connections: Duration,
}

impl HyperBuilder {
    pub(super) fn new(tls: Tls) -> Self {
        Self {
            tls,
            runtime: Runtime::tokio(),
            proxy: None,
            named: None,
            resolve: None,
            connect_timeout: CONNECT_TIMEOUT,
            idle_connections: IDLE,
        }
    }

    /// Sets how long opening a connection may take: name lookup, TCP, proxy and TLS together.
    /// Default 10 s.
    ///
    /// Within this time every address of the host is tried, IPv6 and IPv4 in turn (RFC 8305). A new
    /// attempt starts 250 ms after the one before, or as soon as one fails. The first to complete
    /// its TLS handshake is used.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Sets a proxy for connections that leave this machine. Default none.
    pub fn proxy(self, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// Replaces the runtime's resolver: a function from a host name and a port to addresses, in
    /// order of preference. It is called for the service's host or its proxy's host, never for an
    /// address or for `localhost`. At most 16 addresses are tried.
    pub fn resolver<F>(self, resolve: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let resolve = move |host, port| -> BoxFuture<'static, _> { Box::pin(resolve(host, port)) };
        Self { resolve: Some(Arc::new(resolve)), ..self }
    }

    /// Replaces tokio with another runtime: its tasks, its timer, and a dial function. The dial
    /// function opens a TCP connection to a host (a name, or an address without brackets) and a
    /// port.
    ///
    /// With a [`resolver`](Self::resolver), the dial function receives only addresses, and all of
    /// them are tried as [`connect_timeout`](Self::connect_timeout) says. Without a resolver, it
    /// receives the host's name. It then decides which addresses of that name to try, and for how
    /// long.
    pub fn runtime<D, F, S>(
        self,
        executor: impl Executor<BoxFuture<'static, ()>> + Send + Sync + 'static,
        timer: impl Timer + Send + Sync + 'static,
        dial: D,
    ) -> Self
    where
        D: Fn(String, u16) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: Read + Write + Send + Unpin + 'static,
    {
        Self { runtime: Runtime::of(executor, timer, dial), ..self }
    }

    /// Permits plain http to one host other than this machine, for a client of
    /// [`Endpoint::plain_named`]. For tests. Default none.
    ///
    /// A connection is opened only if every address of the name is loopback or private. That is
    /// checked for each connection, with the addresses that the connection is opened to. It goes
    /// through no proxy. On a [`runtime`](Self::runtime) of your own it needs a
    /// [`resolver`](Self::resolver).
    ///
    /// [`Endpoint::plain_named`]: crate::Endpoint::plain_named
    pub fn plain_http_host(self, host: PlainHost) -> Self {
        Self { named: Some(host), ..self }
    }

    /// Builds the transport.
    #[must_use]
    pub fn build(self) -> HyperTransport {
        let mut runtime = self.runtime;
        runtime.resolve = self.resolve.or(runtime.resolve);
        let time = runtime.time.clone();
        let (tls, time_limit) = (&self.tls, self.connect_timeout);
        let connector = Connector::new(runtime.clone(), tls, self.proxy, self.named, time_limit);
        let pool = Arc::new(Pool::new(self.idle_connections));
        let over = Over::Ours(Arc::new(Connections {
            runtime,
            connector,
            pool,
            under_way: UnderWay::default(),
        }));
        HyperTransport { over, time }
    }
}

impl fmt::Debug for HyperBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperBuilder")
            .field("proxy", &self.proxy)
            .field("plain_http_host", &self.named)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_connections", &self.idle_connections)
            .finish_non_exhaustive()
    }
}

/// How long an idle connection is kept. This is shorter than servers usually keep one, so that a
/// request seldom meets a connection that is being closed.
const IDLE: Duration = Duration::from_secs(30);
