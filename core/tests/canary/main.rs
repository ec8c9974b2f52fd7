//! No secret in any output: marked secrets in every secret position, every phase and every error
//! driven, and everything that the crate says searched for them in every encoding.
#![cfg(feature = "persist")]

mod calls;
mod drive;
mod hunt;
mod outputs;
mod quotes;
#[cfg(all(feature = "jws", feature = "pg-sig"))]
mod signing;
mod token_ids;

use imts_core::endpoint::ServicePath;
use imts_core::exchange::Purpose;
use imts_core::{Credentials, Endpoint, Keep, Saved, services};
use imts_sandbox::{Operation, Verdict};

use crate::drive::{AGENT, Drive, QUOTED, SECRET, WRONG};
use crate::hunt::{Hunt, STANDARD, URL_SAFE, base64};

/// Nothing that was said holds a secret.
fn assert_silent(drive: &Drive) {
    assert!(!drive.outputs.0.is_empty(), "nothing was said");
    for (text, what) in &drive.outputs.0 {
        let found = drive.hunt.find(text);
        assert!(found.is_empty(), "{what} holds {found:?}:\n{text}");
    }
}

#[test]
fn a_planted_leak_is_found_in_each_encoding() {
    let mut hunt = Hunt::default();
    hunt.add("it", SECRET);
    let bytes = SECRET.as_bytes();
    let each = |form: fn(&u8) -> String| bytes.iter().map(form).collect::<String>();
    let mut encoded = vec![
        ("raw", SECRET.to_owned()),
        ("decimal bytes", format!("{bytes:?}")),
        ("decimal bytes", format!("{bytes:#?}")),
        ("hex", format!("{bytes:02x?}")),
        ("hex", each(|byte| format!("{byte:02x}"))),
        ("HEX", format!("{bytes:02X?}")),
        ("percent", each(|byte| format!("%{byte:02X}"))),
        ("percent, lower case", each(|byte| format!("%{byte:02x}"))),
        ("JSON", each(|byte| format!("\\u00{byte:02x}"))),
        ("JSON, upper case", each(|byte| format!("\\u00{byte:02X}"))),
    ];
    // The mark stands at another place of its triple with each.
    for before in ["", "x", "xy"] {
        let text = format!("{before}{SECRET}, and more");
        encoded.push(("base64", base64(STANDARD, text.as_bytes())));
        encoded.push(("base64url", base64(URL_SAFE, text.as_bytes())));
    }
    for (encoding, text) in encoded {
        let text = format!("before {text} after");
        let found = hunt.find(&text);
        assert!(found.iter().any(|(_, name)| name.starts_with(encoding)), "{encoding}: {text}");
    }
    assert!(hunt.find("before [redacted] after").is_empty());
    assert_eq!(base64(STANDARD, b"\xfb\xff\xbe>?"), "+/++Pj8");
}

#[test]
fn a_whole_life_over_the_sandbox_says_no_secret() {
    let mut drive = Drive::new(services::transfer());
    drive.sign_in(WRONG, Keep::Always);
    drive.settle();
    drive.sign_in(QUOTED, Keep::Once);
    drive.settle();
    drive.sign_in(SECRET, Keep::Always);
    drive.settle();
    for seconds in [800, 1_000, 10, 31 * 86_400] {
        drive.pass(seconds);
        drive.settle();
    }
    drive.service.settings_mut().refuse_refresh = true;
    drive.pass(1_000);
    drive.settle();
    drive.service.settings_mut().refuse_refresh = false;
    for not_sent in [true, false] {
        drive.pass(1_000);
        let (ticket, _) = drive.next().unwrap();
        drive.fails(ticket, not_sent);
        drive.pass(61);
        drive.settle();
    }
    let epoch = drive.session.phase(drive.now).usable().unwrap().bearer().epoch();
    drive.outputs.show("an epoch", &epoch);
    drive.session.reject(epoch, drive.now);
    drive.look();
    drive.pass(61);
    drive.settle();
    let seen = |verdict| drive.service.log().iter().any(|entry| entry.verdict == verdict);
    for verdict in
        [Verdict::Granted, Verdict::Refreshed, Verdict::WrongCredentials, Verdict::RefusedRefresh]
    {
        assert!(seen(verdict), "the secrets have not reached the service: {verdict:?}");
    }
    assert!(drive.service.count(Operation::Refresh) >= 3 && drive.hunt.secrets() >= 10);
    assert!(drive.outputs.0.len() > 100, "{} outputs are not all", drive.outputs.0.len());
    assert_silent(&drive);
}

#[test]
fn a_saved_state_says_no_secret_but_in_its_json() {
    let mut drive = Drive::new(services::transfer());
    drive.sign_in(SECRET, Keep::Always);
    drive.settle();
    let saved = drive.saved.clone().unwrap();
    let json = saved.to_json();
    for length in 0..json.len() {
        let error = Saved::from_json(&json[..length]).unwrap_err();
        drive.outputs.error("a saved state cut off", &error);
    }
    let [access, refresh] = drive.tokens();
    let text = String::from_utf8(json.to_vec()).unwrap();
    for (from, to) in [
        (&*access, &*format!("{access}\\u0000")),
        (&*refresh, &*format!("{refresh} ")),
        ("\"version\":2", "\"version\":7"),
        ("\"version\":2", &*format!("\"version\":\"{refresh}\"")),
        ("\"generation\"", &*format!("\"{refresh}\":1,\"generation\"")),
        ("\"use\":\"unspent\"", &*format!("\"use\":\"{refresh}\"")),
    ] {
        let error = Saved::from_json(text.replace(from, to).as_bytes()).unwrap_err();
        drive.outputs.error("a saved state changed", &error);
    }
    let elsewhere = Endpoint::https("https://other.example").unwrap();
    let mut other =
        imts_core::Session::new(elsewhere, services::transfer(), imts_core::Policy::default())
            .unwrap();
    let error = other.adopt(saved.clone(), drive.now).unwrap_err();
    drive.outputs.error("another endpoint's", &error);
    other = imts_core::Session::new(
        drive.session.endpoint().clone(),
        services::transfer(),
        imts_core::Policy::default(),
    )
    .unwrap();
    other.sign_in(Credentials::new("other", SECRET).unwrap(), Keep::Always, drive.now);
    let error = other.adopt(saved, drive.now).unwrap_err();
    drive.outputs.error("another agent's", &error);
    drive.outputs.session(&other, drive.now);
    assert_silent(&drive);
}

#[test]
fn what_the_caller_got_wrong_is_not_quoted_where_a_secret_may_stand() {
    let mut drive = Drive::new(services::transfer());
    for url in [
        format!("https://{AGENT}:{SECRET}@host.example"),
        format!("https://host.example/?secret={SECRET}"),
        format!("https://host.example/#{SECRET}"),
        format!("{SECRET}://host.example"),
        format!("https://host.example:{SECRET}"),
        format!("https://host.example/{SECRET}%2f"),
        SECRET.to_owned(),
    ] {
        for error in
            [Endpoint::https(&url).unwrap_err(), Endpoint::plain_loopback(&url).unwrap_err()]
        {
            drive.outputs.error("an endpoint's error", &error);
        }
        let error = ServicePath::new(format!("/x?{url}")).unwrap_err();
        drive.outputs.error("a path's error", &error);
    }
    for (id, secret) in [("", SECRET), (AGENT, "")] {
        let error = Credentials::new(id, secret).unwrap_err();
        drive.outputs.error("a credentials' error", &error);
    }
    drive.sign_in(SECRET, Keep::Always);
    drive.settle();
    drive.look();
    assert_silent(&drive);
}

#[test]
fn the_ways_out_are_those_that_say_so() {
    let mut drive = Drive::new(services::transfer());
    drive.sign_in(SECRET, Keep::Always);
    let (ticket, request) = drive.next().unwrap();
    let body = String::from_utf8(request.body().clone()).unwrap();
    assert_eq!(drive.hunt.find(&body), [("secret", "raw")], "a request's body");
    let now = imts_sandbox::Time::from_micros(drive.now.wall.unix_micros());
    let response = drive.service.handle(now, &request);
    assert!(drive.receive(ticket, &response));
    drive.settle();
    let bearer = drive.session.phase(drive.now).usable().unwrap().bearer().clone();
    let header = String::from_utf8(bearer.header().as_bytes().to_vec()).unwrap();
    for text in [bearer.expose_token(), &header] {
        assert_eq!(drive.hunt.find(text), [("access_token", "raw")]);
    }
    let saved = String::from_utf8(drive.saved.clone().unwrap().to_json().to_vec()).unwrap();
    assert_eq!(drive.hunt.find(&saved), [("access_token", "raw"), ("refresh_token", "raw")]);
    let (mut drive, ticket) = Drive::about_to(Purpose::Refresh);
    let quote = quotes::refusal(401, &drive.tokens()[1]);
    let error = drive.session.on_reply(ticket, (&quote).into(), drive.now).unwrap_err();
    let imts_core::session::RenewalCause::Reply(imts_core::error::ReplyError::Refused(refusal)) =
        error.why()
    else {
        panic!("{error}")
    };
    let body = String::from_utf8(refusal.expose_body().to_vec()).unwrap();
    assert_eq!(drive.hunt.find(&body), [("refresh_token", "raw")], "a refusal's body");
}
