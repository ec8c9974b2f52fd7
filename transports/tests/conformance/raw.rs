//! A service that does to each connection what a test says, and counts what came.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::SockRef;

pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    connections: AtomicUsize,
    heard: Mutex<Vec<u8>>,
}

impl Raw {
    /// Treats each connection so, each on a thread of its own.
    pub(crate) fn start(treat: impl Fn(&mut Line) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, treat) = (Arc::new(Shared::default()), Arc::new(treat));
        let ear = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if ear.stopping.load(Ordering::SeqCst) {
                    return;
                }
                ear.connections.fetch_add(1, Ordering::SeqCst);
                let (treat, shared) = (Arc::clone(&treat), Arc::clone(&ear));
                thread::spawn(move || treat(&mut Line { stream, shared }));
            }
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// Answers one request on each connection with these bytes, and closes it.
    pub(crate) fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |line| {
            line.request();
            line.say(&answer);
        })
    }

    /// Reads, and says nothing.
    pub(crate) fn silent() -> Self {
        Self::start(Line::listen)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Everything that came in, over all connections.
    pub(crate) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.shared.heard.lock().unwrap()).into_owned()
    }

    /// How many requests came in, whole or not.
    pub(crate) fn requests(&self) -> usize {
        self.heard().matches(" HTTP/1.1\r\n").count()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
    }
}

/// One connection.
pub(crate) struct Line {
    pub(crate) stream: TcpStream,
    shared: Arc<Shared>,
}

impl Line {
    /// Reads one whole request, or what comes of one.
    pub(crate) fn request(&mut self) -> Vec<u8> {
        let mut request = Vec::new();
        while !is_whole(&request) && self.read(&mut request, 4_096) {}
        request
    }

    /// Reads this many bytes, or what comes of them.
    pub(crate) fn take(&mut self, bytes: usize) {
        let mut taken = Vec::new();
        loop {
            let left = bytes - taken.len();
            if left == 0 || !self.read(&mut taken, left) {
                return;
            }
        }
    }

    /// Reads until the peer has had enough.
    pub(crate) fn listen(&mut self) {
        while self.read(&mut Vec::new(), 4_096) {}
    }

    fn read(&mut self, into: &mut Vec<u8>, at_most: usize) -> bool {
        let mut buffer = [0; 4_096];
        match self.stream.read(&mut buffer[..at_most.min(4_096)]) {
            Ok(read @ 1..) => {
                into.extend_from_slice(&buffer[..read]);
                self.shared.heard.lock().unwrap().extend_from_slice(&buffer[..read]);
                true
            }
            _ => false,
        }
    }

    /// Whether it could be said.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Ends the connection by RST.
    pub(crate) fn reset(&self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// Whether these bytes are a whole request.
pub(crate) fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.to_ascii_lowercase().split_once("content-length: ").map_or(0, |(_, rest)| {
        rest.split("\r\n").next().and_then(|length| length.parse().ok()).unwrap_or(0)
    });
    body.len() >= length
}

/// What comes of an exchange within a short time; within a longer one, where the machine was too busy to
/// bring its request to the service in that.
pub(crate) fn heard_within<T>(service: &Raw, exchange: impl Fn(Duration) -> T) -> T {
    let outcomes = [600, 6_000, 60_000].into_iter().map(|millis| {
        let before = service.requests();
        let outcome = exchange(Duration::from_millis(millis));
        (outcome, service.requests() > before)
    });
    outcomes.into_iter().find(|(_, heard)| *heard).expect("the request comes").0
}

/// Waits until something holds, which it does soon.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < limit, "{what}");
        thread::sleep(Duration::from_millis(2));
    }
}
