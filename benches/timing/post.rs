//! A whole authenticated `POST` over loopback, by each transport and by the bare client under it.
//!
//! Each sends the same 59 bytes with the same bearer over a connection that stays open, and reads the
//! same 958 bytes of reply. The transports do more: bounds on time and size, and a failure's proof.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use divan::Bencher;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use imts::secret::Body;
use imts::tls::Tls;
use imts::transport::Bounds;
use imts::{AsyncTransport, HyperTransport, Transport, UreqTransport};
use imts_benches::ready::{self, REPLY};
use imts_benches::server::Server;
use tokio::runtime::{Builder, Runtime};

const BODY: &[u8] = include_bytes!("../../core/tests/fixtures/get-token.request.json");
const BOUNDS: Bounds = Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(30) };

static URL: LazyLock<String> =
    LazyLock::new(|| Server::start().expect("loopback has a port to give").url());

fn main() {
    LazyLock::force(&URL);
    divan::main();
}

#[divan::bench(sample_size = 20)]
fn hyper_transport(bencher: Bencher<'_, '_>) {
    let (runtime, authorization) = (runtime(), authorization());
    let tls = Tls::platform().expect("the platform verifies certificates");
    let transport = HyperTransport::builder(tls.clone()).build();
    bencher.bench_local(|| {
        let response = runtime.block_on(transport.send(request(&authorization), BOUNDS));
        check(response.expect("the server answers").body());
    });
}

#[divan::bench(sample_size = 20)]
fn hyper_util_bare(bencher: Bencher<'_, '_>) {
    let (runtime, authorization) = (runtime(), authorization());
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    bencher.bench_local(|| {
        let request = request(&authorization).map(|body| Full::new(body.into_bytes()));
        let body = runtime.block_on(async {
            let response = client.request(request).await.expect("the server answers");
            response.into_body().collect().await.expect("the body is whole").to_bytes()
        });
        check(&body);
    });
}

#[divan::bench(sample_size = 20)]
fn ureq_transport(bencher: Bencher<'_, '_>) {
    let authorization = authorization();
    let transport = UreqTransport::new().expect("it has defaults");
    bencher.bench_local(|| {
        let response = transport.send(request(&authorization), BOUNDS);
        check(response.expect("the server answers").body());
    });
}

#[divan::bench(sample_size = 20)]
fn ureq_bare(bencher: Bencher<'_, '_>) {
    let authorization = authorization();
    let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
    bencher.bench_local(|| {
        let request = request(&authorization).map(|body| body.as_ref().to_vec());
        let mut response = agent.run(request).expect("the server answers");
        check(&response.body_mut().read_to_vec().expect("the body is whole"));
    });
}

fn request(authorization: &HeaderValue) -> Request<Body> {
    Request::post(URL.as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, authorization)
        .body(Body::from(BODY.to_vec()))
        .expect("the parts make a request")
}

fn authorization() -> HeaderValue {
    ready::client().token().expect("it holds a token").header().clone()
}

fn check(body: &[u8]) {
    assert!(body == REPLY, "the reply has {} bytes", body.len());
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("the system gives a reactor")
}
