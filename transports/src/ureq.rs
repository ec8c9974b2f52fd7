//! The ready-made transport of the blocking client, over ureq.
//!
//! Owns its settings: no redirect, no second try, limits for a response's head. `connect` opens
//! connections; `exchange` says what a failure proves. It has no runtime: a request is made on
//! the thread that asks for it. Does not know about sessions.

mod attempt;
mod buffers;
mod connect;
mod exchange;
mod link;
mod mask;
mod racing;
mod stream;
mod wire;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use imts_core::endpoint::PlainHost;
use imts_core::secret::Body;
use imts_core::{Endpoint, TransportError};
use ureq::Agent;
use ureq::config::Config;

use self::attempt::Attempt;
use self::connect::{Connector, NoLookup};
use self::exchange::Cover;
use self::mask::Masks;
use crate::connect::CONNECT_TIMEOUT;
use crate::lookup::{self, Resolve};
use crate::proxy::Proxy;
use crate::tls::{Tls, TlsError};
use crate::transport::{Bounds, Transport};

/// Sends requests with ureq: HTTP/1.1, over TLS except to loopback and to a
/// [named host](UreqBuilder::plain_http_host).
///
/// It follows no redirect and sends no request twice. It uses a proxy only if one is set, and never
/// for loopback. From the environment it reads only the location of the platform's roots. It has no
/// runtime of its own, and blocks the thread that calls it. Inside an async runtime, the client's
/// renewal has its own thread, and only the callers that wait for it are blocked. Clones share
/// their connections.
///
/// ```
/// use std::time::Duration;
/// use imts::proxy::Proxy;
/// use imts::tls::Tls;
/// use imts::UreqTransport;
///
/// let transport = UreqTransport::builder(Tls::platform()?)
///     .connect_timeout(Duration::from_secs(5))
///     .proxy(Proxy::new("http://user:password@proxy.example:3128")?)
///     .build();
/// # let shown = format!("{transport:?}");
/// # assert!(!shown.contains("password"), "{shown}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UreqTransport {
    agent: Agent,
    /// The masks with which its connections cover response bodies. `None` for a caller's own
    /// `ureq::Agent`.
    masks: Option<Masks>,
    named: Option<PlainHost>,
}

impl UreqTransport {
    /// Creates a transport that trusts what the platform trusts.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError::PlatformRoots`] if the platform has no roots.
    pub fn new() -> Result<Self, TlsError> {
        Ok(Self::builder(Tls::platform()?).build())
    }

    /// Starts building a transport with these TLS settings.
    pub fn builder(tls: Tls) -> UreqBuilder {
        UreqBuilder {
            tls,
            proxy: None,
            named: None,
            resolve: lookup::system(),
            connect_timeout: CONNECT_TIMEOUT,
            idle_connections: IDLE,
        }
    }

    /// Creates a transport over the caller's own agent. That agent is responsible for where
    /// connections go and how long they may take to open. Its middleware must send each request at
    /// most once.
    ///
    /// For each request, this transport switches off redirects and errors by status, and sets the
    /// time limit as `timeout_global`. Under such a limit, ureq's own resolver starts a thread for
    /// each request, even if a connection is already open. If the agent's resolver does not get the
    /// limit, it starts no thread:
    ///
    /// ```
    /// use imts::UreqTransport;
    /// use ureq::config::Config;
    /// use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
    /// use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
    ///
    /// /// Looks names up on the thread that makes the request, which waits as long as the system does.
    /// #[derive(Debug, Default)]
    /// struct OnThisThread(DefaultResolver);
    ///
    /// impl Resolver for OnThisThread {
    ///     fn resolve(
    ///         &self,
    ///         uri: &http::Uri,
    ///         config: &Config,
    ///         _: NextTimeout,
    ///     ) -> Result<ResolvedSocketAddrs, ureq::Error> {
    ///         self.0.resolve(uri, config, NextTimeout::default())
    ///     }
    /// }
    ///
    /// let config = Config::builder().proxy(None).build();
    /// let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), OnThisThread::default());
    /// let transport = UreqTransport::over(agent);
    /// # use imts::transport::Bounds;
    /// # use imts::Transport as _;
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let request = http::Request::post(format!("http://{}/", listener.local_addr()?));
    /// # let bounds = Bounds { reply_limit: 1, time_limit: std::time::Duration::from_secs(60) };
    /// # std::thread::spawn(move || {
    /// #     use std::io::{Read as _, Write as _};
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     assert!(stream.read(&mut [0; 4_096]).unwrap() > 0);
    /// #     stream.write_all(b"HTTP/1.1 204 \r\n\r\n").unwrap();
    /// # });
    /// # let response = transport.send(request.body(imts::secret::Body::from(Vec::new()))?, bounds)?;
    /// # assert_eq!(response.status(), 204);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A transport from a [`builder`](Self::builder) needs none of this: it looks a name up only
    /// for a new connection.
    ///
    /// An agent of the caller's own does not report how far a failed request had come. The request
    /// counts as not sent only if the agent refused the URL, or found no address for it. The agent
    /// does not hide responses from the log either: at the level TRACE, ureq's parser logs them,
    /// including tokens.
    #[must_use]
    pub fn over(agent: Agent) -> Self {
        Self { agent, masks: None, named: None }
    }
}

impl Transport for UreqTransport {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let (head, body) = request.into_parts();
        let request = self
            .agent
            .configure_request(Request::from_parts(head, body.as_ref()))
            // The transport's own connections enforce the limit: ureq would check it before it
            // checks what has come.
            .timeout_global(self.masks.is_none().then_some(bounds.time_limit))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        let Some(masks) = &self.masks else {
            let response = self.agent.run(request);
            let response = response.map_err(|error| exchange::failure(&error, None))?;
            return exchange::read(response, bounds.reply_limit, Cover::None);
        };
        let attempt = Attempt::begin(bounds);
        let response = self.agent.run(request);
        let response = response.map_err(|error| exchange::failure(&error, Some(&attempt)))?;
        exchange::read(response, bounds.reply_limit, Cover::Mask(masks.last()))
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        self.named.as_ref() == Some(host)
    }
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport").finish_non_exhaustive()
    }
}

/// Collects the settings of a [`UreqTransport`].
#[derive(Clone)]
#[must_use]
pub struct UreqBuilder {
    tls: Tls,
    proxy: Option<Proxy>,
    named: Option<PlainHost>,
    resolve: Resolve,
    connect_timeout: Duration,
    idle_connections: Duration,
}

impl UreqBuilder {
    /// Sets how long opening a connection may take: name lookup, TCP, proxy and TLS together.
    /// Default 10 s.
    ///
    /// Within this time every address of the host is tried, IPv6 and IPv4 in turn (RFC 8305). A new
    /// attempt starts 250 ms after the one before, or as soon as one fails. The first to complete
    /// its TLS handshake is used. If a host has several addresses, each attempt has its own thread;
    /// an attempt that lost ends within this time.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Replaces the system's resolver: a function from a host name and a port to addresses, in
    /// order of preference. It is called on its own thread, for the service's host or its proxy's
    /// host, never for an address or for `localhost`. At most 16 addresses are tried.
    pub fn resolver(
        self,
        resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self { resolve: Arc::new(resolve), ..self }
    }

    /// Sets a proxy for connections that leave this machine. Default none.
    pub fn proxy(self, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// Permits plain http to one host other than this machine, for a client of
    /// [`Endpoint::plain_named`]. For tests. Default none.
    ///
    /// A connection is opened only if every address of the name is loopback or private. That is
    /// checked for each connection, with the addresses that the connection is opened to. It goes
    /// through no proxy.
    ///
    /// [`Endpoint::plain_named`]: crate::Endpoint::plain_named
    pub fn plain_http_host(self, host: PlainHost) -> Self {
        Self { named: Some(host), ..self }
    }

    /// Builds the transport.
    #[must_use]
    pub fn build(self) -> UreqTransport {
        // If ureq itself finds a proxy in the environment, that proxy is dropped here unused.
        let config = Config::builder()
            .proxy(None)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .max_idle_age(self.idle_connections)
            .max_response_header_size(HEAD)
            .build();
        let masks = Masks::default();
        let named = self.named.clone();
        let connector = Connector::new(self, masks.clone());
        let agent = Agent::with_parts(config, connector, NoLookup);
        UreqTransport { agent, masks: Some(masks), named }
    }

    /// Opens a connection to a service as a request would, and closes it: name lookup, TCP, proxy
    /// and TLS, within this time limit. Sends no request. A program can check its settings by it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use imts::tls::Tls;
    /// use imts::{Endpoint, UreqTransport};
    ///
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let url = format!("http://{}", listener.local_addr()?);
    /// let endpoint = Endpoint::plain_loopback(&url)?; // or Endpoint::https(..)
    /// let settings = UreqTransport::builder(Tls::platform()?);
    /// settings.try_connection(&endpoint, Duration::from_secs(10))?;
    /// # drop(listener);
    /// assert!(settings.try_connection(&endpoint, Duration::from_secs(10)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the [`TransportError`] of a request that gets no connection.
    pub fn try_connection(
        &self,
        endpoint: &Endpoint,
        time_limit: Duration,
    ) -> Result<(), TransportError> {
        let attempt = Attempt::begin(Bounds { reply_limit: 0, time_limit });
        let connector = Connector::new(self.clone(), Masks::default());
        let uri = endpoint.as_str().parse().map_err(http::Error::from);
        let opened = uri.map_err(ureq::Error::from).and_then(|uri| connector.open(&uri));
        opened.map(drop).map_err(|error| exchange::failure(&error, Some(&attempt)))
    }
}

impl fmt::Debug for UreqBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqBuilder")
            .field("tls", &self.tls)
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

/// The maximum length of a response's head, in bytes.
const HEAD: usize = 65_536;
