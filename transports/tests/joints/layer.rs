//! The layer for tower: what follows a 401, readiness, and futures that are dropped.

use std::future::pending;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use imts::TokenError;
use imts::authorize::NoToken;
use imts::secret::Body;
use imts::tower::{BearerLayer, BearerService, Repeatable};
use imts::transport::Bounds;
use imts_sandbox::{ECHO_PATH, Operation, Outage};
use tower::limit::ConcurrencyLimit;
use tower::{BoxError, Service as _, ServiceExt, service_fn};
use tower_layer::Layer;

use crate::below::{Below, MANY, Once, request};
use crate::{Service, builder};

const BODY: &[u8] = br#"{"a":[1, 2]}"#;

/// A service in process, and the layer over it.
fn parts() -> (Service, Below, BearerService<Below>) {
    let service = Service::default();
    let below = Below::new(&service);
    let layered = BearerLayer::new(service.client()).layer(below.clone());
    (service, below, layered)
}

fn marked() -> Request<Vec<u8>> {
    let mut request = request(BODY.to_vec());
    Repeatable::mark(&mut request);
    request
}

/// A body that cannot be cloned, marked as if it could be copied by that function.
fn marked_by(copy: fn(&Once) -> Option<Once>) -> Request<Once> {
    let mut request = request(Once(BODY.to_vec()));
    Repeatable::mark_by(&mut request, copy);
    request
}

fn echoes(service: &Service) -> usize {
    service.sandbox().count(Operation::Echo)
}

/// Has a token that the service no longer accepts.
async fn revoked(service: &Service, layered: &BearerService<Below>) {
    let sent = layered.clone().oneshot(request(BODY.to_vec())).await.unwrap();
    assert_eq!((sent.status(), echoes(service)), (StatusCode::OK, 1));
    service.sandbox().revoke_access_tokens();
}

#[tokio::test]
async fn a_request_carries_the_token_in_place_of_what_was_there() {
    let (service, _, layered) = parts();
    let mut request = request(BODY.to_vec());
    request.headers_mut().insert(AUTHORIZATION, "Basic eDp5".parse().unwrap());
    let sent = layered.oneshot(request).await.unwrap();
    assert_eq!((sent.status(), echoes(&service)), (StatusCode::OK, 1));
}

#[tokio::test]
async fn the_token_stays_sensitive_and_the_rest_of_the_request_stays_as_it_is() {
    let service = Service::default();
    let below = service_fn(|request: Request<&'static str>| async move {
        let token = &request.headers()[AUTHORIZATION];
        assert!(token.is_sensitive() && token.to_str().unwrap().starts_with("Bearer "));
        let unchanged = request.headers()["x-mine"] == "1" && *request.body() == "body";
        assert!(unchanged && request.uri().path() == "/path" && request.method() == "PUT");
        assert_eq!(request.extensions().get(), Some(&17_u8));
        let status = if request.headers().contains_key("x-refused") { 401 } else { 200 };
        Ok::<_, BoxError>(http::Response::builder().status(status).body(()).unwrap())
    });
    let layered = BearerLayer::new(service.client()).layer(below);
    for refused in [false, true] {
        let request = Request::put("/path").header("x-mine", "1").extension(17_u8);
        let mut request = request.body("body").unwrap();
        Repeatable::mark(&mut request);
        if refused {
            request.headers_mut().insert("x-refused", "1".parse().unwrap());
        }
        layered.clone().oneshot(request).await.unwrap();
    }
}

#[tokio::test]
async fn after_a_401_the_token_is_rejected_and_what_is_not_marked_is_not_repeated() {
    let (service, _, layered) = parts();
    revoked(&service, &layered).await;
    let sent = layered.clone().oneshot(request(BODY.to_vec())).await.unwrap();
    assert_eq!((sent.status(), echoes(&service)), (StatusCode::UNAUTHORIZED, 2));
    drop(sent);
    let next = layered.oneshot(request(BODY.to_vec())).await.unwrap();
    assert_eq!(next.status(), StatusCode::OK, "the next one has another token");
}

#[tokio::test]
async fn what_is_marked_is_repeated_once_with_another_token_and_the_same_body() {
    let (service, _, layered) = parts();
    revoked(&service, &layered).await;
    let sent = layered.oneshot(marked()).await.unwrap();
    assert_eq!((sent.status(), echoes(&service)), (StatusCode::OK, 3));
    let text = String::from_utf8(sent.into_body().bytes).unwrap();
    assert!(text.contains(r#""a":[1,2]"#), "{text}");
}

#[tokio::test]
async fn a_body_that_cannot_be_cloned_is_copied_as_its_mark_says_or_not_at_all() {
    for (copy, status) in [
        ((|body| Some(Once(body.0.clone()))) as fn(&Once) -> Option<Once>, StatusCode::OK),
        (|_| None, StatusCode::UNAUTHORIZED),
    ] {
        let (service, _, layered) = parts();
        revoked(&service, &layered).await;
        let sent = layered.oneshot(marked_by(copy)).await.unwrap();
        assert_eq!(sent.status(), status);
    }
    let (service, _, layered) = parts();
    revoked(&service, &layered).await;
    let sent = layered.oneshot(request(Once(BODY.to_vec()))).await.unwrap();
    assert_eq!((sent.status(), echoes(&service)), (StatusCode::UNAUTHORIZED, 2));
}

#[tokio::test]
async fn a_second_401_is_returned_and_both_tokens_are_rejected() {
    let (service, _, layered) = parts();
    service.sandbox().settings_mut().reject_access = true;
    let sent = layered.clone().oneshot(marked()).await.unwrap();
    assert_eq!((sent.status(), echoes(&service)), (StatusCode::UNAUTHORIZED, 2));
    drop(sent);
    // The second rejection in a row is paced: there is no third token yet.
    let failed = layered.oneshot(marked()).await.map(drop).unwrap_err();
    let error = failed.downcast_ref::<NoToken>();
    assert!(matches!(error, Some(NoToken::Token(TokenError::Waiting { .. }))), "{failed:?}");
    assert_eq!(echoes(&service), 2);
}

#[tokio::test]
async fn if_there_is_no_new_token_the_401_is_returned() {
    let (service, _, layered) = parts();
    revoked(&service, &layered).await;
    service.sandbox().settings_mut().agents.clear();
    service.sandbox().settings_mut().refuse_refresh = true;
    let sent = layered.oneshot(marked()).await.unwrap();
    assert_eq!((sent.status(), echoes(&service)), (StatusCode::UNAUTHORIZED, 2));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_place_is_free_again() {
    let (service, below, layered) = parts();
    service.sandbox().settings_mut().outage = Some(Outage::default());
    let failed = layered.oneshot(marked()).await.map(drop).unwrap_err();
    assert!(matches!(failed.downcast_ref(), Some(NoToken::Token(_))), "{failed:?}");
    assert_eq!((echoes(&service), below.is_taken()), (0, false));
}

#[tokio::test]
async fn a_token_does_not_go_to_another_machine_over_plain_http() {
    let (service, below, layered) = parts();
    for url in ["http://192.0.2.1/", "http://localhost.example/", "ftp://127.0.0.1/"] {
        let request = Request::get(url).body(Vec::new()).unwrap();
        let failed = layered.clone().oneshot(request).await.map(drop).unwrap_err();
        assert!(matches!(failed.downcast_ref(), Some(NoToken::PlainHttp)), "{url}: {failed:?}");
    }
    assert_eq!((service.sandbox().log().len(), below.is_taken()), (0, false));
    for url in ["http://127.0.0.1:1", "http://[::1]", "http://localhost", "https://x_y.example", ""]
    {
        let request = Request::post(format!("{url}{ECHO_PATH}")).body(BODY.to_vec()).unwrap();
        let sent = layered.clone().oneshot(request).await.unwrap();
        assert_eq!(sent.status(), StatusCode::OK, "{url}");
    }
}

#[tokio::test]
async fn it_is_ready_when_the_service_below_is_and_calls_the_one_that_is_ready() {
    let (_, below, mut layered) = parts();
    let mut cx = Context::from_waker(Waker::noop());
    let ready = |it: &mut BearerService<Below>, cx: &mut Context<'_>| {
        tower_service::Service::<Request<Vec<u8>>>::poll_ready(it, cx).is_ready()
    };
    assert!(ready(&mut layered, &mut cx) && below.is_taken());
    let mut other = layered.clone();
    assert!(!ready(&mut other, &mut cx), "a clone has no place of its own");
    let sending = layered.call(request(BODY.to_vec()));
    assert!(!ready(&mut layered, &mut cx), "the place went with the call");
    let response = sending.await.unwrap();
    assert!(!ready(&mut other, &mut cx), "the response still holds the place");
    drop(response);
    assert!(ready(&mut other, &mut cx));
}

#[tokio::test]
async fn a_repetition_waits_until_the_service_below_is_ready_again() {
    let service = Service::default();
    let below = ConcurrencyLimit::new(Below::new(&service), 1);
    let layered = BearerLayer::new(service.client()).layer(below);
    layered.clone().oneshot(marked()).await.map(drop).unwrap();
    let many: Vec<_> = (0..20)
        .map(|n| {
            if n % 5 == 0 {
                service.sandbox().revoke_access_tokens();
            }
            let layered = layered.clone();
            tokio::spawn(async move { layered.oneshot(marked()).await.map(|it| it.status()) })
        })
        .collect();
    let all = async {
        for one in many {
            assert_eq!(one.await.unwrap().unwrap(), StatusCode::OK);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("nobody waits for ever");
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_the_place_free_and_the_token_good() {
    // Before anything, before the 401, and before the repetition's reply.
    for (polls, replies, seen) in [(0, 0, 1), (5, 0, 1), (5, 1, 2)] {
        let (service, below, mut layered) = parts();
        revoked(&service, &layered).await;
        below.replies.store(replies, Ordering::SeqCst);
        {
            let ready = ServiceExt::<Request<Vec<u8>>>::ready(&mut layered).await.unwrap();
            let mut sending = pin!(ready.call(marked()));
            for _ in 0..polls {
                let polled = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(matches!(polled, Poll::Pending), "its reply is held back");
            }
            assert!(below.is_taken());
        }
        below.replies.store(MANY, Ordering::SeqCst);
        assert_eq!((below.is_taken(), echoes(&service)), (false, seen), "{polls}, {replies}");
        let next = layered.oneshot(marked()).await.unwrap();
        assert_eq!(next.status(), StatusCode::OK, "{polls}, {replies}");
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_while_it_waits_for_a_token_leaves_the_place_free() {
    let service = Service::default();
    let never = (|_: Request<Body>, _: Bounds| pending(), |_| pending());
    let client = builder("http://127.0.0.1:1").nonblocking(never).unwrap();
    let below = Below::new(&service);
    let mut layered = BearerLayer::new(client).layer(below.clone());
    let ready = ServiceExt::<Request<Vec<u8>>>::ready(&mut layered).await.unwrap();
    {
        let mut sending = pin!(ready.call(marked()));
        let polled = sending.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending) && below.is_taken());
    }
    assert_eq!((below.is_taken(), echoes(&service)), (false, 0));
}
