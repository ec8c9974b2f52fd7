//! The transport over reqwest: a caller's own client, runtimes, and calls that are dropped.

use std::net::TcpListener;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::response::Builder;
use http::{Request, Response};
use imts::call::NotCallable;
use imts::endpoint::ServicePath;
use imts::operation::Custom;
use imts::secret::Body;
use imts::services::transfer::Confirm;
use imts::transport::Bounds;
use imts::{AsyncTransport, Evidence, ReqwestTransport, TransportError, services};
use imts_sandbox::{Front, Sandbox};
use reqwest::StatusCode;
use reqwest::dns::{Name, Resolve, Resolving};
use serde_json::json;

use crate::{builder, http, transport};

const BOUNDS: Bounds = Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(30) };

fn post(url: &str, body: &'static [u8]) -> Request<Body> {
    Request::post(url).body(Body::from(body.to_vec())).unwrap()
}

/// A URL where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

/// A service that answers every request with this status and these headers.
fn answering(status: u16, headers: &[(&'static str, String)]) -> Front {
    let headers = headers.to_vec();
    Front::builder(Sandbox::default())
        .handler(move |sandbox, now, request| {
            // Only to be counted.
            let _answer = sandbox.handle(now, request);
            let mut response = Response::builder().status(status);
            for (name, value) in &headers {
                response = response.header(*name, value);
            }
            response.body(Vec::new()).unwrap()
        })
        .start()
        .unwrap()
}

fn trusted() -> ReqwestTransport {
    ReqwestTransport::over_trusted(http().build().unwrap())
}

/// Repeats whatever was answered.
fn always() -> reqwest::retry::Builder {
    let builder = reqwest::retry::for_host("127.0.0.1").no_budget();
    builder.classify_fn(|it| if it.status().is_some() { it.retryable() } else { it.success() })
}

async fn failure(transport: &ReqwestTransport, request: Request<Body>) -> TransportError {
    transport.send(request, BOUNDS).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_connection_is_not_sent_over_either_client() {
    for transport in [transport(), trusted()] {
        let failure = failure(&transport, post(&nobody(), b"{}")).await;
        assert!(failure.is_not_sent() && failure.to_string().contains("refused"), "{failure}");
    }
}

#[tokio::test]
async fn a_trusted_client_that_was_redirected_before_it_failed_proves_nothing() {
    let to = |url: String| [("location", url)];
    for (status, location) in [(302, nobody()), (303, nobody()), (302, "ftp://x/".to_owned())] {
        for body in [&b"{}"[..], b""] {
            let front = answering(status, &to(location.clone()));
            let failure = failure(&trusted(), post(&front.url(), body)).await;
            assert!(!failure.is_not_sent(), "{status} to {location}: {failure}");
            assert_eq!(front.log().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_trusted_client_cannot_send_a_body_twice() {
    let elsewhere = answering(200, &[]);
    let front = answering(307, &[("location", elsewhere.url())]);
    let response = trusted().send(post(&front.url(), b"{}"), BOUNDS).await.unwrap();
    assert_eq!((response.status(), elsewhere.log().len()), (StatusCode::TEMPORARY_REDIRECT, 0));

    let front = answering(503, &[]);
    let retrying = ReqwestTransport::over_trusted(http().retry(always()).build().unwrap());
    let response = retrying.send(post(&front.url(), b"{}"), BOUNDS).await.unwrap();
    assert_eq!((response.status(), front.log().len()), (StatusCode::SERVICE_UNAVAILABLE, 1));
}

#[tokio::test]
async fn what_the_builder_says_of_redirects_and_retries_does_not_count() {
    let elsewhere = answering(200, &[]);
    let builder = http().redirect(reqwest::redirect::Policy::limited(9)).retry(always());
    let transport = ReqwestTransport::new(builder).unwrap();
    for body in [&b"{}"[..], b""] {
        let front = answering(303, &[("location", elsewhere.url())]);
        let response = transport.send(post(&front.url(), body), BOUNDS).await.unwrap();
        assert_eq!((response.status(), front.log().len()), (StatusCode::SEE_OTHER, 1));
    }
    assert_eq!(elsewhere.log().len(), 0);
}

#[tokio::test]
async fn plain_http_to_another_machine_is_not_sent_by_a_trusted_client_either() {
    for url in ["http://192.0.2.1/", "http://localhost.example/", "http://127.example/"] {
        let failure = failure(&trusted(), post(url, b"{}")).await;
        assert!(failure.is_not_sent() && failure.to_string().contains("plain http"), "{failure}");
    }
}

/// A resolver that finds nothing.
struct Nothing;

impl Resolve for Nothing {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::ready(Err("nothing is found".into())))
    }
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_a_resolver_says() {
    let front = answering(200, &[]);
    let transport = ReqwestTransport::new(http().dns_resolver(Arc::new(Nothing))).unwrap();
    let url = front.url().replace("127.0.0.1", "localhost");
    assert_eq!(transport.send(post(&url, b"{}"), BOUNDS).await.unwrap().status(), StatusCode::OK);
    let failure = failure(&transport, post("https://service.example/", b"{}")).await;
    assert!(failure.is_not_sent() && failure.to_string().contains("nothing is found"), "{failure}");
}

#[tokio::test]
async fn as_many_headers_are_read_as_over_the_other_transports() {
    let names: Vec<String> = (0..500).map(|n| format!("x-{n}")).collect();
    let front = Front::builder(Sandbox::default())
        .handler(move |_, _, _| {
            let with = |it: Builder, name| it.header(name, "y");
            names.iter().fold(Response::builder(), with).body(Vec::new()).unwrap()
        })
        .start()
        .unwrap();
    let response = transport().send(post(&front.url(), b"{}"), BOUNDS).await.unwrap();
    assert_eq!(response.headers()["x-499"], "y");
}

#[test]
fn outside_tokio_it_says_so() {
    let (transport, request) = (transport(), post("http://127.0.0.1:1/", b"{}"));
    let sending = pin!(transport.send(request, BOUNDS));
    let Poll::Ready(outcome) = sending.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits");
    };
    let failure = outcome.unwrap_err();
    assert!(failure.is_not_sent(), "{failure}");
    assert!(failure.to_string().contains("no tokio runtime"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_while_its_reply_is_waited_for_is_in_doubt() {
    let path = "/v5/partner/transfer/confirm";
    let file = format!("version = 1\n[operation.confirm]\npath = \"{path}\"");
    let (coming, came) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let front = Front::builder(Sandbox::with_service_file(&file).unwrap())
        .handler(move |sandbox, now, request| {
            if request.uri().path() == path {
                let _listening = coming.send(());
                let _let_go = gone.recv();
            }
            sandbox.handle(now, request)
        })
        .start()
        .unwrap();
    let mut operations = services::transfer::catalogue();
    let path = ServicePath::new(path).unwrap();
    operations.set_path("confirm", path, Evidence::Assumed).unwrap();
    let service = services::transfer().with_operations(operations);
    let client = builder(&front.url()).service(service).nonblocking(transport()).unwrap();

    let confirm = || Custom::<Confirm, _>::new(json!({ "client_uuid": "a" })).with_reference("a");
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.call(&confirm()).await.map(drop) }
    });
    tokio::task::spawn_blocking(move || came.recv().unwrap()).await.unwrap();
    calling.abort();
    assert!(calling.await.unwrap_err().is_cancelled());
    drop(go);
    let again = client.call(&confirm()).await.unwrap_err();
    let NotCallable::Intent(error) = again else { panic!("{again:?}") };
    assert_eq!(error.as_str(), "in_doubt");
}
