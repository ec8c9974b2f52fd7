//! The service on a socket: on loopback, unless another address is given.
//!
//! Owns the listener and its threads: one that accepts, and one for each connection. Does not know
//! what to answer: the [`Sandbox`] decides that. Does not know how HTTP is spoken: [`wire`] does
//! that.

mod bell;
mod delivery;
mod gzip;
mod incoming;
mod sender;
mod stop;
mod whole;
mod wire;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use http::{Request, Response};
use socket2::SockRef;

use self::bell::Bell;
use self::stop::Stop;
use self::wire::Service;
use crate::delivery::Delivery;
use crate::log::Entry;
use crate::reply::Delay;
use crate::sandbox::Sandbox;
use crate::time::Time;

/// What answers a request: [`Sandbox::handle`], or a function that misbehaves on purpose.
pub type Handler =
    Box<dyn FnMut(&mut Sandbox, Time, &Request<Vec<u8>>) -> Response<Vec<u8>> + Send>;

/// A sandbox that serves on a port until it is dropped: on loopback, unless
/// [another address](FrontBuilder::host) is given.
///
/// ```
/// use imts_sandbox::{Front, Sandbox};
///
/// let front = Front::start(Sandbox::default())?;
/// assert!(front.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Front {
    shared: Arc<Shared>,
    listener: Arc<TcpListener>,
    accepting: Option<JoinHandle<()>>,
    sending: Option<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    sandbox: Mutex<Sandbox>,
    handler: Mutex<Handler>,
    clock: Box<dyn Fn() -> Time + Send + Sync>,
    request_within: Duration,
    most: usize,
    stop: Stop,
    /// Rings if there may be something to send.
    bell: Bell,
    /// Held while messages are sent, so that they leave in their order.
    sending: Mutex<()>,
    /// The connection of the message that is being sent.
    sent_over: Mutex<Option<TcpStream>>,
    answer_within: Duration,
    /// Only a connection's own thread keeps its socket open, so that it can reset it.
    connections: Mutex<Vec<(Weak<TcpStream>, JoinHandle<()>)>>,
}

/// Builds a [`Front`]: how it serves.
pub struct FrontBuilder {
    sandbox: Sandbox,
    host: IpAddr,
    port: u16,
    handler: Handler,
    clock: Box<dyn Fn() -> Time + Send + Sync>,
    request_within: Duration,
    answer_within: Duration,
    most: usize,
}

impl Front {
    /// Serves a sandbox on a port that the system picks, by the machine's clock.
    ///
    /// # Errors
    ///
    /// Returns the system's error if it gives no port or no thread.
    pub fn start(sandbox: Sandbox) -> io::Result<Self> {
        Self::builder(sandbox).start()
    }

    /// Returns a builder, to serve a sandbox with other settings.
    #[must_use]
    pub fn builder(sandbox: Sandbox) -> FrontBuilder {
        FrontBuilder {
            sandbox,
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            handler: Box::new(Sandbox::handle),
            clock: Box::new(|| Time::from(SystemTime::now())),
            request_within: Duration::from_secs(30),
            answer_within: Duration::from_secs(10),
            most: 4_096,
        }
    }

    /// Returns the base URL, such as `http://127.0.0.1:40123`. If the front listens on all
    /// addresses, it is the URL for this machine.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", here(self.shared.address))
    }

    /// Returns the address that the front listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Locks the sandbox, to look at it or to change it. While the guard lives, no request is
    /// answered.
    pub fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        lock(&self.shared.sandbox)
    }

    /// Sends every message that is due now, and reads the answers. Returns how many were sent. The
    /// front does this by itself after each request and when a message's time comes; a test whose
    /// clock moves calls it.
    pub fn send_due(&self) -> usize {
        self.shared.send_due()
    }

    /// Returns a copy of the sandbox's log: its latest requests, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.sandbox().log().to_vec()
    }
}

impl FrontBuilder {
    /// Sets the address to listen on, such as `0.0.0.0` for all IPv4 addresses of this machine.
    /// Default `127.0.0.1`.
    ///
    /// On any other address than loopback, anyone who reaches it can use and control the sandbox: its
    /// secrets protect nothing. This is for the network of a few containers, or of a CI job.
    #[must_use]
    pub fn host(self, host: IpAddr) -> Self {
        Self { host, ..self }
    }

    /// Sets the port to listen on. 0, the default, lets the system pick one.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Sets the function that answers in place of [`Sandbox::handle`], which it may call.
    #[must_use]
    pub fn handler(
        self,
        handler: impl FnMut(&mut Sandbox, Time, &Request<Vec<u8>>) -> Response<Vec<u8>> + Send + 'static,
    ) -> Self {
        Self { handler: Box::new(handler), ..self }
    }

    /// Sets the clock that the service reads.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// Sets how long a request may take to come in, from its first byte. A request that takes
    /// longer is answered with 408. A connection between two requests may stay silent for ever.
    /// Default 30 s.
    #[must_use]
    pub fn request_within(self, request_within: Duration) -> Self {
        Self { request_within, ..self }
    }

    /// Sets how long a receiver of the sandbox's own messages may take to answer. Default 10 s (the
    /// service's own limit is unknown).
    #[must_use]
    pub fn answer_within(self, answer_within: Duration) -> Self {
        Self { answer_within, ..self }
    }

    /// Sets how many connections the front serves at a time, each in a thread. It closes a further
    /// connection at once. Default 4,096.
    #[must_use]
    pub fn connections(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Starts to serve.
    ///
    /// # Errors
    ///
    /// Returns the system's error if it does not give the port or a thread.
    pub fn start(self) -> io::Result<Front> {
        let listener = Arc::new(TcpListener::bind((self.host, self.port))?);
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            sandbox: Mutex::new(self.sandbox),
            handler: Mutex::new(self.handler),
            clock: self.clock,
            request_within: self.request_within,
            answer_within: self.answer_within,
            most: self.most,
            stop: Stop::default(),
            bell: Bell::default(),
            sending: Mutex::default(),
            sent_over: Mutex::default(),
            connections: Mutex::default(),
        });
        let (accepting, listening) = (Arc::clone(&shared), Arc::clone(&listener));
        let accepting = thread::Builder::new()
            .name("imts-sandbox".to_owned())
            .spawn(move || accepting.accept(&listening))?;
        let sending = Arc::clone(&shared);
        let sending = thread::Builder::new()
            .name("imts-sandbox-sender".to_owned())
            .spawn(move || sending.send_on())?;
        let (accepting, sending) = (Some(accepting), Some(sending));
        Ok(Front { shared, listener, accepting, sending })
    }
}

/// Returns where this machine reaches an address that is listened on.
fn here(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    SocketAddr::new(host, address.port())
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        // How long to wait if `accept` fails, for example because no file descriptor is left.
        const PAUSE: Duration = Duration::from_millis(10);
        loop {
            let stream = listener.accept().map(|(stream, _)| Arc::new(stream));
            if self.stop.is_stopped() {
                return;
            }
            let mut connections = lock(&self.connections);
            connections.retain(|(_, thread)| !thread.is_finished());
            let Ok(stream) = stream else {
                drop(connections);
                self.stop.wait(PAUSE);
                continue;
            };
            if connections.len() >= self.most {
                continue;
            }
            let handle = Arc::downgrade(&stream);
            let shared = Arc::clone(self);
            let thread = thread::Builder::new()
                .name("imts-sandbox-connection".to_owned())
                .spawn(move || drop(shared.serve(&stream)));
            if let Ok(thread) = thread {
                connections.push((handle, thread));
            }
        }
    }

    /// Sends what is due, until the front ends.
    fn send_on(&self) {
        while !self.stop.is_stopped() {
            self.send_due();
            let due = lock(&self.sandbox).next_due((self.clock)());
            self.bell.wait(due);
        }
    }

    fn send_due(&self) -> usize {
        let _one_sender = lock(&self.sending);
        let mut sent = 0;
        while !self.stop.is_stopped() {
            let Some(outgoing) = lock(&self.sandbox).take_outgoing((self.clock)()) else { break };
            let opened = |stream: &TcpStream| {
                *lock(&self.sent_over) = stream.try_clone().ok();
                if self.stop.is_stopped() {
                    drop(stream.shutdown(Shutdown::Both));
                }
            };
            let answer = sender::send(&outgoing.request, self.answer_within, opened).ok();
            *lock(&self.sent_over) = None;
            lock(&self.sandbox).on_answer((self.clock)(), outgoing.number, answer.as_ref());
            sent += 1;
        }
        sent
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let service = Service {
            before_read: &|request| self.before_read(request),
            answer: &|request| self.answer(request),
            request_within: self.request_within,
            stop: &self.stop,
        };
        wire::serve(stream, &service)
    }

    fn before_read(&self, request: &Request<Vec<u8>>) -> Option<Delivery> {
        lock(&self.sandbox).before_read((self.clock)(), request.method(), request.uri().path())
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let response = {
            let mut handler = lock(&self.handler);
            handler(&mut lock(&self.sandbox), (self.clock)(), request)
        };
        self.bell.ring();
        if let Some(Delay(delay)) = response.extensions().get() {
            self.stop.wait(*delay);
        }
        response
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.stop.stop();
        self.shared.bell.ring();
        if let Some(stream) = lock(&self.shared.sent_over).take() {
            drop(stream.shutdown(Shutdown::Both));
        }
        // Wakes the accepting thread. Which of the two works depends on the system.
        drop(SockRef::from(&*self.listener).shutdown(Shutdown::Both));
        drop(TcpStream::connect(here(self.shared.address)));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        if let Some(sending) = self.sending.take() {
            drop(sending.join());
        }
        let connections = std::mem::take(&mut *lock(&self.shared.connections));
        for stream in connections.iter().filter_map(|(stream, _)| stream.upgrade()) {
            drop(stream.shutdown(Shutdown::Both));
        }
        for (_, thread) in connections {
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("address", &self.shared.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for FrontBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrontBuilder").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Locks. If a thread panicked, the state that it left is still a sandbox's state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
