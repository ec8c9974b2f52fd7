//! The client for tasks over hyper-util: real sockets on loopback, a service that may be hostile.
#![cfg(feature = "hyper-util")]

mod crowd;
mod evidence;
mod hostile;
mod proxies;
mod runtimes;
#[cfg(feature = "tracing")]
mod traced;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use imts::{
    AsyncClient, Body, Bounds, Builder, Credentials, Endpoint, HyperBuilder, HyperTransport,
};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A service that does to each connection what a test says.
struct Raw {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// Everything that came in, over all connections.
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Raw {
    async fn start<F>(treat: impl Fn(Line) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, heard) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<_>>::default());
        let (count, ear) = (Arc::clone(&connections), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(treat(Line { stream, heard: Arc::clone(&ear) }));
            }
        });
        Self { address, connections, heard }
    }

    /// Answers each request, on whatever connection, with these bytes, and closes.
    async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |mut line| {
            let answer = Arc::clone(&answer);
            async move {
                line.request().await;
                line.say(&answer).await;
            }
        })
        .await
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    /// How many requests came in, whole or not.
    fn requests(&self) -> usize {
        self.heard().matches(" HTTP/1.1\r\n").count()
    }
}

/// One connection.
struct Line {
    stream: TcpStream,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Line {
    /// Reads one whole request, or what comes of one.
    async fn request(&mut self) {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        while !is_whole(&bytes) {
            let Ok(read @ 1..) = self.stream.read(&mut buffer).await else { return };
            bytes.extend_from_slice(&buffer[..read]);
            self.heard.lock().unwrap().extend_from_slice(&buffer[..read]);
        }
    }

    /// Whether it could be said.
    async fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.to_ascii_lowercase().split_once("content-length: ").map_or(0, |(_, rest)| {
        rest.split("\r\n").next().and_then(|length| length.parse().ok()).unwrap_or(0)
    });
    body.len() >= length
}

/// A grant as the service prints it, for a quarter of an hour.
const GRANT: &str = r#"{"state":true,"response_time":"2026-01-01T00:00:00.000000Z","payload":{"access_token":"access-1","refresh_token":"refresh-1","access_expire_at":"2026-01-01T00:15:00+00:00","refresh_expire_at":"2026-01-31T00:00:00+00:00"}}"#;

/// A whole answer with this body.
fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A configuration that trusts nobody: these tests speak plain HTTP.
fn no_trust() -> Arc<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Arc::new(config)
}

fn hyper() -> HyperBuilder {
    HyperTransport::builder(no_trust().into())
}

fn builder(url: &str) -> Builder {
    Builder::new(Endpoint::plain_loopback(url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
}

fn client(url: &str) -> AsyncClient {
    builder(url).nonblocking(hyper().build()).unwrap()
}

fn post(url: &str) -> Request<Body> {
    Request::post(url).body(Body::default()).unwrap()
}

const BOUNDS: Bounds = Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(10) };
