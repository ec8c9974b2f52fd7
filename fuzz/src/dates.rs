//! Dates, as replies print them: RFC 3339 in the fields, HTTP's in `Date` and `Retry-After`.
//!
//! An input's first letter says where the rest stands: `e` the access token's end, `t` the time of the
//! reply, `d` the `Date` header of a reply without a time, `r` `Retry-After`. A capital letter (`E`,
//! `T`, `D`, `R`) has the date written from numbers: two bytes for the year, one each for month, day,
//! hour, minute, second, one for the form, four for fraction and offset; so that most are dates.

use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use imts_core::error::{Malformed, ReplyError};
use imts_core::session::{RenewalCause, RenewalError};
use imts_core::time::{Mono, Wall};
use imts_core::{Credentials, Endpoint, Keep, Now, Policy, Reply, Session, Step, services};

use crate::oracle::date;
use crate::{Ran, Target};

/// This target.
pub const TARGET: Target = Target { name: "dates", goal: "a date that both readings take", run };

const SENT: i64 = 1_753_269_451_577_745;
/// The last moment that a date of RFC 3339 can name, near enough: year 9999.
const FAR: i64 = 253_402_300_799_000_000;
const CAP: i64 = i64::MAX / 4;

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let [letter, rest @ ..] = data else { return Ran { structured: false, deepest: false } };
    let structured = letter.is_ascii_uppercase();
    let text = match letter {
        b'E' | b'T' => written(rest, rfc3339),
        b'D' | b'R' => written(rest, http_date),
        _ => String::from_utf8_lossy(rest).into_owned(),
    };
    let deepest = match letter.to_ascii_lowercase() {
        b'e' => end(&text),
        b't' => time_of_reply(&text),
        b'd' => date_header(&text),
        b'r' => retry_after(&text),
        _ => false,
    };
    Ran { structured, deepest }
}

/// The end of an access token, by a server whose clock shows the year 0.
fn end(text: &str) -> bool {
    let zero = "0000-01-01T00:00:00Z";
    let response = grant(Some(zero), text);
    let from = date::rfc3339(zero).expect("a date");
    let expected = date::rfc3339(text);
    match (told(&response), expected) {
        (Ok((lifetime, ends)), Some(expected)) => {
            assert_eq!(ends, expected, "{text}");
            assert_eq!(lifetime, expected - from, "{text}");
            true
        }
        (Err(ReplyError::Malformed(Malformed::Lifetime { .. })), Some(expected)) => {
            assert!(expected <= from, "{text}");
            true
        }
        (Err(ReplyError::Malformed(Malformed::Date { field: "access_expire_at" })), None) => false,
        (found, expected) => panic!("{text:?} is {expected:?}, and was read as {found:?}"),
    }
}

/// The time of a reply whose token lives to the end of time.
fn time_of_reply(text: &str) -> bool {
    let response = grant(Some(text), "9999-12-31T23:59:59Z");
    match (told(&response), date::rfc3339(text)) {
        (Ok((lifetime, _)), Some(time)) => {
            assert_eq!(lifetime, FAR - time, "{text}");
            true
        }
        (Err(ReplyError::Malformed(Malformed::Lifetime { .. })), Some(time)) => {
            assert!(time >= FAR, "{text}");
            true
        }
        (Err(ReplyError::Malformed(Malformed::Date { field: "response_time" })), None) => false,
        (found, expected) => panic!("{text:?} is {expected:?}, and was read as {found:?}"),
    }
}

/// The `Date` of a reply that has no time of its own: read, or else the time of sending counts.
fn date_header(text: &str) -> bool {
    let Ok(value) = HeaderValue::from_str(text) else { return false };
    let mut response = grant(None, "9999-12-31T23:59:59Z");
    response.headers_mut().insert(DATE, value);
    match (told(&response), date::http(text)) {
        (Ok((lifetime, _)), Some(time)) => {
            assert_eq!(lifetime, FAR - time, "{text}");
            true
        }
        (Err(ReplyError::Malformed(Malformed::Lifetime { .. })), Some(time)) => {
            assert!(time >= FAR, "{text}");
            true
        }
        // A form that is out of use, or none: read or not, the token has its end.
        (Ok((lifetime, ends)), None) => {
            assert!(lifetime > 0 && ends == FAR, "{text}");
            false
        }
        (Err(ReplyError::Malformed(Malformed::Lifetime { .. })), None) => false,
        (found, expected) => panic!("{text:?} is {expected:?}, and was read as {found:?}"),
    }
}

/// A `Retry-After`, in seconds or as a date: what it asks for, and what is granted.
fn retry_after(text: &str) -> bool {
    let Ok(value) = HeaderValue::from_str(text) else { return false };
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(RETRY_AFTER, value);
    let (mut session, now) = session();
    let error = reply(&mut session, now, &response).expect_err("a 503");
    let asked = error.retry_after();
    let seconds = || text.trim().parse::<u64>().ok().map(Duration::from_secs);
    let date = || {
        let wait = date::http(text)? - SENT;
        Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let expected =
        if digits { Some(seconds().unwrap_or(Duration::from_secs(u64::MAX))) } else { date() };
    if expected.is_some() {
        assert_eq!(asked, expected, "{text}");
    }
    let Step::Wait { until, .. } = session.poll(now) else { panic!("a 503 is followed by quiet") };
    let policy = session.policy();
    let wait = until.since(now.mono);
    assert!(wait <= policy.retry_after_cap, "{text}: {wait:?}");
    assert!(wait >= asked.unwrap_or_default().min(policy.retry_after_cap), "{text}: {wait:?}");
    expected.is_some()
}

/// A token's lifetime and its end by the server's clock.
fn told(response: &Response<Vec<u8>>) -> Result<(i64, i64), ReplyError> {
    let (mut session, now) = session();
    if let Err(error) = reply(&mut session, now, response) {
        match error.why() {
            RenewalCause::Reply(error) => return Err(error.clone()),
            fault => panic!("no fault of a reply: {fault:?}"),
        }
    }
    let usable = session.phase(now).usable().expect("a grant is usable");
    let lifetime = i64::try_from(usable.lifetime().as_micros()).expect("within the cap");
    Ok((lifetime, usable.access_expire_at().unix_micros()))
}

fn reply(
    session: &mut Session,
    now: Now,
    response: &Response<Vec<u8>>,
) -> Result<(), std::sync::Arc<RenewalError>> {
    let Step::Send(ticket, _) = session.poll(now) else { panic!("a sign-in is due") };
    session.on_reply(ticket, Reply::from(response), now)
}

/// A session that believes any lifetime.
fn session() -> (Session, Now) {
    let now = Now { mono: Mono::default(), wall: Wall::from_unix_micros(SENT) };
    let endpoint = Endpoint::https("https://fuzz.example").expect("a good URL");
    let mut policy = Policy::default();
    policy.access_lifetime_cap = Duration::from_micros(CAP.unsigned_abs());
    let mut session = Session::new(endpoint, services::transfer(), policy).expect("a good service");
    let credentials = Credentials::new("agent", "secret").expect("good credentials");
    session.sign_in(credentials, Keep::Always, now);
    (session, now)
}

fn grant(response_time: Option<&str>, access_expire_at: &str) -> Response<Vec<u8>> {
    let body = serde_json::json!({
        "state": true,
        "response_time": response_time,
        "payload": { "access_token": "a.b.c", "access_expire_at": access_expire_at },
    });
    let mut response = Response::new(body.to_string().into_bytes());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The parts of a date: year, month, day, hour, minute, second, and five bytes of form.
type Parts = ([u32; 6], [u8; 5]);

fn written(bytes: &[u8], form: fn(&Parts) -> String) -> String {
    let mut bytes = bytes.iter().copied().chain(std::iter::repeat(0));
    let mut next = || bytes.next().unwrap_or_default();
    let year = u32::from(u16::from_be_bytes([next(), next()])) % 10_001;
    // Most fall within their range, a few just beyond it.
    let mut part = |first: u32, count: u32| first + u32::from(next()) % (count + 1);
    let parts = [year, part(1, 12), part(1, 31), part(0, 24), part(0, 60), part(0, 61)];
    form(&(parts, std::array::from_fn(|_| next())))
}

fn rfc3339(([year, month, day, hour, minute, second], form): &Parts) -> String {
    let between = ['T', 't', ' ', 'T'][usize::from(form[0] & 3)];
    let fraction: String = match form[0] >> 2 & 15 {
        0 => String::new(),
        places => "."
            .chars()
            .chain((0..places).map(|n| char::from(b'0' + form[1].rotate_left(n.into()) % 10)))
            .collect(),
    };
    let offset = match form[0] >> 6 {
        0 => "Z".to_owned(),
        1 => "z".to_owned(),
        sign => {
            let sign = if sign == 2 { '+' } else { '-' };
            format!("{sign}{:02}:{:02}", form[2] % 25, form[3] % 61)
        }
    };
    format!(
        "{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}{fraction}{offset}"
    )
}

fn http_date(([year, month, day, hour, minute, second], form): &Parts) -> String {
    const MONTHS: [&str; 13] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Dez"];
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0) % 13];
    // A weekday is right by chance one time in seven: try them all, and keep the one that is.
    let with = |weekday: &str| {
        format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
    };
    let right = DAYS.iter().map(|day| with(day)).find(|text| date::http(text).is_some());
    match (right, form[0] & 7) {
        (Some(right), 0..=5) => right,
        _ => with(DAYS[usize::from(form[1] % 7)]),
    }
}
