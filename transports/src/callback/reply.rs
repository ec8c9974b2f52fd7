//! Answers that are no decision: a wrong method, a wrong address, a store that is away.
//!
//! Owns their statuses and texts. They quote nothing of the request.

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use imts_core::callback::Answer;

/// A short text with a status.
pub(super) fn text(status: u16, text: &str) -> Response<Vec<u8>> {
    let mut response = Response::new(format!("{text}\n").into_bytes());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// The signed bytes of an answer.
pub(super) fn xml(status: StatusCode, answer: &[u8]) -> Response<Vec<u8>> {
    let mut response = Response::new(answer.to_vec());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, Answer::content_type());
    response
}

/// Nothing was decided: the gateway is to deliver the message again.
pub(super) fn later() -> Response<Vec<u8>> {
    let mut response = text(503, "not decided yet");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
    response
}

/// The method is not one of these.
pub(super) fn method(response: Response<Vec<u8>>, allowed: &'static str) -> Response<Vec<u8>> {
    let mut response = response;
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
