//! The dates of a reply, in every form in which a service may print them: what counts, and how long
//! the tokens then live.

use std::time::Duration;

use http::Response;
use imts_core::Keep;
use imts_core::error::{Malformed, ReplyError};
use imts_core::exchange::Purpose;
use imts_core::session::RenewalCause;
use serde_json::{Value, json};

use crate::support::World;

/// The request is sent at 11:17:31.577745 of 23 July 2025, by this machine's clock.
const ENDS: &str = "2025-07-23T11:32:31Z";
const DATE: &str = "Wed, 23 Jul 2025 11:17:31 GMT";

/// A grant with these dates; what is null is not there.
fn grant(
    time: &Value,
    date: Option<&str>,
    ends: &Value,
    refresh_ends: &Value,
) -> Response<Vec<u8>> {
    let mut body = json!({ "state": true, "response_time": time, "payload": {
        "access_token": "a.b.c", "refresh_token": "d.e.f",
        "access_expire_at": ends, "refresh_expire_at": refresh_ends,
    } });
    for (object, names) in
        [("", &["response_time"][..]), ("/payload", &["access_expire_at", "refresh_expire_at"])]
    {
        let fields = body.pointer_mut(object).unwrap().as_object_mut().unwrap();
        for name in names {
            if fields[*name].is_null() {
                fields.remove(*name);
            }
        }
    }
    let mut response = Response::builder().status(200);
    if let Some(date) = date {
        response = response.header("date", date);
    }
    response.body(body.to_string().into_bytes()).unwrap()
}

/// How long the access token lives, in microseconds, and whether the refresh token is used.
fn lives(purpose: Purpose, response: &Response<Vec<u8>>) -> Result<(u128, bool), Malformed> {
    let mut world = match purpose {
        Purpose::SignIn => World::with_credentials(Keep::Always),
        Purpose::Refresh => World::signed_in(Keep::Always),
    };
    if purpose == Purpose::Refresh {
        world.now.mono = world.now.mono.after(Duration::from_secs(800));
    }
    world.sends(purpose);
    match world.reply(response) {
        Ok(()) => {
            let usable = world.session.phase(world.now).usable().expect("a grant is usable");
            Ok((usable.lifetime().as_micros(), usable.refresh_expire_at().is_some()))
        }
        Err(error) => match error.why() {
            RenewalCause::Reply(ReplyError::Malformed(malformed)) => Err(*malformed),
            other => panic!("{other:?}"),
        },
    }
}

const SECOND: u128 = 1_000_000;
const DAY: u128 = 86_400 * SECOND;
const NOT_A_DATE: Malformed = Malformed::Date { field: "access_expire_at" };
const NO_LIFE: Malformed = Malformed::Lifetime { field: "access_expire_at" };

#[test]
fn a_response_time_counts_by_its_instant_whatever_its_form() {
    // Times of the reply, and what they leave by themselves until 11:32:31 UTC.
    for (time, left) in [
        ("2025-07-23T11:17:31Z", 900 * SECOND),
        ("2025-07-23T17:17:31+06:00", 900 * SECOND),
        ("2025-07-23T06:47:31-04:30", 900 * SECOND),
        ("2025-07-24T11:16:31+23:59", 900 * SECOND),
        ("2025-07-22T11:18:31-23:59", 900 * SECOND),
        ("2025-07-23T11:17:31-00:00", 900 * SECOND),
        ("2025-07-23t11:17:31z", 900 * SECOND),
        ("2025-07-23T11:17:31.5Z", 899_500_000),
        ("2025-07-23T11:17:31.577745999999Z", 899_422_255),
        ("2025-07-23T11:17:31.000000001+00:00", 900 * SECOND),
        ("2025-07-23T11:16:60Z", 931 * SECOND),
        ("1970-01-01T00:00:00Z", DAY),
        ("0000-01-01T00:00:00Z", DAY),
    ] {
        for purpose in [Purpose::SignIn, Purpose::Refresh] {
            let far = json!("2026-07-23T11:32:31Z");
            let alone = lives(purpose, &grant(&json!(time), None, &json!(ENDS), &far));
            assert_eq!(alone, Ok((left, true)), "{purpose} {time}");
            let by_date = lives(purpose, &grant(&json!(time), Some(DATE), &json!(ENDS), &far));
            assert_eq!(by_date, Ok((left.min(900 * SECOND), true)), "{purpose} {time}");
        }
    }
}

#[test]
fn a_response_time_that_cannot_be_read_or_leaves_nothing_gives_way_to_the_date() {
    for time in [
        json!("2025-07-23T11:32:31Z"),
        json!("9999-12-31T23:59:60Z"),
        json!("2025-07-23T11:17:31"),
        json!("2025-07-23T11:17:31+24:00"),
        json!("2025-07-23T24:17:31Z"),
        json!("2025-02-29T11:17:31Z"),
        json!("-2025-07-23T11:17:31Z"),
        json!("+2025-07-23T11:17:31Z"),
        json!("99999-07-23T11:17:31Z"),
        json!("1753269451"),
        json!("1753269451.577745"),
        json!("-1"),
        json!("Wed, 23 Jul 2025 11:17:31 GMT"),
        json!(""),
        json!(1_753_269_451),
        json!(1_753_269_451.577_745),
        json!(-1),
        json!(1e300),
        json!(true),
        json!([]),
        json!({ "date": ENDS }),
    ] {
        let far = json!("2026-07-23T11:32:31Z");
        for purpose in [Purpose::SignIn, Purpose::Refresh] {
            let by_date = lives(purpose, &grant(&time, Some(DATE), &json!(ENDS), &far));
            assert_eq!(by_date, Ok((900 * SECOND, true)), "{purpose} {time}");
            let alone = lives(purpose, &grant(&time, None, &json!(ENDS), &far)).unwrap_err();
            let unread = Malformed::Date { field: "response_time" };
            assert!([unread, NO_LIFE].contains(&alone), "{purpose} {time}: {alone}");
        }
    }
}

#[test]
fn a_date_header_counts_in_its_three_forms_and_is_absent_in_any_other() {
    let time = json!("2025-07-23T11:07:31Z");
    for (date, left) in [
        (DATE, 900),
        ("Wednesday, 23-Jul-25 11:17:31 GMT", 900),
        ("Wed Jul 23 11:17:31 2025", 900),
        ("Wed, 23 Jul 2025 11:16:60 GMT", 931),
        // Dates that leave more than the time of the body, or nothing.
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1_500),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 1_500),
        // No dates of HTTP, or with another zone.
        ("Wed, 23 Jul 2025 11:17:31 +0000", 1_500),
        ("Wed, 23 Jul 2025 17:17:31 +0600", 1_500),
        ("Wed, 23 Jul 2025 11:17:31 ALMT", 1_500),
        ("Wed, 23 Jul 2025 11:17:31", 1_500),
        ("Thu, 23 Jul 2025 11:17:31 GMT", 1_500),
        ("Wed, 32 Jul 2025 11:17:31 GMT", 1_500),
        ("Wed, 23 Jul 2025 25:17:31 GMT", 1_500),
        ("Wed, 23 Jul -2025 11:17:31 GMT", 1_500),
        ("Wed, 23 Jul +2025 11:17:31 GMT", 1_500),
        ("Wed Jul 23 11:17:31 -2025", 1_500),
        ("Wed Jul 23 11:17:31 +2025", 1_500),
        ("Wednesday, 23-Jul--25 11:17:31 GMT", 1_500),
        ("2025-07-23T11:17:31Z", 1_500),
        ("1753269451", 1_500),
        ("-1", 1_500),
        ("", 1_500),
    ] {
        let far = json!("2026-07-23T11:32:31Z");
        for purpose in [Purpose::SignIn, Purpose::Refresh] {
            let found = lives(purpose, &grant(&time, Some(date), &json!(ENDS), &far));
            assert_eq!(found, Ok((left * SECOND, true)), "{purpose} {date}");
        }
        // Without both, the moment of the request by this machine's clock serves.
        if left == 1_500 && !date.ends_with("1970 00:00:00 GMT") && !date.contains("9999") {
            let found =
                lives(Purpose::SignIn, &grant(&Value::Null, Some(date), &json!(ENDS), &far));
            assert_eq!(found, Ok((899_422_255, true)), "{date}");
        }
    }
}

#[test]
fn an_end_of_an_access_token_is_a_date_after_the_reply_or_the_grant_is_none() {
    let time = json!("2025-07-23T11:17:31Z");
    let far = json!("2026-07-23T11:32:31Z");
    for (ends, expected) in [
        (json!("2025-07-23T11:32:31.25Z"), Ok(900_250_000)),
        (json!("2025-07-23T17:32:31+06:00"), Ok(900 * SECOND)),
        (json!("2025-07-23T11:31:60Z"), Ok(900 * SECOND - 31 * SECOND)),
        (json!("2025-12-31T23:59:60Z"), Ok(DAY)),
        (json!("9999-12-31T23:59:60.999999999Z"), Ok(DAY)),
        (json!("2025-07-23T11:17:31Z"), Err(NO_LIFE)),
        (json!("2025-07-23T11:17:31+00:01"), Err(NO_LIFE)),
        (json!("1970-01-01T00:00:00Z"), Err(NO_LIFE)),
        (json!("0000-01-01T00:00:00Z"), Err(NO_LIFE)),
        (json!("-0001-01-01T00:00:00Z"), Err(NOT_A_DATE)),
        (json!("10000-01-01T00:00:00Z"), Err(NOT_A_DATE)),
        (json!("2025-07-23T11:32:61Z"), Err(NOT_A_DATE)),
        (json!("2025-07-23T11:32Z"), Err(NOT_A_DATE)),
        (json!("2025-07-23T11:32:31."), Err(NOT_A_DATE)),
        (json!("2025-07-23T11:32:31,5Z"), Err(NOT_A_DATE)),
        (json!("1753270351"), Err(NOT_A_DATE)),
        (json!("900"), Err(NOT_A_DATE)),
        (json!("-900"), Err(NOT_A_DATE)),
        (json!(""), Err(NOT_A_DATE)),
    ] {
        for purpose in [Purpose::SignIn, Purpose::Refresh] {
            let found = lives(purpose, &grant(&time, None, &ends, &far)).map(|it| it.0);
            assert_eq!(found, expected, "{purpose} {ends}");
        }
    }
    for ends in
        [json!(1_753_270_351), json!(900.5), json!(-900), json!(1e300), json!(false), json!([])]
    {
        for purpose in [Purpose::SignIn, Purpose::Refresh] {
            let found = lives(purpose, &grant(&time, None, &ends, &far)).unwrap_err();
            assert!(matches!(found, Malformed::Json { .. }), "{purpose} {ends}: {found}");
        }
    }
}

#[test]
fn an_end_of_a_refresh_token_costs_that_token_alone() {
    let time = json!("2025-07-23T11:17:31Z");
    for (ends, is_used) in [
        (json!("2025-08-22T11:17:31.577745Z"), true),
        (json!("2025-08-22T17:17:31+06:00"), true),
        (json!("9999-12-31T23:59:60Z"), true),
        (json!("2025-07-23T11:17:31.000001Z"), true),
        (json!("2025-07-23T11:17:31Z"), false),
        (json!("1970-01-01T00:00:00Z"), false),
        (json!("2025-08-22T11:17:31"), false),
        (json!("10000-01-01T00:00:00Z"), false),
        (json!("-0001-01-01T00:00:00Z"), false),
        (json!("1755861451"), false),
        (json!("-1"), false),
        (json!(1_755_861_451), false),
        (json!(1_755_861_451.5), false),
        (json!(-1), false),
        (json!(1e300), false),
        (json!([ENDS]), false),
        (Value::Null, false),
    ] {
        for purpose in [Purpose::SignIn, Purpose::Refresh] {
            let found = lives(purpose, &grant(&time, None, &json!(ENDS), &ends));
            assert_eq!(found, Ok((900 * SECOND, is_used)), "{purpose} {ends}");
        }
    }
}
