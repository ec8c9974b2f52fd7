//! The process whose memory is searched. It keeps no copy of its own of what it is given.

use std::env;
use std::future::ready;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use http::{Request, Response};
use imts::endpoint::ServicePath;
use imts::operation::Custom;
use imts::secret::Body;
use imts::services::transfer::Status;
use imts::store::file::FileStore;
use imts::store::redis::RedisStore;
use imts::store::sealed::{Keys, Sealed};
use imts::tls::{Certificates, Tls};
use imts::transport::Bounds;
use imts::{
    AsyncClient, Builder, Client, Credentials, Endpoint, Evidence, HyperTransport, Outcome, Policy,
    Saved, TransportError, UreqTransport, services,
};
use imts_sandbox::DEFAULT_AGENT;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::sleep;
use zeroize::Zeroizing;

pub(crate) const CONTROL: &str = "IMTS_TEST_CHILD_CONTROL";
pub(crate) const URL: &str = "IMTS_TEST_CHILD_URL";
/// What is to be trusted, where the service speaks TLS.
pub(crate) const CERTIFICATE: &str = "IMTS_TEST_CHILD_CERTIFICATE";
pub(crate) const TRANSPORT: &str = "IMTS_TEST_CHILD_TRANSPORT";
/// The kind of store that the session is shared by, and where it is. Unset: none.
pub(crate) const STORE: &str = "IMTS_TEST_CHILD_STORE";
/// Where the service has the operation that is called.
pub(crate) const STATUS: &str = "/v5/partner/transfer/status-example";
/// How often it is granted tokens: by a sign-in, and by a refresh.
pub(crate) const GRANTS: usize = 2;

#[test]
fn child() {
    let Ok(control) = env::var(CONTROL) else { return };
    let mut control = TcpStream::connect(control).unwrap();
    let builder = stored(builder(&line(&mut control)));
    match env::var(TRANSPORT).unwrap().as_str() {
        "closure" => {
            let send = |request: Request<Body>, bounds: Bounds| exchange(&request, bounds);
            threads(&builder.blocking(send).unwrap(), &mut control);
        }
        "ureq" => threads(&builder.blocking(UreqTransport::new().unwrap()).unwrap(), &mut control),
        "two closures" => {
            let send = |request: Request<Body>, bounds: Bounds| ready(exchange(&request, bounds));
            let client = builder.nonblocking((send, |wait| sleep(wait))).unwrap();
            runtime().block_on(tasks(&client, &mut control));
        }
        "ureq over TLS" => {
            let transport = UreqTransport::builder(trusting()).build();
            threads(&builder.blocking(transport).unwrap(), &mut control);
        }
        "hyper-util" | "hyper-util over TLS" => {
            let runtime = runtime();
            let transport = HyperTransport::builder(trusting()).build();
            let client = builder.nonblocking(transport).unwrap();
            runtime.block_on(tasks(&client, &mut control));
        }
        other => panic!("{other}"),
    }
    control.write_all(b"dropped\n").unwrap();
    line(&mut control);
}

/// Adds the store that the session is shared by, if there is one.
fn stored(builder: Builder) -> Builder {
    let Ok(store) = env::var(STORE) else { return builder };
    let (kind, place) = store.split_once(' ').unwrap();
    match kind {
        "file" => builder.store(FileStore::open(place).unwrap()),
        "sealed" => {
            let store = FileStore::open(place).unwrap();
            builder.store(Sealed::over(store, Keys::new([7; 32])))
        }
        "redis" => builder.store(RedisStore::new(place.parse().unwrap())),
        other => panic!("{other}"),
    }
}

fn trusting() -> Tls {
    let certificate = env::var(CERTIFICATE).unwrap();
    if certificate.is_empty() {
        return Tls::platform().unwrap();
    }
    Tls::builder().only_roots(Certificates::from_pem(certificate).unwrap()).build().unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// A line of its instructions, byte by byte: nothing is read ahead.
fn line(control: &mut TcpStream) -> Zeroizing<String> {
    let (mut line, mut byte) = (Zeroizing::new(String::with_capacity(1_000)), [0]);
    while control.read(&mut byte).unwrap() == 1 && byte[0] != b'\n' {
        line.push(char::from(byte[0]));
    }
    line
}

fn builder(secret: &Zeroizing<String>) -> Builder {
    let mut operations = services::transfer::catalogue();
    let path = ServicePath::new(STATUS).unwrap();
    operations.set_path("status", path, Evidence::Assumed).unwrap();
    let mut policy = Policy::default();
    (policy.backoff_first, policy.settle) = (Duration::from_millis(1), Duration::ZERO);
    Builder::new(endpoint(&env::var(URL).unwrap()))
        .policy(policy)
        .service(services::transfer().with_operations(operations))
        .credentials(Credentials::new(DEFAULT_AGENT, secret.as_str()).unwrap())
}

fn endpoint(url: &str) -> Endpoint {
    match url.starts_with("https:") {
        true => Endpoint::https(url).unwrap(),
        false => Endpoint::plain_loopback(url).unwrap(),
    }
}

fn status() -> Custom<Status, Value> {
    Custom::new(json!({ "client_uuid": "17" }))
}

/// What was granted, for the one who searches.
fn tell(saved: &Saved, control: &mut TcpStream) {
    control.write_all(&saved.to_json()).unwrap();
    control.write_all(b"\n").unwrap();
}

fn threads(client: &Client, control: &mut TcpStream) {
    for _ in 0..GRANTS {
        let bearer = client.token().unwrap();
        assert!(matches!(client.call(&status()).unwrap(), Outcome::Done(_)));
        tell(&client.saved().unwrap(), control);
        if bearer.epoch().count() == 1 {
            client.reject(bearer.epoch());
            thread::sleep(Duration::from_millis(20));
        }
    }
    line(control);
}

async fn tasks(client: &AsyncClient, control: &mut TcpStream) {
    for _ in 0..GRANTS {
        let bearer = client.token().await.unwrap();
        assert!(matches!(client.call(&status()).await.unwrap(), Outcome::Done(_)));
        tell(&client.saved().unwrap(), control);
        if bearer.epoch().count() == 1 {
            client.reject(bearer.epoch());
            thread::sleep(Duration::from_millis(20));
        }
    }
    line(control);
}

/// A transport without an HTTP client: one request on a connection of its own, and every buffer wiped.
fn exchange(request: &Request<Body>, bounds: Bounds) -> Result<Response<Vec<u8>>, TransportError> {
    by_hand(request, bounds).map_err(|error| TransportError::unknown().because(error))
}

fn by_hand(request: &Request<Body>, bounds: Bounds) -> io::Result<Response<Vec<u8>>> {
    let (authority, body) = (request.uri().authority().unwrap(), request.body().as_ref());
    let mut stream = TcpStream::connect(authority.as_str())?;
    let (method, path, length) = (request.method(), request.uri().path(), body.len());
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n")?;
    write!(stream, "content-length: {length}\r\n")?;
    for (name, value) in request.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            stream.write_all(part)?;
        }
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(body)?;
    let mut reply = Zeroizing::new(vec![0; bounds.reply_limit + 16_384]);
    let mut filled = 0;
    loop {
        match stream.read(&mut reply[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    let mut lines = std::str::from_utf8(&reply[..end]).unwrap().lines();
    let mut response = Response::builder().status(lines.next().unwrap().split(' ').nth(1).unwrap());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(reply[end..filled].to_vec()).map_err(io::Error::other)
}
