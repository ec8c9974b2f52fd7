//! The ready-made transport of the blocking client, over ureq.
//!
//! Owns its settings: no redirect, no second try, the limits of a reply's head. Where connections go
//! is [`connect`]'s matter, what a failure proves [`exchange`]'s. It has no runtime: a request is
//! made on the thread that asks for it. Knows nothing of sessions.

mod attempt;
mod buffers;
mod connect;
mod exchange;
mod link;
mod lookup;
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
use imts_core::{Body, Failure};
use ureq::Agent;
use ureq::config::Config;

use self::attempt::Attempt;
use self::connect::{Connector, NoLookup};
use self::exchange::Cover;
use self::lookup::Resolve;
use self::mask::Masks;
use crate::connect::CONNECT_TIMEOUT;
use crate::proxy::Proxy;
use crate::tls::{Tls, TlsError};
use crate::transport::{Bounds, Transport};

/// Sends requests by ureq: HTTP/1.1, over TLS but for loopback.
///
/// It follows no redirect, sends nothing twice, takes a proxy only when given one and never for
/// loopback, and takes nothing from the environment but the place of the platform's roots. It has no runtime
/// of its own, and blocks the thread that calls it: inside an async runtime, the client's renewal has a thread
/// for itself, and only whoever waits for it is blocked. Clones share their connections.
///
/// ```
/// use std::time::Duration;
/// use imts::{Proxy, Tls, UreqTransport};
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
    /// What its connections cover the bodies of replies with; a caller's own `ureq::Agent` has none.
    masks: Option<Masks>,
}

impl UreqTransport {
    /// A transport that trusts what the platform trusts.
    ///
    /// # Errors
    ///
    /// [`TlsError::PlatformRoots`], where the platform has no roots.
    pub fn new() -> Result<Self, TlsError> {
        Ok(Self::builder(Tls::platform()?).build())
    }

    /// What a transport is made of, with these TLS settings.
    pub fn builder(tls: Tls) -> UreqBuilder {
        UreqBuilder {
            tls,
            proxy: None,
            resolve: lookup::system(),
            connect_timeout: CONNECT_TIMEOUT,
            idle_connections: IDLE,
        }
    }

    /// A transport over an agent of the caller's own, which answers for where its connections go and
    /// how long they may take to come about. Its middleware must send each request at most once.
    ///
    /// Redirects and errors by status are switched off for each request, and its time limit is set, as
    /// `timeout_global`. Under such a limit, ureq's own resolver starts a thread for each request, also if
    /// a connection is open already. An agent whose resolver knows nothing of the limit starts none:
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
    /// # use imts::{Bounds, Transport as _};
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let request = http::Request::post(format!("http://{}/", listener.local_addr()?));
    /// # let bounds = Bounds { reply_limit: 1, time_limit: std::time::Duration::from_secs(60) };
    /// # std::thread::spawn(move || {
    /// #     use std::io::{Read as _, Write as _};
    /// #     let (mut stream, _) = listener.accept().unwrap();
    /// #     assert!(stream.read(&mut [0; 4_096]).unwrap() > 0);
    /// #     stream.write_all(b"HTTP/1.1 204 \r\n\r\n").unwrap();
    /// # });
    /// # let response = transport.send(request.body(imts::Body::from(Vec::new()))?, bounds)?;
    /// # assert_eq!(response.status(), 204);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Connections of a [`builder`](Self::builder)'s transport need none of this: a name is looked up only for
    /// a new connection.
    ///
    /// How far a request that failed had come, such an agent does not tell: it counts as not sent
    /// only where the agent refused the URL, or found no address for it. Nor does it hide replies
    /// from the log: at the level TRACE, ureq's parser logs them, tokens included.
    #[must_use]
    pub fn over(agent: Agent) -> Self {
        Self { agent, masks: None }
    }
}

impl Transport for UreqTransport {
    fn send(&self, request: Request<Body>, bounds: Bounds) -> Result<Response<Vec<u8>>, Failure> {
        let (head, body) = request.into_parts();
        let request = self
            .agent
            .configure_request(Request::from_parts(head, body.as_ref()))
            // Our own connections keep the limit: ureq would look at it before it looks at what has come.
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
}

impl fmt::Debug for UreqTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqTransport").finish_non_exhaustive()
    }
}

/// Collects what a [`UreqTransport`] is made of.
#[must_use]
pub struct UreqBuilder {
    tls: Tls,
    proxy: Option<Proxy>,
    resolve: Resolve,
    connect_timeout: Duration,
    idle_connections: Duration,
}

impl UreqBuilder {
    /// How long a connection may take to come about: name, TCP, proxy and TLS together.
    /// Default 10 s.
    ///
    /// Within this time every address of the host is tried, IPv6 and IPv4 in turn (RFC 8305): a new
    /// attempt starts 250 ms after the one before, or as soon as one fails, and the first to complete
    /// its TLS handshake is used. If a host has several addresses, each attempt has a thread of its
    /// own; an attempt that lost ends within this time.
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Replaces the system's resolver: a function from a host name and a port to addresses, in the
    /// order of preference. It is called on a thread of its own, for the service's host or for its
    /// proxy's, and never for an address or for `localhost`. At most 16 addresses are tried.
    pub fn resolver(
        self,
        resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self { resolve: Arc::new(resolve), ..self }
    }

    /// A proxy for connections that leave this machine. Default none.
    pub fn proxy(self, proxy: Proxy) -> Self {
        Self { proxy: Some(proxy), ..self }
    }

    /// The transport.
    #[must_use]
    pub fn build(self) -> UreqTransport {
        // A proxy that ureq itself finds in the environment is dropped here unused.
        let config = Config::builder()
            .proxy(None)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .max_idle_age(self.idle_connections)
            .max_response_header_size(HEAD)
            .build();
        let masks = Masks::default();
        let connector = Connector::new(
            &self.tls,
            self.proxy,
            self.resolve,
            self.connect_timeout,
            self.idle_connections,
            masks.clone(),
        );
        let agent = Agent::with_parts(config, connector, NoLookup);
        UreqTransport { agent, masks: Some(masks) }
    }
}

impl fmt::Debug for UreqBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqBuilder")
            .field("tls", &self.tls)
            .field("proxy", &self.proxy)
            .field("connect_timeout", &self.connect_timeout)
            .field("idle_connections", &self.idle_connections)
            .finish_non_exhaustive()
    }
}

/// How long an idle connection is kept: less than servers usually do, so that a request seldom
/// meets one that is just being closed.
const IDLE: Duration = Duration::from_secs(30);

/// The most bytes that the head of a reply may have.
const HEAD: usize = 65_536;
