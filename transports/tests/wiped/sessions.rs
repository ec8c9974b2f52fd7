//! Tokens in replies and in saved forms, and secrets in refusals.

use http::Response;
use http::header::CONTENT_TYPE;
use imts::time::{Mono, Wall};
use imts::{Credentials, Endpoint, Keep, Now, Policy, Saved, Session, Step, Ticket, services};
use zeroize::Zeroizing;

use crate::memory::leaves_nothing;

pub(crate) const NOW: Now =
    Now { mono: Mono::from_micros(1_000_000), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

/// As it is, or with its first letter as an escape: that text is no longer a part of the JSON.
const FORMS: [fn(&str) -> Zeroizing<String>; 2] = [
    |text| joined(&[text]),
    |text| {
        let escape = format!("\\u{:04x}", u32::from(text.as_bytes()[0]));
        joined(&[&escape, &text[1..]])
    },
];

/// In memory that is not outgrown: the test leaves nothing behind itself.
pub(crate) fn joined(parts: &[&str]) -> Zeroizing<String> {
    Zeroizing::new(parts.concat())
}

/// A session that is signing in with this secret.
fn signing_in(secret: &str) -> (Session, Ticket) {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    let mut session = Session::new(endpoint, services::transfer(), Policy::default()).unwrap();
    session.sign_in(Credentials::new("agent", secret).unwrap(), Keep::Always, NOW);
    let Step::Send(ticket, _) = session.poll(NOW) else { panic!("{session:?}") };
    (session, ticket)
}

fn reply(status: u16, body: Zeroizing<String>) -> Response<Zeroizing<String>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.body(body).unwrap()
}

/// A grant's reply: an access token, and a refresh token that is longer, with an escape in its midst.
pub(crate) fn grant(token: &str) -> Zeroizing<String> {
    joined(&[
        r#"{"state":true,"response_time":"2025-07-23T11:17:31Z","payload":{"access_token":""#,
        token,
        r#"","access_expire_at":"2025-07-23T11:32:31Z","refresh_token":""#,
        token,
        "\\u0030",
        &"0".repeat(4_000),
        r#"","refresh_expire_at":"2025-08-23T11:17:31Z"}}"#,
    ])
}

#[test]
fn a_granted_token_leaves_nothing_behind_however_it_is_written() {
    for form in FORMS {
        leaves_nothing(2, |marker| {
            let (mut session, ticket) = signing_in("secret");
            let reply = reply(200, grant(&form(marker)));
            session.on_reply(ticket, (&reply).into(), NOW).unwrap();
            let usable = session.phase(NOW).usable().unwrap();
            assert_eq!(usable.bearer().expose_token(), marker);
            session
        });
    }
}

#[test]
fn a_saved_form_leaves_nothing_behind_however_it_is_written_and_though_it_outgrows_its_memory() {
    for form in FORMS {
        leaves_nothing(4, |marker| {
            let token = form(marker);
            let json = joined(&[
                r#"{"version":1,"generation":1,"endpoint":"https://service.example","#,
                r#""agent_id":"agent","saved_at_us":0,"access":{"token":""#,
                &token,
                r#"","ends_at_us":9,"lifetime_us":9,"expire_at_us":9},"refresh":{"token":""#,
                &token,
                &"0".repeat(4_000),
                r#"","ends_at_us":9,"expire_at_us":9,"in_doubt":false}}"#,
            ]);
            let saved = Saved::from_json(json.as_bytes()).unwrap();
            let written = saved.to_json();
            assert!(String::from_utf8_lossy(&written).matches(marker).count() == 2);
            (saved, written)
        });
    }
}

#[test]
fn a_refusal_that_quotes_the_secret_leaves_nothing_behind() {
    for form in FORMS {
        leaves_nothing(2, |marker| {
            let (mut session, ticket) = signing_in(marker);
            let quoted = form(marker);
            let body = joined(&[r#"{"code":""#, &quoted, r#"","message":"no: "#, &quoted, r#""}"#]);
            let error = session.on_reply(ticket, (&reply(401, body)).into(), NOW).unwrap_err();
            assert!(error.to_string().contains("[redacted]"), "{error}");
            (session, error)
        });
    }
}

#[test]
fn a_refusal_of_many_words_that_quotes_a_token_leaves_nothing_behind() {
    leaves_nothing(2, |marker| {
        let (mut session, ticket) = signing_in("secret");
        session.on_reply(ticket, (&reply(200, grant(marker))).into(), NOW).unwrap();
        let later = NOW.advanced_by(std::time::Duration::from_secs(800));
        let Step::Send(ticket, _) = session.poll(later) else { panic!("{session:?}") };
        // A token, then more words; and more of them where another secret stood.
        let words = "secret, ".repeat(1_000);
        let body = joined(&[r#"{"message":["no: "#, marker, r#" ","#, "\"", &words, r#""]}"#]);
        let error = session.on_reply(ticket, (&reply(401, body)).into(), later).unwrap_err();
        assert!(error.to_string().contains("no: [redacted]"), "{error}");
        (session, error)
    });
}
