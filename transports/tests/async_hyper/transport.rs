//! What is hyper's alone: its runtime, its request type, and a client of the caller's own.

use std::time::Duration;

use http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use imts::{
    AsyncTransport, Body, Bounds, Clock, Contract, Credentials, Endpoint, HyperBody,
    HyperTransport, Keep, Policy, Session, Step, SystemClock,
};
use imts_sandbox::{Front, Sandbox};

use crate::{builder, hyper};

const BOUNDS: Bounds = Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(30) };

fn post(url: &str) -> Request<Body> {
    Request::post(url).body(Body::default()).unwrap()
}

#[test]
fn outside_tokio_it_says_so() {
    let transport = hyper().build();
    let failure = crate::runtimes::at_once(transport.send(post("http://127.0.0.1:1/"), BOUNDS));
    let failure = failure.unwrap_err();
    assert!(failure.is_not_sent(), "{failure}");
    assert!(failure.to_string().contains("no tokio runtime"), "{failure}");
}

#[test]
fn a_request_is_printed_without_its_body() {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    let mut session = Session::new(endpoint, Contract::imts(), Policy::default()).unwrap();
    let now = SystemClock.now();
    session.sign_in(Credentials::new("agent", "canary").unwrap(), Keep::Held, now);
    let Step::Send(_, exchange) = session.poll(now) else { panic!("a sign-in is due") };
    let request = exchange.into_request().map(HyperBody::from);
    let printed = format!("{request:?}");
    assert!(printed.contains("HyperBody(") && !printed.contains("canary"), "{printed}");
}

#[tokio::test]
async fn a_client_of_the_callers_own_carries_requests_too() {
    let front = Front::start(Sandbox::default()).unwrap();
    let own: Client<HttpConnector, HyperBody> =
        Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let transport = HyperTransport::over(own, TokioTimer::new());
    let client = builder(&front.url()).nonblocking(transport.clone()).unwrap();
    client.token().await.unwrap();
    let address = front.address();
    drop(front);
    let failure = transport.send(post(&format!("http://{address}/")), BOUNDS).await.unwrap_err();
    // A pooled connection that died, or a port where nobody listens any more.
    assert!(!failure.is_not_sent() || failure.to_string().contains("refused"), "{failure}");
}

#[test]
fn a_transport_that_trusts_the_platform_is_made_without_a_runtime() {
    assert!(HyperTransport::new().is_ok());
}
