//! The ready-made transport of the client for tasks, over hyper and hyper-util.
//!
//! Owns its settings: HTTP/1.1, no redirect, no second try of a request that may have been sent,
//! limits for a response's head. Also owns what a failure proves. `connect` opens connections;
//! `pool` decides when to reuse one. Does not know about sessions.

mod alarm;
mod builder;
mod connect;
mod connection;
mod exchange;
mod filter;
mod own;
mod pool;
mod racing;
mod runtime;
mod target;
mod tunnel;
mod under_way;
mod wire;

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, Uri};
use hyper::rt::{Executor as _, Timer};
use hyper_util::client::legacy::{Client, connect::Connect};
use imts_core::TransportError;
use imts_core::endpoint::PlainHost;
use imts_core::secret::Body;
use imts_core::transport_error::NotSent;
use thiserror::Error;

use self::alarm::Alarm;
pub use self::builder::HyperBuilder;
use self::connect::Connector;
use self::connection::{Connection, Unanswered};
pub use self::exchange::HyperBody;
use self::own::Requests;
use self::pool::{Key, Pool};
use self::runtime::{Home, Runtime, Time};
use self::target::{host, key, origin_form};
use self::under_way::UnderWay;
use crate::clock::{Clock as _, SystemClock};
use crate::connect::ConnectError;
use crate::reason::Reason;
use crate::tls::{Tls, TlsError};
use crate::transport::{AsyncTransport, Bounds, BoxFuture, Progress};
use crate::within::within;

/// Sends requests with hyper: HTTP/1.1, over TLS except to loopback and to a
/// [named host](HyperBuilder::plain_http_host).
///
/// It follows no redirect and sends no request twice. It uses a proxy only if one is set, and never
/// for loopback. From the environment it reads only the location of the platform's roots. Clones
/// share their connections. It reuses a connection only in the runtime that opened it, and only if
/// the connection is open and empty when the request is written.
///
/// ```
/// use std::time::Duration;
/// use imts::{HyperTransport, proxy::Proxy, tls::Tls};
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
    over: Over,
    time: Time,
}

#[derive(Clone)]
enum Over {
    Ours(Arc<Connections>),
    Client(Arc<dyn Requests>),
}

/// The connections of one transport.
struct Connections {
    runtime: Runtime,
    connector: Connector,
    pool: Arc<Pool>,
    under_way: UnderWay,
}

impl HyperTransport {
    /// Creates a transport on tokio that trusts what the platform trusts.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError::PlatformRoots`] if the platform has no roots.
    pub fn new() -> Result<Self, TlsError> {
        Ok(Self::builder(Tls::platform()?).build())
    }

    /// Starts building a transport with these TLS settings.
    pub fn builder(tls: Tls) -> HyperBuilder {
        HyperBuilder::new(tls)
    }

    /// Creates a transport over the caller's own client. That client is responsible for where
    /// connections go and how long they may take to open.
    ///
    /// Pass the timer of the client's runtime, and give it to the client too, as its `pool_timer`.
    /// Unless the client's `retry_canceled_requests` is off, it may retry a request that it knows
    /// was not sent. Such a client may use a connection that no one has watched. Then a request
    /// that never arrived is in doubt. If you send calls that move money, let this transport open
    /// the connections.
    pub fn over<C>(client: Client<C, HyperBody>, timer: impl Timer + Send + Sync + 'static) -> Self
    where
        C: Connect + Clone + Send + Sync + 'static,
    {
        Self { over: Over::Client(Arc::new(client)), time: Time(Arc::new(timer)) }
    }

    /// Returns the runtime of requests that are made on the current thread.
    fn home(&self) -> Option<Home> {
        match &self.over {
            Over::Ours(ours) => (ours.runtime.home)(),
            Over::Client(_) => None,
        }
    }
}

impl AsyncTransport for HyperTransport {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        self.send_reporting(request, bounds, Progress::default())
    }

    fn send_reporting(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        Box::pin(async move {
            let home = self.home();
            let _counted = match &self.over {
                Over::Ours(ours) => {
                    progress.hold();
                    Some(ours.under_way.enter(home).await)
                }
                Over::Client(_) => None,
            };
            let (request, limit) = (request.map(HyperBody::from), bounds.reply_limit);
            let alarm = Alarm::new(&self.time);
            let exchange = pin!(async {
                match &self.over {
                    Over::Ours(ours) => ours.send(request, home, limit, &progress, &alarm).await,
                    Over::Client(client) => own::exchange(&**client, request, limit).await,
                }
            });
            let outcome = within(bounds.time_limit, |beat| alarm.ring_after(beat), exchange)
                .await
                .unwrap_or_else(|| Err(failure(&progress).timed_out()));
            if outcome.is_err() && self.home() != home {
                // What was begun in a runtime that is gone fails in the next runtime.
                progress.strand();
            }
            outcome
        })
    }

    fn keeps_time(&self) -> bool {
        true
    }

    fn checks_plain_host(&self, host: &PlainHost) -> bool {
        match &self.over {
            Over::Ours(ours) => ours.connector.named() == Some(host),
            Over::Client(_) => false,
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.time.sleep(duration)
    }
}

impl Connections {
    /// Sends a request over an idle connection, or over a new one if none is idle. If an idle
    /// connection did not take the request, the next one gets it.
    async fn send(
        &self,
        mut request: Request<HyperBody>,
        home: Option<Home>,
        limit: usize,
        progress: &Progress,
        alarm: &Alarm<'_>,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let failed = |why: Reason| failure(progress).because(why);
        let home = home.ok_or_else(|| failed(Reason::of(&NoTokio)))?;
        let uri = origin_form(request.uri_mut());
        let key = key(&uri, home).ok_or_else(|| failed(Reason::of(&ConnectError::Host)))?;
        loop {
            let idle = self.idle(&key).await;
            let was_idle = idle.is_some();
            let mut connection = match idle {
                Some(connection) => connection,
                // Boxed, so that the future of a request that opens no connection is small.
                None => Box::pin(self.open(&uri, progress)).await?,
            };
            alarm.take_over(&mut connection.timer);
            match connection.exchange(request, limit, progress).await {
                Ok((response, usable)) => {
                    if let Some(connection) = usable {
                        self.keep(key, connection, alarm);
                    }
                    return Ok(response);
                }
                Err(Unanswered { request: Some(untaken), .. })
                    if was_idle && progress.is_held() =>
                {
                    request = untaken;
                }
                Err(Unanswered { why, .. }) => return Err(failed(why)),
            }
        }
    }

    /// Keeps a connection for the next request.
    fn keep(&self, key: Key, mut connection: Box<Connection>, alarm: &Alarm<'_>) {
        if matches!(key.home, Home::Tokio(_)) {
            connection.timer = alarm.give_up();
        }
        if let Some(tending) = self.pool.put(key, connection, SystemClock.coarse()) {
            let Runtime { tasks, time, .. } = &self.runtime;
            tasks.execute(Box::pin(tending.go_on(time.clone())));
        }
    }

    /// Returns an idle connection. If a read may know less than the system, a connection that has
    /// waited is checked after the runtime has turned once.
    async fn idle(&self, key: &Key) -> Option<Box<Connection>> {
        let afresh = self.runtime.reads_afresh;
        loop {
            let now = if afresh { SystemClock.coarse() } else { SystemClock.now() };
            let (connection, idle) = self.pool.take(key, now)?;
            if afresh || idle < UNWATCHED {
                return Some(connection);
            }
            // Boxed, because this is seldom needed.
            let survives = Box::pin(connection.survives_a_turn(&self.runtime.time));
            if let Some(connection) = survives.await {
                return Some(connection);
            }
        }
    }

    async fn open(
        &self,
        uri: &Uri,
        progress: &Progress,
    ) -> Result<Box<Connection>, TransportError> {
        let (io, watch) = self.connector.connect(uri).await.map_err(|error| {
            let failure = failure(progress).because(Reason::of(&error));
            if matches!(error, ConnectError::TimedOut(_)) { failure.timed_out() } else { failure }
        })?;
        let host = host(uri).ok_or(ConnectError::Host);
        let host = host.map_err(|error| failure(progress).because(Reason::of(&error)))?;
        let opened = Connection::over(io, watch, host).await;
        opened.map_err(|error| failure(progress).because(Reason::of(&error)))
    }
}

/// Returns the failure of a request that has come this far.
fn failure(progress: &Progress) -> TransportError {
    if progress.is_held() {
        TransportError::not_sent(NotSent::vouch())
    } else {
        TransportError::unknown()
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}

#[derive(Debug, Error)]
#[error("no tokio runtime: poll the client inside one, or build the transport for another runtime")]
struct NoTokio;

/// If a connection has waited longer than this, the server may have closed it meanwhile.
const UNWATCHED: Duration = Duration::from_millis(1);

/// The maximum length of a response's head, in bytes.
const BUFFER: usize = 65_536;

#[cfg(test)]
mod tests {
    use std::mem::size_of_val;
    use std::net::{Ipv4Addr, TcpListener};
    use std::task::{Context, Waker};
    use std::time::Duration;

    use http::Request;
    use imts_core::secret::Body;

    use super::HyperTransport;
    use crate::tls::Tls;
    use crate::transport::{AsyncTransport as _, Bounds, Progress};

    const BOUNDS: Bounds = Bounds { reply_limit: 1, time_limit: Duration::from_secs(60) };

    #[test]
    fn a_request_carries_no_room_for_what_few_requests_do() {
        let transport = HyperTransport::builder(Tls::platform().unwrap()).build();
        let sending = transport.send(Request::new(Body::from(Vec::new())), BOUNDS);
        let size = size_of_val(&*sending);
        assert!(size <= 3_072, "each request moves {size} bytes");
    }

    #[test]
    fn a_request_that_lets_others_go_first_is_not_sent_yet() {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = tokio.enter();
        let transport = HyperTransport::builder(Tls::platform().unwrap()).build();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let progress: [Progress; 3] = Default::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut sending = progress.clone().map(|progress| {
            let request = Request::post(&url).body(Body::from(Vec::new())).unwrap();
            transport.send_reporting(request, BOUNDS, progress)
        });
        for sending in &mut sending {
            assert!(sending.as_mut().poll(&mut cx).is_pending());
        }
        drop(sending);
        assert!(progress.iter().all(Progress::is_held));
    }
}
