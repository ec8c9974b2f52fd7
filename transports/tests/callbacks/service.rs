//! The tower service: paths, methods, limits.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use imts::callback::{
    Alarm, AsyncCallbacks, AsyncHandler, CallbackService, Decision, Delivery, MemoryAnswers,
    OnThreads, PaymentResult, Undecided,
};
use imts::transport::BoxFuture;
use tower::ServiceExt;

use crate::message::{KEY, is_signed, paid, signed};
use crate::shop::{judge, receiver};

struct Ready;

impl AsyncHandler for Ready {
    fn result<'a>(
        &'a self,
        result: &'a PaymentResult,
        delivery: Delivery,
    ) -> BoxFuture<'a, Result<Decision, Undecided>> {
        Box::pin(std::future::ready(Ok(judge(result, delivery))))
    }

    fn alarm(&self, _: &Alarm) {}
}

fn service() -> CallbackService {
    let answers = OnThreads::new(MemoryAnswers::new());
    CallbackService::new(AsyncCallbacks::new(receiver(), Ready, answers))
}

async fn send(request: Request<Full<Bytes>>) -> Response<Bytes> {
    let response =
        service().oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
    let (head, body) = response.into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

fn request(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(path).body(Full::new(body.into())).unwrap()
}

#[tokio::test]
async fn the_last_part_of_the_path_says_which_url_it_is() {
    for path in ["/pay/result", "/result", "/a/b/result?shop=1"] {
        let answer = send(request("POST", path, paid("1", "20", "s"))).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(is_signed("result", answer.body(), KEY));
    }
    for path in ["/", "/pay", "/pay/result/", "/pay/results"] {
        assert_eq!(send(request("POST", path, paid("1", "20", "s"))).await.status(), 404, "{path}");
    }
    // A message for results, sent to another URL.
    assert_eq!(send(request("POST", "/pay/check", paid("1", "20", "s"))).await.status(), 403);
}

#[tokio::test]
async fn a_result_may_come_as_a_get_and_not_as_a_head() {
    let path = format!("/pay/result?{}", paid("1", "20", "s"));
    assert_eq!(send(request("GET", &path, "")).await.status(), 200);
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS"] {
        let refused = send(request(method, &path, "")).await;
        assert_eq!(refused.status(), 405, "{method}");
        assert_eq!(refused.headers()["allow"], "GET, POST");
    }
    assert_eq!(send(request("GET", "/pay/payout", "")).await.headers()["allow"], "POST");
}

#[tokio::test]
async fn a_redirect_shows_a_page_to_get_and_head() {
    let query = signed("success", &[("pg_order_id", "23"), ("pg_salt", "s")], KEY);
    let page = send(request("GET", &format!("/pay/success?{query}"), "")).await;
    assert_eq!((page.status().as_u16(), page.body().is_empty()), (200, false));
    let head = send(request("HEAD", &format!("/pay/success?{query}"), "")).await;
    assert_eq!((head.status().as_u16(), head.body().is_empty()), (200, true));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit() {
    let long = vec![b'a'; 262_145];
    assert_eq!(send(request("POST", "/pay/result", long)).await.status(), 413);
    // The same without a length.
    let body = Frames((0..300).map(|_| Ok(Bytes::from(vec![b'a'; 1_024]))).collect());
    let request = Request::post("/pay/result").body(body).unwrap();
    assert_eq!(service().oneshot(request).await.unwrap().status(), 413);
    let most = vec![b'a'; 262_144];
    assert_eq!(send(self::request("POST", "/pay/result", most)).await.status(), 403);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_message() {
    let broke = Err(io::Error::other("the connection broke"));
    let body = Frames(vec![broke, Ok(Bytes::from(paid("1", "20", "s")))]);
    let request = Request::post("/pay/result").body(body).unwrap();
    assert_eq!(service().oneshot(request).await.unwrap().status(), 400);
}

#[tokio::test]
async fn who_sent_it_plays_no_part() {
    let mut request = request("POST", "/pay/result", paid("1", "20", "s"));
    request.headers_mut().insert("x-forwarded-for", "203.0.113.7, evil".parse().unwrap());
    assert_eq!(send(request).await.status(), 200);
    let forged = paid("1", "20", "s").replace("pg_amount=20", "pg_amount=21");
    let mut request = self::request("POST", "/pay/result", forged);
    request.headers_mut().insert("x-forwarded-for", "127.0.0.1".parse().unwrap());
    assert_eq!(send(request).await.status(), 403);
}

#[tokio::test]
async fn json_and_other_types_are_refused_with_a_signed_body() {
    let mut request = request("POST", "/pay/result", paid("1", "20", "s"));
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    let refused = send(request).await;
    assert_eq!(refused.status(), 415);
    assert!(is_signed("result", refused.body(), KEY));
}

/// A body of frames, the last one first, that does not know its length.
struct Frames(Vec<io::Result<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.pop().map(|frame| frame.map(Frame::data)))
    }
}
