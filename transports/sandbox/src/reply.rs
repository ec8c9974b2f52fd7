//! How the service answers: envelopes, labels, and the shapes of a refusal.

use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderValue, Method, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::log::Verdict;
use crate::request::Refusal;
use crate::served::Evidence;
use crate::time::Time;

/// A response's extension: how long the socket front holds the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay(pub Duration);

/// The shape of a refusal. The shapes are those of the vendor's other services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// `{"status":"error","error_code":…,"error_description":…,"dt":…}`.
    V5,
    /// `{"error":{"message":…,"code":…}}`.
    Nested,
    /// `{"error":{"message":…,"errors":{…}}}`.
    Fields,
    /// `{"state":false,"response_time":…,"message":…,"code":…}`.
    State,
    /// No body.
    Bare,
}

/// The two forms of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// A date this far in the future.
    Date(Duration),
}

/// Holds a reply for this much longer.
pub(crate) fn delay(response: &mut Response<Vec<u8>>, by: Duration) {
    if !by.is_zero() {
        let Delay(so_far) = *response.extensions().get().unwrap_or(&Delay(Duration::ZERO));
        response.extensions_mut().insert(Delay(so_far.saturating_add(by)));
    }
}

/// The result of a request.
pub(crate) type Answer = Result<(Verdict, Response<Vec<u8>>), Refusal>;

/// The envelope of a success, its fields in the published order.
#[derive(Serialize)]
struct Envelope<P> {
    state: bool,
    response_time: String,
    payload: P,
}

pub(crate) fn success(now: Time, evidence: Evidence, payload: impl Serialize) -> Response<Vec<u8>> {
    let envelope = Envelope { state: true, response_time: now.to_micros_z(), payload };
    with_json(StatusCode::OK, now, evidence, &envelope)
}

/// Builds a refusal in the shape that the settings ask for.
pub(crate) fn refusal(
    status: StatusCode,
    now: Time,
    shape: ErrorShape,
    message: &str,
) -> Response<Vec<u8>> {
    let code = u32::from(status.as_u16()) * 1_000 + 1;
    let body = match shape {
        ErrorShape::V5 => json!({
            "status": "error", "error_code": code, "error_description": message,
            "dt": now.to_seconds_offset(),
        }),
        ErrorShape::Nested => json!({ "error": { "message": message, "code": code } }),
        ErrorShape::Fields => {
            json!({ "error": { "message": message, "errors": { "body": [message] } } })
        }
        ErrorShape::State => json!({
            "state": false, "response_time": now.to_micros_z(), "message": message, "code": code,
        }),
        ErrorShape::Bare => return empty(status, now, Evidence::Assumed),
    };
    with_json(status, now, Evidence::Assumed, &body)
}

pub(crate) fn outage(
    status: u16,
    retry_after: Option<RetryAfter>,
    now: Time,
    shape: ErrorShape,
) -> Response<Vec<u8>> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = refusal(status, now, shape, "the service has an outage");
    let value = retry_after.map(|after| match after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(ahead) => now.after(ahead).to_http(),
    });
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

pub(crate) fn with_json(
    status: StatusCode,
    now: Time,
    evidence: Evidence,
    body: &impl Serialize,
) -> Response<Vec<u8>> {
    let mut response = empty(status, now, evidence);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = serde_json::to_vec(body).unwrap_or_default();
    response
}

/// Adds the header that names the one method that a path takes.
pub(crate) fn allowing(mut response: Response<Vec<u8>>, method: &Method) -> Response<Vec<u8>> {
    if let Ok(method) = HeaderValue::try_from(method.as_str()) {
        response.headers_mut().insert(ALLOW, method);
    }
    response
}

pub(crate) fn empty(status: StatusCode, now: Time, evidence: Evidence) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::try_from(now.to_http()) {
        headers.insert(DATE, date);
    }
    headers.insert("x-sandbox-evidence", HeaderValue::from_static(evidence.as_str()));
    response
}
