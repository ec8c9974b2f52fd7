//! A service that closes idle connections on request, stamps each close, and keeps a ledger of what
//! arrived.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};
use serde_json::Value;

use crate::wire::{Came, Close, Wire};
use crate::{LIMIT, now};

/// What becomes of a connection after a reply.
pub(crate) enum Idle {
    /// It stays open.
    Stays,
    /// It is closed after this time, if no request comes before.
    Ends(Duration, Close),
    /// It is closed a moment after a signal.
    Aimed(Arc<Aim>),
}

/// Closes a connection so many nanoseconds after a signal.
#[derive(Default)]
pub(crate) struct Aim {
    pub(crate) fired: AtomicBool,
    pub(crate) delay: AtomicU64,
}

pub(crate) struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    stopping: AtomicBool,
    tls: Option<Arc<ServerConfig>>,
    idle: Box<dyn Fn() -> Idle + Send + Sync>,
    ledger: Mutex<Ledger>,
    changed: Condvar,
}

#[derive(Default)]
pub(crate) struct Ledger {
    /// How often each reference has arrived.
    pub(crate) arrived: BTreeMap<String, u32>,
    /// What was granted a token: `auth` for a sign-in, `refresh` for a refresh.
    pub(crate) grants: Vec<String>,
    pub(crate) connections: usize,
    /// How many connections have ended, by either side.
    pub(crate) ended: usize,
    /// When each close of the service's own began, and when it was over.
    closes: Vec<(u64, u64)>,
}

impl Ledger {
    pub(crate) fn arrived(&self, reference: &str) -> u32 {
        self.arrived.get(reference).copied().unwrap_or_default()
    }

    /// Whether a connection was closed between these two moments.
    pub(crate) fn closed_within(&self, began: u64, ended: u64) -> bool {
        self.closes.iter().any(|(before, after)| *after >= began && *before <= ended)
    }
}

impl Service {
    /// Asks after each reply what becomes of the connection.
    pub(crate) fn start(
        tls: Option<Arc<ServerConfig>>,
        idle: impl Fn() -> Idle + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            stopping: AtomicBool::new(false),
            tls,
            idle: Box::new(idle),
            ledger: Mutex::default(),
            changed: Condvar::new(),
        });
        let shares = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if shares.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shares);
                shared.ledger.lock().unwrap().connections += 1;
                thread::spawn(move || {
                    shared.serve(stream);
                    shared.ledger.lock().unwrap().ended += 1;
                    shared.changed.notify_all();
                });
            }
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.shared.ledger.lock().unwrap()
    }

    /// Waits until every connection but so many has ended.
    pub(crate) fn has_open(&self, open: usize) {
        let until = Instant::now() + LIMIT;
        let mut ledger = self.ledger();
        while ledger.connections - ledger.ended > open {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "connections do not end");
            ledger = self.shared.changed.wait_timeout(ledger, left).unwrap().0;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().unwrap();
        }
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let tls = self.tls.clone().map(|config| ServerConnection::new(config).unwrap());
        let mut wire = Wire::new(stream, tls);
        let mut idle = Idle::Stays;
        loop {
            let (came, by) = match idle {
                Idle::Stays => (wire.request(None), Close::Fin),
                Idle::Ends(after, by) => (wire.request(Some(after)), by),
                Idle::Aimed(aim) => (aimed(&mut wire, &aim), Close::Fin),
            };
            match came {
                Came::Request { path, body } => {
                    let reply = self.take(&path, &body);
                    idle = (self.idle)();
                    if wire.say(reply_of(&reply).as_bytes()).is_err() {
                        return;
                    }
                }
                Came::Nothing => {
                    let rest = self.close(wire, by);
                    if let Some(mut rest) = rest {
                        rest.set_read_timeout(Some(LIMIT)).unwrap();
                        while rest.read(&mut [0; 4_096]).is_ok_and(|read| read > 0) {}
                    }
                    return;
                }
                Came::End => return,
            }
        }
    }

    fn close(&self, wire: Wire, by: Close) -> Option<TcpStream> {
        let which = {
            let mut ledger = self.ledger.lock().unwrap();
            ledger.closes.push((now(), u64::MAX));
            ledger.closes.len() - 1
        };
        let client = wire.client();
        let rest = wire.close(by);
        has_arrived(client);
        self.ledger.lock().unwrap().closes[which].1 = now();
        rest
    }

    /// Enters what arrived into the ledger.
    fn take(&self, path: &str, body: &[u8]) -> String {
        if let Some((_, grant)) = path.split_once("/agent/") {
            self.ledger.lock().unwrap().grants.push(grant.to_owned());
            return GRANT.to_owned();
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let reference = body["client_uuid"].as_str().unwrap().to_owned();
        *self.ledger.lock().unwrap().arrived.entry(reference).or_default() += 1;
        format!(r#"{{"state":true,"payload":{body}}}"#)
    }
}

/// Waits until the client's side of a connection has heard of its end. A busy kernel delivers it later than
/// it takes it.
fn has_arrived(client: Option<SocketAddr>) {
    #[cfg(target_os = "linux")]
    if let Some(SocketAddr::V4(client)) = client {
        let address = u32::from_le_bytes(client.ip().octets());
        let local = format!(" {address:08X}:{:04X} ", client.port());
        let established = |line: &str| line.contains(&local) && line.contains(" 01 ");
        let until = Instant::now() + LIMIT;
        while std::fs::read_to_string("/proc/net/tcp").unwrap().lines().any(established) {
            assert!(Instant::now() < until, "the end of a connection does not arrive");
            thread::yield_now();
        }
    }
    #[cfg(not(target_os = "linux"))]
    drop(client);
}

/// Spins until the signal, and a moment longer: a sleep would miss the moment.
fn aimed(wire: &mut Wire, aim: &Aim) -> Came {
    while !aim.fired.swap(false, Ordering::SeqCst) {
        if wire.has_come() {
            return wire.request(None);
        }
        thread::yield_now();
    }
    let from = now();
    while now() - from < aim.delay.load(Ordering::SeqCst) {
        std::hint::spin_loop();
    }
    if wire.has_come() { wire.request(None) } else { Came::Nothing }
}

pub(crate) fn reply_of(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A grant as the service prints it, for a quarter of an hour.
pub(crate) const GRANT: &str = r#"{"state":true,"response_time":"2026-01-01T00:00:00.000000Z","payload":{"access_token":"access-1","refresh_token":"refresh-1","access_expire_at":"2026-01-01T00:15:00+00:00","refresh_expire_at":"2026-01-31T00:00:00+00:00"}}"#;

/// A service's TLS settings, and who certifies it, in PEM.
pub(crate) type Certified = (Arc<ServerConfig>, String);

/// What makes a service speak TLS.
pub(crate) fn certified() -> Certified {
    let names = ["127.0.0.1".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), cert.pem())
}
