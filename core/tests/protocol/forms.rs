//! Grants and refusals in other forms: encodings, marks, types, clocks that are wrong.

use std::time::Duration;

use http::Response;
use imts_core::Keep;
use imts_core::error::ReplyError;
use imts_core::exchange::Purpose;
use imts_core::session::RenewalError;
use serde_json::{Value, json};

use crate::support::{World, grant_of};

fn raw(status: u16, body: &[u8]) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.to_vec()).unwrap()
}

fn utf_16(text: &str, is_little: bool, is_marked: bool) -> Vec<u8> {
    let text = if is_marked { format!("\u{feff}{text}") } else { text.to_owned() };
    let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

/// `{"state":false,…}` as servers have been seen to write it.
fn refusals() -> Vec<Vec<u8>> {
    let text = r#"{"state":false,"message":"no"}"#;
    let mut all: Vec<Vec<u8>> = [
        text,
        "\u{feff}{\"state\":false,\"message\":\"no\"}",
        "\u{feff}\u{feff}{\"state\":false,\"message\":\"no\"}",
        "{\"state\":false,\"message\":\"no\"}x",
        "{\"state\":false,\"message\":\"no\"}\0",
        "{\"state\":false,\"message\":\"no\"}{\"state\":true}",
        "{\"state\":false,\"message\":\"no\"",
        "{\"message\":\"no\",\"state\":false,\"payl",
        "{\"message\":\"no\",\"state\":false,}",
        "{\"state\":false,\"state\":false,\"message\":\"no\"}",
        "{\"message\":\"n\\u006f\",\"state\":false,\"later\":1e999,\"half\":\"\\ud800\"}",
        "{\"other\":\"two\nlines\",\"state\":false,\"message\":\"no\"}",
        ")]}',\n{\"state\":false,\"message\":\"no\"}",
        "Deprecated: x in y\n{\"state\":false,\"message\":\"no\"}",
        "[{\"state\":false,\"message\":\"no\"}]",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    for is_little in [true, false] {
        all.extend([true, false].map(|is_marked| utf_16(text, is_little, is_marked)));
    }
    all.push(b"{\"state\":false,\"message\":\"no\",\"x\":\"\xff\"}".to_vec());
    all
}

#[test]
fn a_refusal_of_credentials_is_one_in_any_form_and_ends_the_sign_ins() {
    for status in [200, 400, 422] {
        for body in refusals() {
            for content_type in ["application/json", "text/html", "text/plain; charset=utf-16"] {
                let mut response = raw(status, &body);
                response.headers_mut().insert("content-type", content_type.parse().unwrap());
                let mut world = World::with_credentials(Keep::Always);
                world.sends(Purpose::SignIn);
                let error = world.reply(&response).unwrap_err();
                let shown = String::from_utf8_lossy(&body);
                let imts_core::session::RenewalCause::Reply(ReplyError::Refused(refusal)) =
                    error.why()
                else {
                    panic!("{status} {shown}: {error}")
                };
                assert_eq!(refusal.message(), Some("no"), "{status} {shown}");
                world.pass(Duration::from_secs(7_200));
                let step = world.session.poll(world.now);
                let is_over = matches!(step, imts_core::Step::SignIn { .. });
                assert!(is_over, "{status} {shown}: {step:?}");
            }
        }
    }
}

#[test]
fn what_says_no_nowhere_or_both_ways_or_in_a_page_refuses_no_credentials() {
    for body in [
        &b"{\"state\":true,\"state\":false}"[..],
        b"{\"payload\":{\"state\":false}}",
        b"{\"state\":null}",
        b"{\"state\":\"no\"}",
        b"<html><script>s = {\"state\":false}</script>",
        b"\xff\xfe",
        b"state:false",
        b"",
    ] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&raw(200, body)).unwrap_err();
        world.pass(Duration::from_secs(7_200));
        world.sends(Purpose::SignIn);
    }
}

#[test]
fn a_refused_refresh_token_is_dropped_in_any_form() {
    for body in refusals() {
        let mut world = World::signed_in(Keep::Always);
        world.pass(Duration::from_secs(800));
        world.sends(Purpose::Refresh);
        world.reply(&raw(200, &body)).unwrap_err();
        world.sends(Purpose::SignIn);
        let usable = world.session.phase(world.now).usable().unwrap();
        assert!(usable.refresh_expire_at().is_none(), "{}", String::from_utf8_lossy(&body));
    }
}

fn words_of(body: &[u8]) -> String {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    let error: std::sync::Arc<RenewalError> = world.reply(&raw(400, body)).unwrap_err();
    error.to_string()
}

#[test]
fn the_words_of_a_refusal_are_read_in_cyrillic_and_stay_safe() {
    let cyrillic =
        [b"{\"message\":\"".as_slice(), &[0xcd, 0xe5, 0xf2, 0xb8, 0x98], b"\"}"].concat();
    assert!(words_of(&cyrillic).ends_with(": Нетё\u{fffd}"), "{}", words_of(&cyrillic));
    let mixed = [b"{\"message\":\"\xd0\xbd".as_slice(), &[0xff], b"\"}"].concat();
    assert!(words_of(&mixed).ends_with(": н\u{fffd}"), "{}", words_of(&mixed));
    let text =
        "{\"message\":\"Нет s3cret, s3cret, s3\\u0063ret 4111 1111 1111 1111\r\n\u{202e}s3cret\"}";
    let spaced: Vec<u8> = text.bytes().flat_map(|byte| [byte, 0]).skip(2).collect();
    let bodies = [
        text.as_bytes().to_vec(),
        [b"\xff", text.as_bytes()].concat(),
        utf_16(text, true, true),
        utf_16(text, false, false),
        [b"{", &spaced[..]].concat(),
    ];
    for body in bodies {
        let shown = words_of(&body);
        assert!(!shown.contains("s3c") && !shown.contains("ret,"), "{shown}");
        assert!(!shown.contains("1111") && !shown.contains(char::is_control), "{shown}");
        assert_eq!(shown.matches("[redacted]").count(), 5, "{shown}");
    }
}

/// How long a token that ends at 11:32:31 lives, by these two clocks of the service.
fn lifetime(response_time: Value, date: Option<&str>) -> Option<u64> {
    let mut grant = grant_of("a.b.c", Some("d.e.f"), 900);
    grant["response_time"] = response_time;
    let mut response = raw(200, grant.to_string().as_bytes());
    if let Some(date) = date {
        response.headers_mut().insert("date", date.parse().unwrap());
    }
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.reply(&response).ok()?;
    let usable = world.session.phase(world.now).usable().unwrap();
    Some(usable.lifetime().as_secs())
}

#[test]
fn of_two_lifetimes_the_smaller_positive_one_counts() {
    const RIGHT: &str = "Wed, 23 Jul 2025 11:17:31 GMT";
    const BEHIND: &str = "Wed, 23 Jul 2025 06:17:31 GMT";
    const AHEAD: &str = "Wed, 23 Jul 2025 16:17:31 GMT";
    let (right, behind, ahead) =
        ("2025-07-23T11:17:41Z", "2025-07-23T06:17:41Z", "2025-07-23T16:17:41Z");
    let ends = lifetime(json!(right), None).unwrap();
    let by_date = lifetime(Value::Null, Some(RIGHT)).unwrap();
    assert_eq!(by_date, ends + 10, "the two clocks differ by 10 s here");
    let five_hours = 18_000;
    for (response_time, date, expected) in [
        (json!(right), Some(RIGHT), Some(ends)),
        (json!("2025-07-23T11:17:21Z"), Some(RIGHT), Some(by_date)),
        (json!(behind), Some(RIGHT), Some(by_date)),
        (json!(ahead), Some(RIGHT), Some(by_date)),
        (json!(right), Some(BEHIND), Some(ends)),
        (json!(right), Some(AHEAD), Some(ends)),
        (json!(behind), Some(BEHIND), Some(ends + five_hours)),
        (json!(ahead), Some(AHEAD), None),
        (json!(ahead), None, None),
        (json!(right), Some("yesterday"), Some(ends)),
        (json!("garbage"), Some(RIGHT), Some(by_date)),
        (json!(17), Some(RIGHT), Some(by_date)),
        (json!("garbage"), Some("yesterday"), None),
        (json!({}), None, None),
        // A weekday that is not the date's.
        (json!(right), Some("Mon, 23 Jul 2025 11:20:00 GMT"), Some(ends)),
    ] {
        let found = lifetime(response_time.clone(), date);
        assert_eq!(found, expected, "{response_time} {date:?}");
    }
}

#[test]
fn a_refresh_token_that_cannot_be_used_costs_no_access_token_and_brings_no_old_one_back() {
    let fields = [
        ("refresh_expire_at", json!("2025-07-23T11:17:31Z")),
        ("refresh_expire_at", json!("1970-01-01T00:00:00Z")),
        ("refresh_expire_at", json!("garbage")),
        ("refresh_expire_at", json!("")),
        ("refresh_expire_at", json!(1_755_861_451)),
        ("refresh_expire_at", json!({ "at": [] })),
        ("refresh_expire_at", Value::Null),
        ("refresh_token", json!("a b")),
        ("refresh_token", json!("ключ")),
        ("refresh_token", json!("x".repeat(8_193))),
        ("refresh_token", json!(17)),
        ("refresh_token", json!(["d.e.f"])),
    ];
    for purpose in [Purpose::SignIn, Purpose::Refresh] {
        for (field, value) in &fields {
            let mut world = match purpose {
                Purpose::SignIn => World::with_credentials(Keep::Always),
                Purpose::Refresh => World::signed_in(Keep::Always),
            };
            if purpose == Purpose::Refresh {
                world.pass(Duration::from_secs(800));
            }
            world.sends(purpose);
            let mut grant = grant_of("new", Some("d.e.f"), 1_800);
            grant["payload"][field] = value.clone();
            world.reply(&raw(200, grant.to_string().as_bytes())).unwrap();
            let usable = world.session.phase(world.now).usable().unwrap();
            assert_eq!(usable.bearer().expose_token(), "new", "{field} {value}");
            assert!(usable.refresh_expire_at().is_none(), "{purpose} {field} {value}");
        }
    }
    for absent in [Value::Null, json!("")] {
        let mut world = World::signed_in(Keep::Always);
        world.pass(Duration::from_secs(800));
        world.sends(Purpose::Refresh);
        let mut grant = grant_of("new", None, 1_800);
        grant["payload"]["refresh_token"] = absent;
        grant["payload"]["refresh_expire_at"] = json!("garbage");
        world.reply(&raw(200, grant.to_string().as_bytes())).unwrap();
        let usable = world.session.phase(world.now).usable().unwrap();
        assert!(usable.refresh_expire_at().is_some(), "the old one stays good");
    }
}
