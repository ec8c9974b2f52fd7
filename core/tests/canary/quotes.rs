//! Replies that quote secrets back, wherever a reply has room for one.

use http::header::{CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderName, Response};
use imts_core::Keep;
use imts_core::exchange::Purpose;
use serde_json::json;

use crate::assert_silent;
use crate::drive::{Drive, SECRET};

const STATUSES: [u16; 20] = [
    100, 200, 204, 302, 307, 400, 401, 402, 403, 404, 405, 408, 409, 422, 425, 429, 500, 501, 503,
    599,
];

/// A refusal whose code and message quote this.
pub(crate) fn refusal(status: u16, secret: &str) -> Response<Vec<u8>> {
    let body = json!({ "error": { "code": secret, "message": format!("not {secret}, surely") } });
    with_body(status, "application/json", body.to_string())
}

fn with_body(status: u16, content_type: &str, body: String) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, content_type);
    response.body(body.into_bytes()).unwrap()
}

/// Bodies with a secret in every place where one can stand.
fn bodies(secret: &str) -> Vec<String> {
    let plain = serde_json::to_string(secret).unwrap();
    let escaped: String = secret.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let inner = json!({ "refresh_token": secret, "agent_secret": secret }).to_string();
    let payload = |fields: &str| {
        format!(r#"{{"state":true,"response_time":"2025-07-23T11:17:31Z","payload":{{{fields}}}}}"#)
    };
    let dates = r#""access_expire_at":"2030-01-01T00:00:00Z","refresh_expire_at":"soon""#;
    vec![
        secret.to_owned(),
        format!("<html>{secret}</html>"),
        plain.clone(),
        format!("[{plain}]"),
        format!(r#"{{"status":"error","error_code":{plain},"error_description":{plain}}}"#),
        json!({ "error": { "message": inner, "code": inner } }).to_string(),
        json!({ "error": inner }).to_string(),
        json!({ "error": { "errors": { secret: [secret] } } }).to_string(),
        format!(r#"{{"state":false,"message":"{escaped}","code":"{escaped}"}}"#),
        format!(r#"{{"message":"{}{secret}"}}"#, "x".repeat(500)),
        format!(r#"{{"state":{plain}}}"#),
        format!(r#"{{"state":true,{plain}:1}}"#),
        format!(r#"{{"state":true,"payload":{plain}}}"#),
        format!(r#"{{"state":true,"response_time":{plain},"payload":{{}}}}"#),
        format!("{{\"state\":true,{secret}"),
        payload(&format!(r#""access_token":"{secret} ",{dates}"#)),
        payload(&format!(r#""access_token":"x","refresh_token":{plain},{dates}"#)),
        payload(&format!(r#""access_token":{plain},"access_token":{plain}"#)),
        payload(&format!(r#""access_token":"x","access_expire_at":{plain}"#)),
    ]
}

#[test]
fn no_answer_that_is_acted_upon_is_quoted_with_a_secret_in_it() {
    for purpose in [Purpose::SignIn, Purpose::Refresh] {
        for status in [200, 400, 401, 403, 422, 429, 500] {
            for which in 0..bodies(SECRET).len() {
                let (mut drive, ticket) = Drive::about_to(purpose);
                let secrets = drive.at_stake(purpose);
                let body = bodies(&secrets[which % secrets.len()]).swap_remove(which);
                drive.receive(ticket, &with_body(status, "application/json", body));
                drive.look();
                assert_silent(&drive);
            }
        }
    }
}

#[test]
fn no_answer_that_comes_late_or_twice_is_quoted_with_a_secret_in_it() {
    let mut refused = 0;
    for purpose in [Purpose::SignIn, Purpose::Refresh] {
        for status in STATUSES {
            let (mut drive, ticket) = Drive::about_to(purpose);
            for secret in drive.at_stake(purpose) {
                for body in bodies(&secret) {
                    for content_type in ["application/json", "text/html"] {
                        let response = with_body(status, content_type, body.clone());
                        refused += usize::from(!drive.receive(ticket, &response));
                    }
                }
            }
            drive.look();
            assert_silent(&drive);
        }
    }
    assert!(refused > 2_500, "{refused} refusals are not all");
}

#[test]
fn no_header_of_an_answer_is_quoted() {
    let names: [HeaderName; 6] =
        [CONTENT_TYPE, DATE, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE];
    for status in [200, 302, 401, 503] {
        for name in &names {
            let (mut drive, ticket) = Drive::about_to(Purpose::SignIn);
            let mut response = with_body(status, "application/json", "{}".to_owned());
            response.headers_mut().insert(name, SECRET.parse().unwrap());
            drive.receive(ticket, &response);
            drive.look();
            assert_silent(&drive);
        }
    }
}

#[test]
fn a_refresh_token_that_travels_as_bearer_is_not_shown() {
    let mut drive = Drive::new(Drive::bearer_service());
    drive.sign_in(SECRET, Keep::Always);
    drive.settle();
    drive.pass(1_000);
    let (ticket, request) = drive.next().unwrap();
    let carried = request.headers()["authorization"].as_bytes().to_vec();
    let carried = String::from_utf8(carried).unwrap();
    assert_eq!(drive.hunt.find(&carried), [("refresh_token", "raw")], "it reaches the wire");
    let token = drive.tokens()[1].clone();
    drive.receive(ticket, &refusal(403, &token));
    assert_silent(&drive);
}
