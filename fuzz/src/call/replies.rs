//! Replies of any form: a status, headers and a body from a few texts, or from an input's bytes.

use http::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::choices::Choices;

/// What the bodies of the two token exchanges carry: no text of a refusal may repeat it.
pub(super) const SECRETS: [&str; 2] = ["fuzz-secret-0", "fuzz-refresh-0"];

/// Stands for the token that was presented.
const TOKEN: &str = "$TOKEN";

const STATUSES: [u16; 20] = [
    200, 200, 200, 200, 201, 204, 400, 401, 401, 404, 408, 409, 422, 425, 429, 429, 500, 503, 302,
    599,
];

const BODIES: [&str; 22] = [
    r#"{"state":true,"payload":{"id":17}}"#,
    r#"{"state":true,"payload":{"id":17}}"#,
    r#"{"payload":[1e999],"state":true}"#,
    r#"{"state":true,"payload":null}"#,
    r#"{"state":true}"#,
    r#"{"state":true,"payload":1,"payload":2}"#,
    r#"{"state":true,"payload":"#,
    "\u{feff}{\"state\":true,\"payload\":123456789012345.6789}",
    r#"{"state":false,"code":"LIMIT","message":"no"}"#,
    r#"{"state":false}"#,
    r#"{"state":null,"payload":{}}"#,
    r#"{"code":"LIMIT"}"#,
    r#"{"error":{"code":"\u004cIMIT","message":"later"}}"#,
    r#"{"message":"$TOKEN"}"#,
    r#"{"error_code":17,"error_description":"4111 1111 1111 1111"}"#,
    r#"{"error":{"code":"fuzz-secret-0","message":"no fuzz-refresh-0"}}"#,
    "{\"message\":\"\\u001b[2J\"}",
    r#"{"message":"a token $TOKEN $TOKEN"}"#,
    "<html>",
    "",
    "[]",
    r#"{"message":"$LONG"}"#,
];

const GRANTS: [&str; 6] = [
    GRANT,
    r#"{"state":true,"payload":{"access_token":"a.b.c","access_expire_at":"2025-07-23T14:32:31Z"}}"#,
    r#"{"state":true,"response_time":"2025-07-23T11:17:31Z","payload":{"access_token":"a.b.c","refresh_token":"d.e.f","access_expire_at":"2025-07-23T11:32:31+00:00","refresh_expire_at":"2025-08-22T11:17:31+00:00"}}"#,
    r#"{"state":true,"response_time":"2025-07-23T11:17:31Z","payload":{"access_token":"a b","access_expire_at":"2025-07-23T11:32:31Z"}}"#,
    r#"{"state":true,"response_time":"2025-07-23T11:17:31Z","payload":{"access_token":"a.b.c","access_expire_at":"2025-07-22T11:32:31Z"}}"#,
    r#"{"state":false,"message":"fuzz-refresh-0"}"#,
];

const GRANT: &str = r#"{"state":true,"response_time":"2025-07-23T11:17:31Z","payload":{"access_token":"a.b.c","access_expire_at":"2025-07-23T11:32:31Z"}}"#;

const NAMES: [HeaderName; 4] = [CONTENT_TYPE, RETRY_AFTER, DATE, LOCATION];

const VALUES: [&str; 9] = [
    "text/html",
    "application/a+json; charset=utf-8",
    "9",
    "100000",
    "Wed, 23 Jul 2025 11:17:31 GMT",
    "Wed, 23 Jul 2025 13:00:00 GMT",
    "https://elsewhere.example/",
    "a",
    "",
];

/// A reply of any form. `token` is what was presented, if a token was; without one, the reply is to a token
/// exchange.
pub(super) fn any(choices: &mut dyn Choices, token: Option<&str>) -> Response<Vec<u8>> {
    let status = match choices.below(8) {
        0 => u16::try_from(100 + choices.below(900)).unwrap_or_default(),
        _ => choices.pick(&STATUSES),
    };
    let headers = [0, 0, 0, 1, 1, 2][choices.index(6)];
    let headers: Vec<_> = (0..headers).filter_map(|_| header(choices)).collect();
    let is_exchange = token.is_none() && !choices.one_in(4);
    let texts: &[&str] = if is_exchange { &GRANTS } else { &BODIES };
    let body = filled(choices.line(texts), token.unwrap_or_default());
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().extend(headers);
    response
}

/// A grant, in reply to a token exchange.
pub(super) fn grant() -> Response<Vec<u8>> {
    let mut response = Response::new(GRANT.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn header(choices: &mut dyn Choices) -> Option<(HeaderName, HeaderValue)> {
    let name = NAMES[choices.index(NAMES.len())].clone();
    let value = HeaderValue::from_bytes(choices.line(&VALUES).trim_ascii()).ok()?;
    Some((name, value))
}

/// The body with what its words stand for.
fn filled(body: Vec<u8>, token: &str) -> Vec<u8> {
    match String::from_utf8(body) {
        Ok(text) => text.replace(TOKEN, token).replace("$LONG", &"a".repeat(700)).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}
