//! What is hyper's alone: its runtime, its request type, and a client of the caller's own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use imts::clock::{Clock, SystemClock};
use imts::hyper::HyperBody;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{
    AsyncTransport, Credentials, Endpoint, HyperTransport, Keep, Policy, Session, Step, services,
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
    let mut session = Session::new(endpoint, services::transfer(), Policy::default()).unwrap();
    let now = SystemClock.now();
    session.sign_in(Credentials::new("agent", "canary").unwrap(), Keep::Always, now);
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

#[tokio::test]
async fn each_request_of_a_connection_has_a_time_limit_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        // The next one is left without an answer.
        stream.read_to_end(&mut request).unwrap();
        assert_eq!(request.windows(8).filter(|it| it == b"HTTP/1.1").count(), 2);
    });
    let transport = hyper().build();
    let within = |time_limit| Bounds { time_limit, ..BOUNDS };
    transport.send(post(&url), within(Duration::from_secs(86_400))).await.unwrap();
    let sent = transport.send(post(&url), within(Duration::from_millis(50)));
    let sent = tokio::time::timeout(Duration::from_secs(60), sent).await;
    let failure = sent.expect("it waits as long as the first one might have").unwrap_err();
    assert!(failure.is_timed_out(), "{failure}");
    drop(transport);
    serving.join().unwrap();
}

#[test]
fn a_transport_that_trusts_the_platform_is_made_without_a_runtime() {
    assert!(HyperTransport::new().is_ok());
}
