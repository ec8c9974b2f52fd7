//! The service on a socket, on loopback alone.
//!
//! Owns the listener and its threads: one that accepts, and one for each connection. What is
//! answered is the [`Sandbox`]'s to say; how HTTP is spoken is in [`wire`].

mod delivery;
mod wire;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use http::{Request, Response};

use crate::log::Entry;
use crate::reply::Delay;
use crate::sandbox::Sandbox;
use crate::time::Time;

/// What answers a request: [`Sandbox::handle`], or something that misbehaves on purpose.
pub type Handler =
    Box<dyn FnMut(&mut Sandbox, Time, &Request<Vec<u8>>) -> Response<Vec<u8>> + Send>;

/// A sandbox that serves on a loopback port until it is dropped.
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
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    sandbox: Mutex<Sandbox>,
    handler: Mutex<Handler>,
    clock: Box<dyn Fn() -> Time + Send + Sync>,
    stopping: AtomicBool,
    /// Only a connection's own thread keeps its socket open, so that it can reset it.
    connections: Mutex<Vec<(Weak<TcpStream>, JoinHandle<()>)>>,
}

/// How a front is to serve.
pub struct FrontBuilder {
    sandbox: Sandbox,
    port: u16,
    handler: Handler,
    clock: Box<dyn Fn() -> Time + Send + Sync>,
}

impl Front {
    /// Serves a sandbox on a port that the system picks, by the machine's clock.
    ///
    /// # Errors
    ///
    /// The system's, where it gives no port.
    pub fn start(sandbox: Sandbox) -> io::Result<Self> {
        Self::builder(sandbox).start()
    }

    /// Serves a sandbox in another way.
    #[must_use]
    pub fn builder(sandbox: Sandbox) -> FrontBuilder {
        FrontBuilder {
            sandbox,
            port: 0,
            handler: Box::new(Sandbox::handle),
            clock: Box::new(|| Time::from(SystemTime::now())),
        }
    }

    /// The base URL, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// The sandbox behind it, to look at or to change. No request is answered meanwhile.
    pub fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        lock(&self.shared.sandbox)
    }

    /// Every request to the service so far.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.sandbox().log().to_vec()
    }
}

impl FrontBuilder {
    /// The port to listen on; 0, the default, lets the system pick one.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// What answers instead of [`Sandbox::handle`], which it may call.
    #[must_use]
    pub fn handler(
        self,
        handler: impl FnMut(&mut Sandbox, Time, &Request<Vec<u8>>) -> Response<Vec<u8>> + Send + 'static,
    ) -> Self {
        Self { handler: Box::new(handler), ..self }
    }

    /// Where the service reads the time.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// Begins to serve.
    ///
    /// # Errors
    ///
    /// The system's, where it does not give the port.
    pub fn start(self) -> io::Result<Front> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port))?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            sandbox: Mutex::new(self.sandbox),
            handler: Mutex::new(self.handler),
            clock: self.clock,
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let accepting = thread::Builder::new()
            .name("imts-sandbox".to_owned())
            .spawn(move || accepting.accept(&listener))?;
        Ok(Front { shared, accepting: Some(accepting) })
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream.map(Arc::new) else { continue };
            let handle = Arc::downgrade(&stream);
            let shared = Arc::clone(self);
            let thread = thread::Builder::new()
                .name("imts-sandbox-connection".to_owned())
                .spawn(move || drop(wire::serve(&stream, |request| shared.answer(request))));
            let mut connections = lock(&self.connections);
            connections.retain(|(_, thread)| !thread.is_finished());
            if let Ok(thread) = thread {
                connections.push((handle, thread));
            }
        }
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let response = {
            let mut handler = lock(&self.handler);
            handler(&mut lock(&self.sandbox), (self.clock)(), request)
        };
        if let Some(Delay(delay)) = response.extensions().get() {
            self.hold(*delay);
        }
        response
    }

    /// Sleeps, but not past the end of the front.
    fn hold(&self, mut delay: Duration) {
        const SLICE: Duration = Duration::from_millis(10);
        while !delay.is_zero() && !self.stopping.load(Ordering::SeqCst) {
            let slice = delay.min(SLICE);
            thread::sleep(slice);
            delay -= slice;
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts; should this fail, it has ended already.
        drop(TcpStream::connect(self.shared.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        for (stream, thread) in lock(&self.shared.connections).drain(..) {
            if let Some(stream) = stream.upgrade() {
                drop(stream.shutdown(Shutdown::Both));
            }
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

/// Locks; what a thread that panicked left behind is a sandbox's state all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
