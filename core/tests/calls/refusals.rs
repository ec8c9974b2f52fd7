//! What a refusal says, whatever its shape, and what it must not say.

use std::fmt::Debug;

use imts_core::error::Refusal;
use imts_core::{Credentials, Keep, Outcome, Reply, Step};
use serde_json::{Value, json};

use crate::support::{Act, Desk, LogIn, TIME, answer, typed};

fn refused(status: u16, body: &Value) -> Refusal {
    let mut desk = Desk::new();
    match desk.pays(vec![answer(status, body)]) {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refusal_in_any_known_shape_yields_status_code_message_and_the_raw_body() {
    let shapes = [
        json!({ "status": "error", "error_code": 100_101, "error_description": "no funds", "dt": "x" }),
        json!({ "error": { "message": "no funds", "code": 100_101 } }),
        json!({ "state": false, "message": "no funds", "code": "100101" }),
    ];
    for body in shapes {
        let refusal = refused(422, &body);
        assert_eq!(refusal.status(), 422);
        assert_eq!(refusal.code(), Some("100101"), "{body}");
        assert_eq!(refusal.message(), Some("no funds"), "{body}");
        assert_eq!(refusal.expose_body(), body.to_string().as_bytes());
    }
    let refusal = refused(400, &json!({ "error": { "message": "m", "errors": { "f": ["x"] } } }));
    assert_eq!((refusal.code(), refusal.message()), (None, Some("m")));
}

#[test]
fn a_refusal_in_no_known_shape_yields_its_status_and_the_raw_body() {
    let mut desk = Desk::new();
    let outcome = desk.pays(vec![typed(409, "text/html", b"<h1>Conflict</h1>")]);
    let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refusal.status().as_u16(), refusal.code(), refusal.message()), (409, None, None));
    assert_eq!(refusal.expose_body(), b"<h1>Conflict</h1>");
}

#[test]
fn neither_a_token_nor_a_card_number_is_quoted_in_any_output() {
    for quoted in [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111  1111 -1111\u{a0}1111",
        "4111\u{202f}1111\u{202f}1111\u{202f}1111",
        "x4111111111111111y",
        "17 4111111111111111 17",
        "canary-access-1",
        "6304000000000000000",
        "111122223333",
    ] {
        let refusal =
            refused(422, &json!({ "message": format!("bad: {quoted}!"), "code": quoted }));
        let texts = format!("{refusal} {refusal:?} {:?} {:?}", refusal.code(), refusal.message());
        for secret in ["1111", "canary", "0000000000"] {
            assert!(!texts.contains(secret), "{quoted}: {texts}");
        }
        assert!(texts.contains("bad: "), "{texts}");
    }
}

#[test]
fn a_refusal_of_a_call_without_a_token_tells_nothing_that_may_be_its_secret() {
    for status in [400, 401, 403, 422, 200] {
        let refusal = json!({ "state": false, "code": "s3cret", "message": "not s3cret" });
        let mut desk = Desk::new();
        let until = desk.now.mono.after(TIME);
        let call = desk.session.call(&LogIn, until).unwrap();
        // A 401 too is no reason to send it once more: there was no token that caused it.
        tells_no_secret(&desk.drive(call, vec![answer(status, &refusal)]), status, &refusal);
        assert_eq!(desk.sign_ins, 0, "it does not take the session's token");
    }
}

fn tells_no_secret<R: Debug>(outcome: &Outcome<R>, status: u16, body: &Value) {
    let Outcome::Refused(refusal) = outcome else { panic!("{status}: {outcome:?}") };
    let texts = format!("{refusal} {outcome:?} {:?} {:?}", refusal.code(), refusal.message());
    assert!(!texts.contains("s3cret"), "{status}: {texts}");
    assert_eq!(refusal.status(), status);
    assert_eq!(refusal.expose_body(), body.to_string().as_bytes());
}

#[test]
fn a_secret_that_looks_like_a_card_number_in_part_is_blotted_out_whole() {
    for secret in ["4000-1234-5678-tail", "head-123456789012-tail", "0000tail"] {
        for message in [format!("not {secret}!"), format!("17 1234567890{secret}")] {
            let mut desk = Desk::new();
            let credentials = Credentials::new("agent-1", secret).unwrap();
            desk.session.sign_in(credentials, Keep::Always, desk.now);
            let Step::Send(ticket, _) = desk.session.poll(desk.now) else { panic!("no sign-in") };
            let Act::Answer(reply) = answer(401, &json!({ "message": message })) else {
                unreachable!()
            };
            let error = desk.session.on_reply(ticket, Reply::from(&reply), desk.now).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("redacted"), "{message}: {text}");
            assert!(!text.contains("tail") && !text.contains("head"), "{message}: {text}");
        }
    }
}

#[test]
fn the_token_of_an_earlier_attempt_is_not_quoted_either() {
    let mut desk = Desk::new();
    let late = answer(422, &json!({ "message": "bad: canary-access-1, canary-access-2!" }));
    let outcome = desk.reads(vec![answer(401, &json!({})), late]);
    let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.message(), Some("bad: [redacted], [redacted]!"));
}

#[test]
fn shorter_numbers_and_dates_are_left_alone() {
    for text in ["12345678901", "order 20261125 at 2026-11-25 18:20", "1 2 3 -- 4567890123 - 45"] {
        let refusal = refused(422, &json!({ "message": text }));
        assert_eq!(refusal.message(), Some(text));
    }
}

#[test]
fn a_flood_of_digits_is_read_in_no_time_to_speak_of() {
    let flood = "1 ".repeat(30_000);
    let refusal = refused(422, &json!({ "message": flood }));
    assert!(refusal.message().unwrap().len() <= 512);
}

#[test]
fn code_and_message_are_found_wherever_the_vendors_apis_put_them() {
    for body in [
        json!({ "state": false, "payload": { "message": "no funds", "code": 17 } }),
        json!({ "state": false, "payload": { "error": { "message": "no funds", "code": "17" } } }),
        json!({ "state": false, "payload": [{ "message": "no funds", "code": 17 }] }),
        json!({ "state": false, "code": 17, "payload": "no funds" }),
        json!({ "state": false, "error_code": 17, "errors": { "amount": ["no funds"] } }),
        json!({ "state": false, "errors": [{ "message": "no funds", "code": 17 }] }),
        json!({ "state": false, "error": { "code": 17, "errors": { "amount": ["no funds"] } } }),
        json!({ "state": false, "code": 17, "message": ["no funds"] }),
        json!({ "state": false, "code": null, "message": null, "error": { "code": 17, "message": "no funds" } }),
    ] {
        for status in [200, 422] {
            let refusal = refused(status, &body);
            assert_eq!(
                (refusal.code(), refusal.message()),
                (Some("17"), Some("no funds")),
                "{body}"
            );
        }
    }
    let two = refused(422, &json!({ "message": ["no funds", "", "no name"] }));
    assert_eq!(two.message(), Some("no funds; no name"));
    let many = refused(
        422,
        &json!({ "message": vec!["no funds"; 4_000], "code": "7".repeat(11).repeat(100) }),
    );
    assert!(many.message().unwrap().len() <= 512 && many.code().unwrap().len() <= 512);
}

#[test]
fn only_one_whole_object_in_utf_8_under_2xx_refuses_what_creates_or_moves() {
    let text = r#"{"state":false}"#;
    let whole = [text.to_owned(), format!("\u{feff}{text}"), format!(" {text}\r\n\t ")];
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let not_whole = [
        b"{\"state\":false}x".to_vec(),
        b"{\"state\":false}\0".to_vec(),
        b"{\"state\":false}{\"state\":false}".to_vec(),
        b"{\"state\":false}\xef\xbb\xbf".to_vec(),
        b"\xef\xbb\xbf\xef\xbb\xbf{\"state\":false}".to_vec(),
        b"{\"state\":false".to_vec(),
        b"{\"state\":false,\"x\":\"\xff\"}".to_vec(),
        b"{\"state\":false,\"state\":false}".to_vec(),
        b"{\"state\":\"false\"}".to_vec(),
        b"{\"state\":0}".to_vec(),
        b"{\"state\":0x10}".to_vec(),
        b"{\"state\":0b1}".to_vec(),
        b"{\"state\":0o7}".to_vec(),
        b"{\"state\":falsehood}".to_vec(),
        b"{\"state\":false,\"amount\":0x10}".to_vec(),
        b"{\"state\":false,}".to_vec(),
        b"{\"state\":true,\"state\":false}".to_vec(),
        b"{\"status\":\"error\",\"error_code\":100101}".to_vec(),
        b"{\"error\":{\"message\":\"no\",\"code\":100101}}".to_vec(),
        b"[{\"state\":false}]".to_vec(),
        utf_16,
    ];
    for content_type in ["application/json", "text/html"] {
        for body in &whole {
            for outcome in [
                Desk::new().pays(vec![typed(200, content_type, body.as_bytes())]),
                Desk::new().creates(vec![typed(202, content_type, body.as_bytes())]),
            ] {
                assert!(matches!(outcome, Outcome::Refused(_)), "{body:?}: {outcome:?}");
            }
        }
        for body in &not_whole {
            for outcome in [
                Desk::new().pays(vec![typed(200, content_type, body)]),
                Desk::new().creates(vec![typed(202, content_type, body)]),
                Desk::new().pays(vec![typed(401, content_type, body)]),
            ] {
                assert!(matches!(outcome, Outcome::Unknown(_)), "{body:?}: {outcome:?}");
            }
        }
    }
}

#[test]
fn a_decided_code_counts_letter_for_letter_and_a_decided_status_never_under_2xx() {
    let decided = || {
        let mut catalogue = crate::support::catalogue();
        let (statuses, codes) = ([200, 202, 503].into(), ["E7".to_owned()].into());
        catalogue
            .set_decided("confirm", imts_core::catalogue::Decided { statuses, codes })
            .unwrap();
        Desk::with(crate::support::policy(), catalogue)
    };
    let is_refused = |act: Act| matches!(decided().pays(vec![act]), Outcome::Refused(_));
    assert!(is_refused(answer(503, &json!({}))));
    assert!(is_refused(answer(500, &json!({ "code": "E7" }))));
    assert!(is_refused(typed(500, "text/html", b"\xef\xbb\xbf{\"code\":\"E7\"}")));
    for code in ["e7", "E7 ", " E7", "E77", "E", "7"] {
        assert!(!is_refused(answer(500, &json!({ "code": code }))), "{code:?}");
    }
    for body in
        [&b"{\"code\":\"E7\"}x"[..], b"{\"code\":\"E7\"", b"{\"code\":\"E7\",\"x\":\"\xff\"}"]
    {
        assert!(!is_refused(typed(500, "application/json", body)));
    }
    for status in [200, 202] {
        for body in [json!({}), json!({ "code": "E7" }), json!({ "payload": 1 })] {
            assert!(!is_refused(answer(status, &body)), "{status} {body}");
        }
    }
}

#[test]
fn every_occurrence_of_a_secret_in_a_refusal_is_blotted_out() {
    let token = "canary-access-1";
    let quote = format!("{token}, {token}{token} and {token}");
    let refusal = refused(422, &json!({ "message": quote, "code": quote }));
    let clean = "[redacted], [redacted][redacted] and [redacted]";
    assert_eq!((refusal.message(), refusal.code()), (Some(clean), Some(clean)));
}
