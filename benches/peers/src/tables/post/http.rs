//! The HTTP clients that a whole request is made with.
//!
//! Owns what each sends and how it reads: the same bytes. Knows nothing of tokens.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use imts::secret::Body;
use imts::tls::Tls;
use imts::transport::Bounds;
use imts::{AsyncTransport, HyperTransport, Transport, UreqTransport};

use crate::service::REPLY;

/// What each request carries: memory that it gets, as after an encoder.
pub(super) const BODY: &[u8] =
    include_bytes!("../../../../../core/tests/fixtures/get-token.request.json");
const BOUNDS: Bounds = Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(30) };

/// An HTTP client that posts [`BODY`] and reads the whole reply.
pub(super) trait Http: Send + Sync + 'static {
    const NAME: &'static str;
    /// The client that this one is made of, or itself.
    const BARE: &'static str = Self::NAME;
    /// Whether a request blocks its thread: then its future waits for nothing.
    const BLOCKS: bool = false;

    fn new() -> Self;
    fn post(&self, url: &str, value: HeaderValue) -> impl Future<Output = usize> + Send;
}

pub(super) struct HyperUtil(Client<HttpConnector, Full<Bytes>>);

impl Http for HyperUtil {
    const NAME: &'static str = "hyper-util";

    fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(Full::from(BODY.to_vec()));
        let response = self.0.request(request.expect("the parts make a request")).await;
        let body = response.expect("the service answers").into_body().collect().await;
        body.expect("the body is whole").to_bytes().len()
    }
}

pub(super) struct Reqwest(reqwest::Client);

impl Http for Reqwest {
    const NAME: &'static str = "reqwest";

    fn new() -> Self {
        Self(reqwest::Client::builder().no_proxy().build().expect("it has defaults"))
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = self.0.post(url).header(CONTENT_TYPE, "application/json");
        let response = request.header(AUTHORIZATION, value).body(BODY.to_vec()).send().await;
        response.expect("the service answers").bytes().await.expect("the body is whole").len()
    }
}

impl Http for HyperTransport {
    const NAME: &'static str = "HyperTransport";
    const BARE: &'static str = HyperUtil::NAME;

    fn new() -> Self {
        let tls = Tls::platform().expect("the platform verifies certificates");
        HyperTransport::builder(tls).build()
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(Body::from(BODY.to_vec()));
        let sending = self.send(request.expect("the parts make a request"), BOUNDS);
        sending.await.expect("the service answers").body().len()
    }
}

impl Http for UreqTransport {
    const NAME: &'static str = "UreqTransport";
    const BARE: &'static str = Ureq::NAME;
    const BLOCKS: bool = true;

    fn new() -> Self {
        UreqTransport::new().expect("it has defaults")
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(Body::from(BODY.to_vec()));
        let response = self.send(request.expect("the parts make a request"), BOUNDS);
        response.expect("the service answers").body().len()
    }
}

pub(super) struct Ureq(ureq::Agent);

impl Http for Ureq {
    const NAME: &'static str = "ureq";
    const BLOCKS: bool = true;

    fn new() -> Self {
        Self(ureq::Agent::config_builder().proxy(None).build().new_agent())
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(BODY.to_vec()).expect("the parts make a request");
        let mut response = self.0.run(request).expect("the service answers");
        response.body_mut().read_to_vec().expect("the body is whole").len()
    }
}

fn request(url: &str, value: HeaderValue) -> http::request::Builder {
    Request::post(url).header(CONTENT_TYPE, "application/json").header(AUTHORIZATION, value)
}

/// No HTTP client: sockets, kept, and no more knowledge of HTTP than where this reply ends.
pub(super) struct Raw(Mutex<Vec<TcpStream>>);

impl Http for Raw {
    const NAME: &'static str = "limit: raw socket";
    const BLOCKS: bool = true;

    fn new() -> Self {
        Self(Mutex::default())
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let socket = kept().pop();
        let mut socket = socket.unwrap_or_else(|| {
            let socket = TcpStream::connect(authority).expect("the service listens");
            socket.set_nodelay(true).expect("it is TCP");
            socket
        });
        let mut request = Vec::with_capacity(1_024);
        let length = BODY.len();
        write!(
            request,
            "POST /operation HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nauthorization: "
        )
        .expect("memory takes everything");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(BODY);
        socket.write_all(&request).expect("the service reads");
        let mut reply = [0; 2_048];
        let mut read = 0;
        while !reply[..read].ends_with(REPLY) {
            read += socket.read(&mut reply[read..]).expect("the service answers");
        }
        kept().push(socket);
        REPLY.len()
    }
}
