//! The ready-made transport of the client for tasks, over hyper-util's client.
//!
//! Owns its settings: HTTP/1.1, no redirect, no second try, the limits of a reply's head. Where
//! connections go is [`connect`]'s matter, what a failure proves [`exchange`]'s. Knows nothing of
//! sessions.

mod connect;
mod exchange;
mod filter;
mod link;
mod racing;
mod runtime;
mod tunnel;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::rt::{Executor, Read, Timer, Write};
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::{Client, ResponseFuture};
use imts_core::{Body, Failure, NotSent};
use thiserror::Error;

use self::connect::Connector;
pub use self::exchange::HyperBody;
use self::runtime::{Resolve, Runtime, Time};
use crate::connect::CONNECT_TIMEOUT;
use crate::proxy::Proxy;
use crate::tls::{Tls, TlsError};
use crate::transport::{AsyncTransport, Bounds, BoxFuture};
use crate::within::within;

/// Sends requests by hyper-util's client: HTTP/1.1, over TLS but for loopback.
///
/// It follows no redirect, sends nothing twice, takes a proxy only when given one and never for
/// loopback, and takes nothing from the environment but the place of the platform's roots. Clones
/// share their connections.
///
/// ```
/// use std::time::Duration;
/// use imts::{HyperTransport, Proxy, Tls};
///
/// let transport = HyperTransport::builder(Tls::platform()?)
///     .connect_timeout(Duration::from_secs(5))
///     .proxy(Proxy::new("http://user:password@proxy.example:3128")?)
///     .build();
/// # let shown = format!("{transport:?}");
/// # assert!(!shown.contains("password"), "{shown}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HyperTransport {
    client: Arc<dyn Requests>,
    time: Time,
    /// Whether the client can work on the current thread.
    is_here: fn() -> bool,
}

impl HyperTransport {
    /// A transport on tokio that trusts what the platform trusts.
    ///
    /// # Errors
    ///
    /// [`TlsError::PlatformRoots`], where the platform has no roots.
    pub fn new() -> Result<Self, TlsError> {
        Ok(Self::builder(Tls::platform()?).build())
    }

    /// What a transport is made of, with these TLS settings.
    pub fn builder(tls: Tls) -> HyperBuilder {
        HyperBuilder {
            tls,
            runtime: Runtime::tokio(),
            proxy: None,
            resolve: None,
            connect_timeout: CONNECT_TIMEOUT,
            idle_connections: IDLE,
        }
    }

    /// A transport over a client of the caller's own, which answers for where its connections go
    /// and how long they may take to come about.
    ///
    /// The timer is that of the client's runtime; give it to the client too, as its `pool_timer`.
    /// Unless the client's `retry_canceled_requests` is off, it may try again what it knows not to
    /// have left.
    pub fn over<C>(client: Client<C, HyperBody>, timer: impl Timer + Send + Sync + 'static) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        Self { client: Arc::new(client), time: Time(Arc::new(timer)), is_here: || true }
    }
}

impl AsyncTransport for HyperTransport {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, Failure>> {
        Box::pin(async move {
            if !(self.is_here)() {
                return Err(Failure::not_sent(NotSent::vouch()).because(NoTokio));
            }
            let exchange = async {
                let response = self.client.request(request.map(HyperBody::from)).await;
                exchange::read(response.map_err(|e| exchange::failure(&e))?, bounds.reply_limit)
                    .await
            };
            within(self.time.sleep(bounds.time_limit), exchange)
                .await
                .unwrap_or_else(|| Err(Failure::unknown().timed_out()))
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.time.sleep(duration)
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}

/// Collects what a [`HyperTransport`] is made of.
#[must_use]
pub struct HyperBuilder {
    tls: Tls,
    runtime: Runtime,
    proxy: Option<Proxy>,
    resolve: Option<Resolve>,
    connect_timeout: Duration,
    idle_connections: Duration,
}

impl HyperBuilder {
    /// How long a connection may take to come about: name, TCP, proxy and TLS together.
    /// Default 10 s.
    ///
    /// Within this time every address of the host is tried, IPv6 and IPv4 in turn (RFC 8305): a new
    /// attempt starts 250 ms after the one before, or as soon as one fails, and the first to complete
    /// its TLS handshake is used.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// A proxy for connections that leave this machine. Default none.
    pub fn proxy(self, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// Replaces the runtime's resolver: a function from a host name and a port to addresses, in the
    /// order of preference. It is called for the service's host or for its proxy's, and never for an
    /// address or for `localhost`. At most 16 addresses are tried.
    pub fn resolver<F>(self, resolve: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let resolve = move |host, port| -> BoxFuture<'static, _> { Box::pin(resolve(host, port)) };
        Self { resolve: Some(Arc::new(resolve)), ..self }
    }

    /// Another runtime than tokio: its tasks, its timer, and how it opens a TCP connection to a
    /// host (a name, or an address without brackets) and a port.
    ///
    /// With a [`resolver`](Self::resolver), the dial function is given addresses alone, and all of
    /// them are tried as [`connect_timeout`](Self::connect_timeout) says. Without one it is given the
    /// host's name: which of the name's addresses are tried, and how long, is then up to it.
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

    /// The transport.
    #[must_use]
    pub fn build(self) -> HyperTransport {
        let mut runtime = self.runtime;
        runtime.resolve = self.resolve.or(runtime.resolve);
        let Runtime { tasks, time, is_here, .. } = runtime.clone();
        let connector = Connector::new(runtime, &self.tls, self.proxy, self.connect_timeout);
        let client = Client::builder(tasks)
            .pool_timer(time.clone())
            .pool_idle_timeout(self.idle_connections)
            .timer(time.clone())
            .retry_canceled_requests(false)
            .http1_max_headers(HEADERS)
            .http1_max_buf_size(BUFFER)
            .build::<_, HyperBody>(connector);
        HyperTransport { client: Arc::new(client), time, is_here }
    }
}

impl fmt::Debug for HyperBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperBuilder")
            .field("proxy", &self.proxy)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_connections", &self.idle_connections)
            .finish_non_exhaustive()
    }
}

/// A client of hyper-util's, whatever connector it has.
trait Requests: Send + Sync {
    fn request(&self, request: Request<HyperBody>) -> ResponseFuture;
}

impl<C: Connect + Clone + Send + Sync + 'static> Requests for Client<C, HyperBody> {
    fn request(&self, request: Request<HyperBody>) -> ResponseFuture {
        self.request(request)
    }
}

#[derive(Debug, Error)]
#[error("there is no tokio runtime here: ask from inside one, or build the transport for another")]
struct NoTokio;

/// How long an idle connection is kept: less than servers usually do, so that a request seldom
/// meets one that is just being closed.
const IDLE: Duration = Duration::from_secs(30);

/// The most headers that a reply may have.
const HEADERS: usize = 100;

/// The most bytes that the head of a reply may have.
const BUFFER: usize = 65_536;
