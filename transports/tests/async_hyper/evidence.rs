//! What a failure proves: a request that may have left is never said not to have been sent.

use std::time::Duration;

use http::Request;
use imts::{
    AsyncTransport, Body, Bounds, Clock, Contract, Credentials, Endpoint, Failure, HyperBody, Keep,
    Policy, Session, Step, SystemClock,
};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::{BOUNDS, GRANT, Line, Raw, hyper, ok, post};

async fn failing(request: Request<Body>) -> Failure {
    hyper()
        .connect_timeout(Duration::from_millis(300))
        .build()
        .send(request, BOUNDS)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = failing(post(&format!("http://{address}/"))).await;
    assert!(failure.is_not_sent() && !failure.is_timed_out(), "{failure}");
    assert!(failure.to_string().contains("refused"), "{failure}");
}

#[tokio::test]
async fn a_name_that_nobody_has_is_not_sent() {
    let failure = failing(post("https://imts.invalid/")).await;
    assert!(failure.is_not_sent(), "{failure}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_not_sent_and_timed_out() {
    let silent = Raw::start(|mut line: Line| async move {
        let mut sink = Vec::new();
        drop(line.stream.read_to_end(&mut sink).await);
    })
    .await;
    let failure = failing(post(&format!("https://{}/", silent.address))).await;
    assert!(failure.is_not_sent() && failure.is_timed_out(), "{failure}");
}

#[tokio::test]
async fn a_handshake_that_breaks_is_not_sent() {
    let plain = Raw::start(|mut line| async move {
        line.say(ok(GRANT).as_bytes()).await;
    })
    .await;
    let failure = failing(post(&format!("https://{}/", plain.address))).await;
    assert!(failure.is_not_sent(), "{failure}");
    assert!(failure.to_string().contains("TLS"), "{failure}");
}

#[tokio::test]
async fn plain_http_to_another_machine_is_not_sent() {
    let failure = failing(post("http://192.0.2.1/")).await;
    assert!(failure.is_not_sent(), "{failure}");
    assert!(failure.to_string().contains("plain http"), "{failure}");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_proves_nothing() {
    let service = Raw::start(|mut line| async move { line.request().await }).await;
    let failure = failing(post(&service.url())).await;
    assert!(!failure.is_not_sent(), "{failure}");
    assert_eq!(service.requests(), 1, "nothing is sent twice");
}

#[tokio::test]
async fn a_pooled_connection_that_dies_proves_nothing_and_nothing_is_sent_twice() {
    let service = Raw::start(|mut line| async move {
        line.request().await;
        line.say(ok(GRANT).as_bytes()).await;
        // The second request is read, perhaps acted upon, and never answered.
        line.request().await;
    })
    .await;
    let transport = hyper().build();
    transport.send(post(&service.url()), BOUNDS).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let failure = transport.send(post(&service.url()), BOUNDS).await.unwrap_err();
    assert!(!failure.is_not_sent(), "{failure}");
    assert_eq!((service.connections(), service.requests()), (1, 2));
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_not_used() {
    let service = Raw::start(|mut line| async move {
        line.request().await;
        line.say(ok(GRANT).as_bytes()).await;
    })
    .await;
    let transport = hyper().build();
    for _ in 0..3 {
        transport.send(post(&service.url()), BOUNDS).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((service.connections(), service.requests()), (3, 3));
}

#[tokio::test]
async fn a_request_that_runs_out_of_time_may_have_left() {
    let silent = Raw::start(|mut line| async move {
        line.request().await;
        std::future::pending::<()>().await;
    })
    .await;
    let bounds = Bounds { time_limit: Duration::from_millis(50), ..BOUNDS };
    let failure = hyper().build().send(post(&silent.url()), bounds).await.unwrap_err();
    assert!(failure.is_timed_out() && !failure.is_not_sent(), "{failure}");
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
