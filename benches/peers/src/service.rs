//! The service that every client is measured against: both dialects of a token endpoint, and one
//! protected operation.
//!
//! Owns its socket on loopback, its tokens and its counts. Does not know the clients.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// The documented reply to Get token: what the protected operation answers, 958 bytes.
pub const REPLY: &[u8] = include_bytes!("../../../core/tests/fixtures/get-token.reply.json");

/// The size of every access token, as in the documented reply.
pub const TOKEN_BYTES: usize = 344;

/// How the service answers.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// How long each reply to a token request is held back.
    pub latency: Duration,
    /// How long access tokens live.
    pub lifetime: Duration,
    /// What token requests get instead of a token.
    pub downtime: Option<Downtime>,
}

/// A time in which no token is given.
#[derive(Clone, Debug)]
pub struct Downtime {
    /// The status of every reply.
    pub status: u16,
    /// What `Retry-After` says, in seconds.
    pub retry_after: Option<u64>,
    /// When it is over.
    pub until: Option<Instant>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self { latency: Duration::ZERO, lifetime: Duration::from_secs(3_600), downtime: None }
    }
}

/// A service on a port of its own, until it is dropped.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    behaviour: Mutex<Behaviour>,
    calls: AtomicUsize,
    /// Numbers refresh tokens: only the last one given is good.
    refresh: AtomicU64,
    reused: AtomicUsize,
    is_revoked: AtomicBool,
}

/// Where all services run: a thread apart from the clients' own.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("the system gives a thread")
});

/// Has the thread of all services run on these cores alone.
///
/// # Panics
///
/// If none of them is allowed.
pub fn run_on(cores: CpuSet) {
    let (done, is_done) = std::sync::mpsc::channel();
    // There is one thread to take it.
    RUNTIME.spawn(async move { done.send(sched_setaffinity(None, &cores)) });
    is_done.recv().expect("the thread is there").expect("the cores are allowed");
}

impl Service {
    /// Begins to serve.
    ///
    /// # Panics
    ///
    /// Where the system gives no port.
    #[must_use]
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
        listener.set_nonblocking(true).expect("a socket can be made not to block");
        let shared = Arc::new(Shared {
            address: listener.local_addr().expect("a bound socket has an address"),
            behaviour: Mutex::new(behaviour),
            calls: AtomicUsize::new(0),
            refresh: AtomicU64::new(0),
            reused: AtomicUsize::new(0),
            is_revoked: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let accepting = RUNTIME.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("the runtime takes the socket");
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                tokio::spawn(async move { drop(shared.serve(stream).await) });
            }
        });
        Self { shared, accepting }
    }

    /// The base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Where OAuth clients ask for tokens.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/token", self.url())
    }

    /// The protected operation.
    #[must_use]
    pub fn operation_url(&self) -> String {
        format!("{}/operation", self.url())
    }

    /// Answers differently from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect("no holder panics") = behaviour;
    }

    /// How many token requests have come in.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.shared.calls.load(SeqCst)
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.shared.calls.store(0, SeqCst);
    }

    /// How often a refresh token was presented that another had followed.
    #[must_use]
    pub fn reused(&self) -> usize {
        self.shared.reused.load(SeqCst)
    }

    /// A refresh token as an earlier process would have saved it.
    #[must_use]
    pub fn give_refresh_token(&self) -> String {
        self.shared.next_refresh_token()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let (mut line, mut body) = (String::new(), Vec::new());
        loop {
            let (mut path, mut length, mut is_authenticated) = (String::new(), 0, false);
            loop {
                line.clear();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                let text = line.trim_end();
                if text.is_empty() {
                    break;
                }
                match text.split_once(": ") {
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.parse().map_err(std::io::Error::other)?;
                    }
                    Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                        is_authenticated = value.starts_with("Bearer ");
                    }
                    None => path = text.split(' ').nth(1).unwrap_or_default().to_owned(),
                    Some(_) => {}
                }
            }
            body.resize(length, 0);
            stream.read_exact(&mut body).await?;
            let answer = if path == "/operation" {
                let status = if is_authenticated { 200 } else { 401 };
                http(status, None, REPLY)
            } else {
                self.token(&path, &String::from_utf8_lossy(&body)).await
            };
            stream.get_mut().write_all(&answer).await?;
        }
    }

    async fn token(&self, path: &str, request: &str) -> Vec<u8> {
        self.calls.fetch_add(1, SeqCst);
        let Behaviour { latency, lifetime, downtime } =
            self.behaviour.lock().expect("no holder panics").clone();
        // The request is processed when it arrives, even if its sender has gone.
        let is_granted = self.accepts(request);
        let refresh_token = self.next_refresh_token();
        tokio::time::sleep(latency).await;
        if let Some(downtime) = downtime
            && downtime.until.is_none_or(|until| Instant::now() < until)
        {
            let body = br#"{"error":"temporarily_unavailable","error_description":"an outage"}"#;
            return http(downtime.status, downtime.retry_after, body);
        }
        if !is_granted {
            let body = br#"{"error":"invalid_grant","error_description":"not the last one"}"#;
            return http(400, None, body);
        }
        let access_token = token("access");
        let body = if path.starts_with("/v5/") {
            let now = Utc::now();
            let date = |at: chrono::DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
            format!(
                r#"{{"state":true,"response_time":"{}","payload":{{"access_token":"{access_token}","refresh_token":"{refresh_token}","access_expire_at":"{}","refresh_expire_at":"{}"}}}}"#,
                date(now),
                date(now + lifetime),
                date(now + Duration::from_secs(30 * 86_400)),
            )
        } else {
            let seconds = lifetime.as_secs();
            format!(
                r#"{{"access_token":"{access_token}","refresh_token":"{refresh_token}","expires_in":{seconds},"ext_expires_in":{seconds},"token_type":"Bearer"}}"#
            )
        };
        http(200, None, body.as_bytes())
    }

    /// Whether the credentials are good: all are, but for a refresh token that another has followed,
    /// which revokes those that descend from it.
    fn accepts(&self, request: &str) -> bool {
        let Some((_, after)) = request.split_once("refresh-") else {
            self.is_revoked.store(false, SeqCst);
            return true;
        };
        let number = after.split('-').next().and_then(|number| number.parse().ok());
        if number != Some(self.refresh.load(SeqCst)) {
            self.reused.fetch_add(1, SeqCst);
            self.is_revoked.store(true, SeqCst);
        }
        !self.is_revoked.load(SeqCst)
    }

    fn next_refresh_token(&self) -> String {
        token(&format!("refresh-{}", self.refresh.fetch_add(1, SeqCst) + 1))
    }
}

/// A token of [`TOKEN_BYTES`].
fn token(name: &str) -> String {
    format!("{name}-{}", "x".repeat(TOKEN_BYTES - name.len() - 1))
}

fn http(status: u16, retry_after: Option<u64>, body: &[u8]) -> Vec<u8> {
    let retry_after =
        retry_after.map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n{retry_after}content-length: {length}\r\n\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}
