//! One script of faults, three ways to the service: ureq and hyper over its socket, and the service
//! in process. All three come to the same outcome.

use std::sync::Mutex;

use http::Request;
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, Fault, Front, Operation, Rule, Sandbox, Settings, Time,
};
use serde_json::{Value, json};

use crate::hostile::Outcome;
use crate::{Carrier, plain};

fn service(fault: Fault) -> Sandbox {
    let mut settings = Settings::default();
    settings.faults = vec![Rule::always(Operation::GetToken, fault)];
    Sandbox::new(settings)
}

fn time(clock: &ManualClock) -> Time {
    Time::from_micros(clock.now().wall.unix_micros())
}

fn in_process(fault: Fault) -> Outcome {
    let (clock, service) = (ManualClock::default(), Mutex::new(service(fault)));
    let now = clock.clone();
    let client = Builder::new(Endpoint::https("https://sandbox.example").unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .clock(clock)
        .blocking(move |request: Request<Body>, _: Bounds| {
            let request = request.map(|body| body.as_ref().to_vec());
            Ok(service.lock().unwrap().handle(time(&now), &request))
        })
        .unwrap();
    match client.token() {
        Ok(bearer) => Outcome::Token(bearer.expose_token().to_owned()),
        Err(error) => Outcome::from(&error),
    }
}

/// What a transport makes of the service on a socket, and how many requests that took.
fn on_a_socket(carrier: &Carrier, fault: Fault) -> (Outcome, usize) {
    let clock = ManualClock::default();
    let now = clock.clone();
    let front = Front::builder(service(fault)).clock(move || time(&now)).start().unwrap();
    let outcome = Outcome::of(carrier, plain(&front.url()).clock(clock));
    (outcome, front.log().len())
}

fn all_agree(faults: impl IntoIterator<Item = Fault>) {
    let carriers = Carrier::each();
    for fault in faults {
        let expected = in_process(fault.clone());
        for carrier in &carriers {
            let outcome = on_a_socket(carrier, fault.clone());
            let agreed = (agreeing(&outcome.0, &expected), 1);
            assert_eq!(outcome, agreed, "{carrier:?}: {fault:?}");
        }
    }
}

/// The outcome that agrees with the one in process. Each sandbox draws tokens of its own; that there
/// is one is what counts.
fn agreeing(outcome: &Outcome, in_process: &Outcome) -> Outcome {
    match (outcome, in_process) {
        (Outcome::Token(token), Outcome::Token(_)) => Outcome::Token(token.clone()),
        (_, Outcome::Token(_)) => Outcome::Token("a token".to_owned()),
        (_, Outcome::Reply(text)) => Outcome::Reply(text.clone()),
        (_, other) => panic!("{other:?} in process"),
    }
}

#[test]
fn a_status_means_the_same_everywhere() {
    let statuses = [
        200, 201, 202, 206, 226, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 418, 421, 422,
        425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 511, 599,
    ];
    let plain = statuses.map(|status| Fault::Status { status, retry_after_s: None });
    let asking = [429, 503].map(|status| Fault::Status { status, retry_after_s: Some(7) });
    let pages = [200, 400, 401, 403, 404, 407, 500, 502, 503].map(|status| Fault::Html { status });
    all_agree(plain.into_iter().chain(asking).chain(pages));
}

#[test]
fn a_redirect_means_the_same_everywhere() {
    let targets = ["/v5/elsewhere", "http://127.0.0.1:1/", "https://service.example/", "//x", ""];
    all_agree([301, 302, 303, 307, 308].into_iter().flat_map(|status| {
        targets.map(|location| Fault::Redirect { status, location: location.to_owned() })
    }));
}

#[test]
fn a_body_means_the_same_everywhere() {
    let payload = r#""payload":{"access_token":"a","access_expire_at":"2026-01-01T00:15:00Z"}"#;
    let time = r#""response_time":"2026-01-01T00:00:00Z""#;
    let nested = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    let shallow = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let texts = [
        String::new(),
        " ".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "true".to_owned(),
        "\"text\"".to_owned(),
        "{\"state\":true".to_owned(),
        "<html></html>".to_owned(),
        format!("{{\"state\":true,{time},{payload}}}"),
        format!("{{\"state\":true,{time},{payload}}}trailing"),
        format!("{{\"state\":true,{time},{payload}}} \r\n\t"),
        format!("{{\"state\":true,\"state\":true,{time},{payload}}}"),
        format!("{{\"state\":true,{time},{payload},{payload}}}"),
        format!("{{\"state\":true,{time},{time},{payload}}}"),
        format!("{{\"state\":\"true\",{time},{payload}}}"),
        format!("{{\"state\":false,{time},{payload}}}"),
        format!("{{\"state\":true,{time},\"extra\":{shallow},{payload}}}"),
        format!("{{\"state\":true,{time},\"extra\":{nested},{payload}}}"),
        format!("\u{feff}{{\"state\":true,{time},{payload}}}"),
        format!("{{\"state\":true,{time},{payload}}}{}", " ".repeat(65_536)),
    ];
    all_agree(texts.map(|text| Fault::Body { text }));
}

#[test]
fn a_content_type_means_the_same_everywhere() {
    let types = [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/problem+json",
        "application/jsonx",
        "text/html",
        "text/plain",
        "application/octet-stream",
        "",
        ";",
    ];
    all_agree(types.map(|value| Fault::ContentType { value: value.to_owned() }));
}

#[test]
fn a_field_means_the_same_everywhere() {
    let tokens = [
        json!("a\rb"),
        json!("a\nb"),
        json!("a\0b"),
        json!("a\tb"),
        json!("a b"),
        json!(" a"),
        json!("ключ"),
        json!("a\u{7f}"),
        json!(""),
        json!("x"),
        json!("x".repeat(8_192)),
        json!("x".repeat(8_193)),
        json!(7),
        json!([]),
        json!({}),
        json!(true),
        Value::Null,
    ];
    let dates = [
        json!("9999-12-31T23:59:59Z"),
        json!("9999-12-31T23:59:60Z"),
        json!("10000-01-01T00:00:00Z"),
        json!("0000-01-01T00:00:00Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!("2025-12-31T23:59:59Z"),
        json!("2026-01-01T00:00:00Z"),
        json!("2026-01-01T00:00:00.000001Z"),
        json!("2026-01-01T00:15:00"),
        json!("2026-01-01 00:15:00Z"),
        json!("2026-13-01T00:00:00Z"),
        json!("2026-01-01T00:15:00+99:00"),
        json!("now"),
        json!(""),
        json!(1_767_225_600),
        json!(1e308),
        json!(-1),
        Value::Null,
    ];
    let field =
        |name: &'static str| move |value: Value| Fault::Field { name: name.to_owned(), value };
    all_agree(tokens.clone().map(field("access_token")));
    all_agree(tokens.map(field("refresh_token")));
    all_agree(dates.clone().map(field("access_expire_at")));
    all_agree(dates.map(field("refresh_expire_at")));
}
