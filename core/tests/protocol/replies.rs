//! What a reply is taken for: strict with what promises success, lenient with what refuses.

use std::time::Duration;

use http::Response;
use imts_core::error::{Malformed, ReplyError};
use imts_core::exchange::Purpose;
use imts_core::session::{RenewalCause, RenewalError};
use imts_core::{Keep, Recovery};
use serde_json::{Value, json};

use crate::support::{World, answer, grant_of};

const SHAPE: &str = "a wrong type";

fn told(response: &Response<Vec<u8>>) -> Result<World, ReplyError> {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    match world.reply(response) {
        Ok(()) => Ok(world),
        Err(error) => match error.why() {
            RenewalCause::Reply(error) => Err(error.clone()),
            fault => panic!("{fault:?}"),
        },
    }
}

fn raw(status: u16, content_type: &str, body: &[u8]) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(body.to_vec()).unwrap()
}

fn grant() -> Value {
    grant_of("a.b.c", Some("d.e.f"), 900)
}

/// A grant with one field of its payload changed, or taken out where `Null`.
fn with(field: &str, value: Value) -> Response<Vec<u8>> {
    let mut grant = grant();
    let payload = grant["payload"].as_object_mut().unwrap();
    if value.is_null() {
        payload.remove(field)
    } else {
        payload.insert(field.into(), value)
    };
    answer(200, &grant)
}

/// Whether a reply brings an access token that is used, and a refresh token too.
fn has_refresh(response: &Response<Vec<u8>>) -> bool {
    let world = told(response).expect("a good access token is not lost over the other one");
    let usable = world.session.phase(world.now).usable().expect("it is used");
    usable.refresh_expire_at().is_some()
}

fn malformed(response: &Response<Vec<u8>>) -> Malformed {
    match told(response) {
        Err(ReplyError::Malformed(malformed)) => malformed,
        Err(other) => panic!("{other:?}"),
        Ok(world) => panic!("taken for a grant: {:?}", world.session),
    }
}

#[test]
fn the_checks_come_in_order_redirect_status_type_size_json() {
    let huge = vec![b'x'; 70_000];
    let unexpected = |response| matches!(told(&response), Err(ReplyError::Unexpected { .. }));
    assert!(unexpected(raw(302, "application/json", &huge)));
    assert!(unexpected(raw(500, "application/json", &huge)));
    assert!(unexpected(raw(200, "text/html", &huge)));
    for length in [65_537, 70_000] {
        let too_large = malformed(&raw(200, "application/json", &huge[..length]));
        assert_eq!(too_large, Malformed::TooLarge { limit: 65_536 }, "{length}");
    }
    let at_limit = malformed(&raw(200, "application/json", &huge[..65_536]));
    assert!(matches!(at_limit, Malformed::Json { fault: "a syntax error", line: 1, column: 1 }));
    assert!(matches!(told(&raw(404, "text/html", &huge)), Err(ReplyError::Refused(_))));
}

#[test]
fn the_body_decides_and_its_type_only_chooses_the_words_of_an_error() {
    let body = grant().to_string().into_bytes();
    let json = ["application/json", "Application/JSON; charset=utf-8", "application/hal+json"];
    let other = [
        "text/json",
        "application/jsonx",
        "json",
        "+json",
        "application/json+xml",
        "",
        "text/html",
        "application/json, application/json",
        "text/plain; charset=windows-1251",
    ];
    for content_type in json.into_iter().chain(other) {
        assert!(told(&raw(200, content_type, &body)).is_ok(), "{content_type}");
        let marked = [b"\xef\xbb\xbf", &body[..]].concat();
        assert!(told(&raw(200, content_type, &marked)).is_ok(), "{content_type}");
    }
    let untyped = Response::builder().status(200).body(body.clone()).unwrap();
    assert!(told(&untyped).is_ok(), "no type at all");
    for content_type in json {
        assert!(matches!(malformed(&raw(200, content_type, b"<html>")), Malformed::Json { .. }));
    }
    for content_type in other {
        let page = told(&raw(200, content_type, b"<html>")).unwrap_err();
        assert!(page.to_string().contains("but not with JSON"), "{content_type}: {page}");
        let missing = malformed(&raw(200, content_type, br#"{"state":true}"#));
        assert_eq!(missing, Malformed::Missing { field: "payload" });
    }
}

#[test]
fn what_is_not_exactly_a_grant_is_malformed() {
    let text = grant().to_string();
    let json = |body: String| malformed(&raw(200, "application/json", body.as_bytes()));
    assert!(matches!(json(text.clone() + "x"), Malformed::Json { fault: "a syntax error", .. }));
    assert!(matches!(json(text[..40].into()), Malformed::Json { fault: "an early end", .. }));
    assert!(matches!(json(text.replace("true", "1")), Malformed::Json { fault: SHAPE, .. }));
    let twice = text.replace("\"access_token\"", "\"access_token\":\"x\",\"access_token\"");
    assert!(matches!(json(twice), Malformed::Json { fault: "a repeated field", .. }));
    assert!(matches!(json("\u{feff}\u{feff}".to_owned() + &text), Malformed::Json { .. }));
    let bytes = text.replace("a.b.c", "a.?.c").into_bytes();
    let bytes: Vec<_> = bytes.into_iter().map(|b| if b == b'?' { 0xff } else { b }).collect();
    assert_eq!(malformed(&raw(200, "application/json", &bytes)), Malformed::Encoding);
    assert_eq!(json(r#"{"state":true}"#.into()), Malformed::Missing { field: "payload" });
}

#[test]
fn unknown_fields_are_ignored_however_deep() {
    let mut grant = grant();
    grant["payload"]["later"] = json!({ "any": [1, 2, { "x": null }] });
    grant["page"] = json!(1);
    assert!(told(&answer(200, &grant)).is_ok());
    let deep = "[".repeat(5_000) + &"]".repeat(5_000);
    let text = grant.to_string().replace("\"page\":1", &format!("\"page\":{deep}"));
    assert!(told(&raw(200, "application/json", text.as_bytes())).is_ok());
}

#[test]
fn a_token_is_one_to_8192_visible_ascii_characters() {
    for good in ["x", "a.b-c_d~e+f/g=", &"x".repeat(8_192)] {
        assert!(told(&with("access_token", json!(good))).is_ok());
        assert!(told(&with("refresh_token", json!(good))).is_ok());
    }
    let bad = ["a\rb", "a\nb", "a\0b", "a\tb", "a b", "ключ", "\u{7f}", &"x".repeat(8_193)];
    for bad in bad {
        let field = "access_token";
        assert_eq!(malformed(&with(field, json!(bad))), Malformed::Token { field });
        assert!(!has_refresh(&with("refresh_token", json!(bad))), "{bad:?}");
    }
    let access = Malformed::Token { field: "access_token" };
    assert_eq!(malformed(&with("access_token", json!(""))), access);
}

#[test]
fn dates_are_rfc_3339_with_an_offset_and_an_unreadable_one_is_malformed() {
    for good in [
        "2025-07-23T11:32:31+00:00",
        "2025-07-23T11:32:31.577745Z",
        "2025-07-23T17:32:31+06:00",
        "2025-07-23t11:32:31z",
        "2025-12-31T23:59:60Z",
        "9999-12-31T23:59:59Z",
    ] {
        assert!(told(&with("access_expire_at", json!(good))).is_ok(), "{good}");
    }
    for bad in [
        "",
        "soon",
        "2025-07-23",
        "2025-07-23T11:32:31",
        "2025-13-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2025-07-23T11:32:31+99:00",
        " 2025-07-23T11:32:31Z",
        "2025-07-23T11:32:31\u{2212}06:00",
        "2025-07-2:T11:32:31Z",
        "202/-07-23T11:32:31Z",
        "20::-07-23T11:32:31+00:00",
        "2025-07-23T11:32:31.57774:Z",
    ] {
        let field = "access_expire_at";
        assert_eq!(malformed(&with(field, json!(bad))), Malformed::Date { field }, "{bad}");
        assert!(!has_refresh(&with("refresh_expire_at", json!(bad))), "{bad:?}");
        let mut grant = grant();
        grant["response_time"] = bad.into();
        let undated = raw(200, "application/json", grant.to_string().as_bytes());
        assert_eq!(malformed(&undated), Malformed::Date { field: "response_time" });
    }
    assert!(matches!(
        malformed(&with("access_expire_at", json!(1_753_270_351))),
        Malformed::Json { .. }
    ));
}

#[test]
fn a_lifetime_of_zero_or_less_and_a_missing_date_are_malformed() {
    let field = "access_expire_at";
    for past in ["2025-07-23T11:17:31Z", "1970-01-01T00:00:00Z", "0000-01-01T00:00:00Z"] {
        assert_eq!(malformed(&with(field, json!(past))), Malformed::Lifetime { field });
    }
    assert_eq!(malformed(&with(field, Value::Null)), Malformed::Missing { field });
}

#[test]
fn absurd_lifetimes_are_capped() {
    let mut world = told(&with("access_expire_at", json!("9999-12-31T23:59:59Z"))).unwrap();
    let usable = world.session.phase(world.now).usable().unwrap();
    assert_eq!(usable.lifetime(), Duration::from_secs(86_400));
    world.pass(Duration::from_secs(86_400));
    assert_eq!(world.phase(), "expired");
    let far = with("refresh_expire_at", json!("9999-12-31T23:59:59Z"));
    let mut world = told(&far).unwrap();
    world.pass(Duration::from_secs(400 * 86_400 - 1));
    assert_eq!(world.phase(), "expired");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.phase(), "unauthenticated");
}

#[test]
fn without_a_response_time_the_date_header_counts_and_else_the_local_clock() {
    let lifetime = |response: &Response<Vec<u8>>| {
        let world = told(response).unwrap();
        let usable = world.session.phase(world.now).usable().unwrap();
        usable.lifetime().as_micros()
    };
    let mut grant = grant();
    grant["payload"]["access_expire_at"] = "2025-07-23T11:20:00Z".into();
    grant.as_object_mut().unwrap().remove("response_time");
    let mut response = answer(200, &grant);
    assert_eq!(lifetime(&response), 149_000_000, "from 11:17:31 of the Date header");
    for form in ["Wednesday, 23-Jul-25 11:18:00 GMT", "Wed Jul 23 11:18:00 2025"] {
        response.headers_mut().insert("date", form.parse().unwrap());
        assert_eq!(lifetime(&response), 120_000_000, "{form}");
    }
    response.headers_mut().remove("date");
    assert_eq!(lifetime(&response), 148_422_255, "from 11:17:31.577745 of the local clock");
}

#[test]
fn a_refusal_is_read_whatever_its_shape() {
    let shapes = [
        (
            json!({ "status": "error", "error_code": 40_101, "error_description": "no", "dt": "x" }),
            Some("40101"),
            Some("no"),
        ),
        (json!({ "error_code": "E7", "error_description": "no" }), Some("E7"), Some("no")),
        (json!({ "error": { "message": "no", "code": 100_101 } }), Some("100101"), Some("no")),
        (json!({ "error": { "message": "no", "errors": { "f": ["x"] } } }), None, Some("no")),
        (json!({ "state": false, "message": "no", "code": "E7" }), Some("E7"), Some("no")),
        (json!({ "error": "no" }), None, Some("no")),
        (json!({ "something": "else" }), None, None),
        (json!([1, 2]), None, None),
    ];
    for (body, code, message) in shapes {
        let Err(ReplyError::Refused(refusal)) = told(&answer(422, &body)) else { panic!("{body}") };
        assert_eq!(
            (refusal.status().as_u16(), refusal.code(), refusal.message()),
            (422, code, message)
        );
        assert_eq!(refusal.expose_body(), body.to_string().as_bytes());
    }
    let Err(ReplyError::Refused(none)) = told(&raw(403, "text/html", b"<html>")) else { panic!() };
    assert_eq!((none.code(), none.message(), none.expose_body()), (None, None, &b"<html>"[..]));
}

#[test]
fn what_a_refusal_keeps_is_bounded_and_clean() {
    let long = "é".repeat(5_000);
    let body =
        json!({ "error": { "message": format!("\u{1b}[31m\r\n\u{202e}{long}"), "code": long } });
    let Err(ReplyError::Refused(refusal)) = told(&answer(400, &body)) else { panic!() };
    let message = refusal.message().unwrap();
    assert!(message.starts_with(" [31m") && message.len() <= 512, "{message}");
    assert!(refusal.code().unwrap().len() <= 512);
    assert_eq!(refusal.expose_body().len(), 4_096);
    let shown = format!("{refusal:?} {refusal}");
    assert!(shown.len() < 4_096 && !shown.contains('\u{1b}'));
}

#[test]
fn a_refusal_that_quotes_our_secrets_has_them_blotted_out() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(Duration::from_secs(800));
    world.sends(Purpose::Refresh);
    let quote = "no refresh-1 for access-1 of s3cret";
    let body = json!({ "error": { "message": quote, "code": "refresh-1" } });
    let error = world.reply(&answer(403, &body)).unwrap_err();
    let text = error.to_string();
    assert_eq!(
        text,
        "refresh failed: the service refused (status 403, code [redacted]): \
         no [redacted] for [redacted] of [redacted]"
    );
}

#[test]
fn no_error_quotes_a_value_of_the_reply() {
    for body in [
        r#"{"state":"canary"}"#,
        r#"{"state":canary}"#,
        r#"["canary"]"#,
        r#"{"state":true,"payload":"canary"}"#,
        r#"{"state":true,"response_time":"canary","payload":{}}"#,
    ] {
        let error = told(&raw(200, "application/json", body.as_bytes())).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[test]
fn each_status_has_its_recovery() {
    let recovery = |status, body: &Value| told(&answer(status, body)).unwrap_err().recovery();
    let none = json!({});
    for status in [408, 425, 429, 500, 501, 502, 503, 504] {
        assert!(matches!(recovery(status, &none), Recovery::Retry { after: None }), "{status}");
    }
    for status in [404, 405] {
        assert_eq!(recovery(status, &none), Recovery::Fix);
    }
    for status in [400, 401, 402, 403, 409, 410, 415, 422] {
        assert_eq!(recovery(status, &none), Recovery::SignIn);
    }
    for status in [301, 302, 303, 304, 307, 308] {
        assert_eq!(recovery(status, &none), Recovery::Report);
    }
    assert_eq!(recovery(200, &json!({ "state": false })), Recovery::SignIn);
    assert_eq!(recovery(200, &none), Recovery::Report);
}

#[test]
fn state_false_is_a_refusal_also_where_the_rest_is_unlike_a_grant() {
    for body in [
        json!({ "state": false }),
        json!({ "state": false, "payload": [1] }),
        json!({ "state": false, "payload": null, "response_time": 7 }),
    ] {
        assert!(matches!(told(&answer(200, &body)), Err(ReplyError::Refused(_))), "{body}");
        assert!(matches!(told(&answer(500, &body)), Err(ReplyError::Refused(_))), "{body}");
    }
    let twice = br#"{"state":true,"state":false}"#;
    assert!(matches!(malformed(&raw(200, "application/json", twice)), Malformed::Json { .. }));
}

#[test]
fn an_error_says_what_happened_and_to_whom() {
    let texts = [
        (raw(302, "text/html", b""), "a redirect: it is not followed"),
        (raw(200, "text/html", b""), "but not with JSON"),
        (raw(502, "text/html", b""), "the service failed (status 502)"),
        (with("access_expire_at", Value::Null), "its field `access_expire_at` is missing"),
    ];
    for (response, text) in texts {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        let error: std::sync::Arc<RenewalError> = world.reply(&response).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert!(error.to_string().starts_with("sign-in failed: "), "{error}");
    }
}

#[test]
fn a_list_of_the_fields_values_is_no_object() {
    let payload = json!(["a.b.c", "d.e.f", "2025-07-23T11:32:31Z", "2025-08-22T11:17:31Z"]);
    let mut grant = grant();
    let list = json!([true, grant["response_time"], grant["payload"]]);
    grant["payload"] = payload;
    for body in [list, grant, json!([false])] {
        let found = malformed(&answer(200, &body));
        assert!(matches!(found, Malformed::Json { fault: SHAPE, .. }), "{body} {found}");
    }
}

#[test]
fn a_refusal_is_one_whatever_else_its_json_holds() {
    for extra in ["1e999", r#""\ud800""#, &("[".repeat(200) + &"]".repeat(200))] {
        let body = format!(r#"{{"state":false,"extra":{extra}}}"#);
        let mut world = World::signed_in(Keep::Always);
        world.pass(Duration::from_secs(800));
        world.sends(Purpose::Refresh);
        world.reply(&raw(200, "application/json", body.as_bytes())).unwrap_err();
        world.sends(Purpose::SignIn);
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&raw(422, "application/json", body.as_bytes())).unwrap_err();
        assert_eq!(world.ask(), 'C', "{extra}: credentials that never worked are dead");
    }
}

#[test]
fn a_body_that_is_not_utf_8_grants_nothing_and_may_refuse() {
    let body = b"{\"state\":false,\"message\":\"\xff\"}";
    assert!(matches!(told(&raw(200, "application/json", body)), Err(ReplyError::Refused(_))));
    let body = b"{\"state\":true,\"message\":\"\xff\"}";
    assert_eq!(malformed(&raw(200, "application/json", body)), Malformed::Encoding);
    let told = told(&raw(500, "application/json", body));
    assert!(matches!(told, Err(ReplyError::Unexpected { .. })));
}
