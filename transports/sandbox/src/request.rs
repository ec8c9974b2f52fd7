//! What a strict server checks in a request before it looks at the content.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;

use crate::log::Verdict;

/// Why a request is not answered with a success.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) verdict: Verdict,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, verdict: Verdict, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, verdict, message: message.into() }
    }
}

pub(crate) fn no_such_path() -> Refusal {
    Refusal::new(404, Verdict::NoSuchPath, "no such path")
}

pub(crate) fn bad_request(status: u16, message: impl Into<String>) -> Refusal {
    Refusal::new(status, Verdict::BadRequest, message)
}

/// Checks what a strict server requires of every request: `POST`, a JSON content type, a JSON body.
pub(crate) fn json_body(request: &Request<Vec<u8>>) -> Result<Value, Refusal> {
    if request.method() != Method::POST {
        return Err(bad_request(405, "only POST is allowed"));
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(bad_request(415, "the content type must be application/json"));
    }
    serde_json::from_slice(request.body()).map_err(|_| bad_request(400, "the body is not JSON"))
}

pub(crate) fn no_authorization(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.contains_key(AUTHORIZATION) {
        true => Err(bad_request(400, "this operation takes no Authorization header")),
        false => Ok(()),
    }
}

/// Reads an object of exactly these fields. Each must be a string that is not empty.
pub(crate) fn strings<'a, const N: usize>(
    body: &'a Value,
    names: [&str; N],
) -> Result<[&'a str; N], Refusal> {
    let object = body.as_object().ok_or_else(|| bad_request(400, "the body is not an object"))?;
    if let Some(extra) = object.keys().find(|key| !names.contains(&key.as_str())) {
        return Err(bad_request(422, format!("unknown field of {} characters", extra.len())));
    }
    let mut values = [""; N];
    for (value, name) in values.iter_mut().zip(names) {
        *value = object
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| bad_request(422, format!("{name} must be a string, not empty")))?;
    }
    Ok(values)
}

/// Returns the token of `Authorization: Bearer TOKEN`, if the request has exactly that one header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let token = value.to_str().ok()?.strip_prefix("Bearer ")?;
    Some(token).filter(|token| !token.is_empty() && !token.contains(' '))
}
