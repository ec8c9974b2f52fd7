//! The blocking client over ureq: what is ureq's alone. What holds for both transports is in the
//! suite `conformance`.
#![cfg(feature = "ureq")]

mod ear;
mod logged;
mod not_sent;
mod own_agent;
mod requests;
mod threads;

use std::time::Duration;

use http::Request;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint, UreqTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};

const BOUNDS: Bounds = Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(30) };

fn ureq() -> UreqTransport {
    UreqTransport::new().unwrap()
}

fn builder(url: &str) -> Builder {
    Builder::new(Endpoint::plain_loopback(url).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
}

fn post(url: &str) -> Request<Body> {
    Request::post(url).body(Body::from(b"{}".to_vec())).unwrap()
}
