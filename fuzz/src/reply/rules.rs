//! What a reply to a renewal is, by rules written from the documentation: the second opinion.
//!
//! No function of the client's wire or date code is used here.

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::oracle::envelope::{is_json, says_no, unmarked};
use crate::oracle::json::{Kind, Value};
use crate::oracle::{date, json, lenient};

/// What a reply is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A grant, with the token, its lifetime in microseconds, and the two ends by the server's clock.
    Grant {
        token: String,
        lifetime: i64,
        access_ends: i64,
        refresh_ends: Option<i64>,
        /// Whether a refresh token came, good or not: the old one is then over.
        brings_refresh: bool,
    },
    /// No.
    Refused,
    /// A promise of success that cannot be used.
    Malformed,
    /// Neither a success nor a refusal.
    Unexpected,
}

const CAP: i64 = 86_400_000_000;
const LIMIT: usize = 65_536;

/// Reads a reply to a request that was sent at `sent`; `None` if that rests on a header of a form
/// that is left open.
pub(crate) fn read(status: u16, headers: &HeaderMap, body: &[u8], sent: i64) -> Option<Told> {
    let is_json = is_json(headers);
    let text = std::str::from_utf8(unmarked(body)).ok().filter(|_| body.len() <= LIMIT);
    let document = text.and_then(json::document).filter(|value| value.kind == Kind::Object);
    let says_no = document.is_some_and(says_no);
    let told = match status {
        200..=299 if says_no => Told::Refused,
        // No grant: its state would be true.
        200..=299 if lenient::refuses(body, true) => Told::Refused,
        200..=299 => match document {
            // Without its type, a text that has no characters for an escape may be no JSON at all.
            Some(document) => match grant(document, headers, sent)? {
                Told::Malformed if !is_json && body.windows(2).any(|two| two == b"\\u") => {
                    return None;
                }
                told => told,
            },
            None if is_json => Told::Malformed,
            None => Told::Unexpected,
        },
        400..=499 => Told::Refused,
        500..=599 if says_no || lenient::refuses(body, false) => Told::Refused,
        _ => Told::Unexpected,
    };
    Some(told)
}

/// What a `Retry-After` asks for, in microseconds; the outer `None` if its form is left open.
pub(super) fn retry_after(headers: &HeaderMap, sent: i64) -> Option<Option<u128>> {
    let Some(value) = headers.get(RETRY_AFTER) else { return Some(None) };
    let value = value.to_str().ok()?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Some(u128::from(value.parse().unwrap_or(u64::MAX)) * 1_000_000));
    }
    let wait = date::http(value)? - received(headers, sent)?;
    Some(Some(u128::try_from(wait).unwrap_or(0)))
}

/// The time of the reply, if its body does not say it.
fn received(headers: &HeaderMap, sent: i64) -> Option<i64> {
    match headers.get(DATE) {
        Some(value) => date::http(value.to_str().ok()?),
        None => Some(sent),
    }
}

fn grant(document: Value<'_>, headers: &HeaderMap, sent: i64) -> Option<Told> {
    let Some(outer) = fields(document, ["state", "response_time", "payload"]) else {
        return Some(Told::Malformed);
    };
    let [Some(state), response_time, Some(payload)] = outer else { return Some(Told::Malformed) };
    let names = ["access_token", "refresh_token", "access_expire_at", "refresh_expire_at"];
    let inner = if payload.kind == Kind::Object { fields(payload, names) } else { None };
    let (Kind::True, Some(inner)) = (state.kind, inner) else { return Some(Told::Malformed) };
    let date_of = |value: Option<Value<'_>>| date::rfc3339(&value?.string()?);
    let printed = date_of(response_time);
    let told = match headers.get(DATE) {
        Some(value) => value.to_str().ok().and_then(date::http),
        None => None,
    };
    if headers.contains_key(DATE) && told.is_none() {
        return None;
    }
    let clocks = match (printed, told) {
        (None, None) if response_time.is_some() => return Some(Told::Malformed),
        (None, None) => vec![sent],
        _ => printed.into_iter().chain(told).collect(),
    };
    // Of what the clocks leave, the least that is more than nothing.
    let left = |end: i64| clocks.iter().map(|from| end - from).filter(|left| *left > 0).min();
    let [access, refresh, access_ends, refresh_ends] = inner;
    let token = access.and_then(Value::string).filter(|token| is_token(token));
    let access_ends = date_of(access_ends);
    let (Some(token), Some(access_ends)) = (token, access_ends) else {
        return Some(Told::Malformed);
    };
    let Some(lifetime) = left(access_ends).map(|left| left.min(CAP)) else {
        return Some(Told::Malformed);
    };
    let brings_refresh = refresh.is_some_and(|token| token.text() != "\"\"");
    let is_good = refresh.and_then(Value::string).is_some_and(|token| is_token(&token));
    let refresh_ends = date_of(refresh_ends).filter(|end| is_good && left(*end).is_some());
    Some(Told::Grant { token, lifetime, access_ends, refresh_ends, brings_refresh })
}

/// The values of these names; `None` if one stands twice, or if a name is unreadable. A null
/// is as good as an absence, except for the state.
fn fields<'a, const N: usize>(
    object: Value<'a>,
    names: [&str; N],
) -> Option<[Option<Value<'a>>; N]> {
    let mut found = [None; N];
    for (name, value) in object.members()? {
        let name = name?;
        if let Some(place) = names.iter().position(|known| *known == name) {
            found[place].is_none().then_some(())?;
            found[place] = Some(value);
        }
    }
    Some(found.map(|value| value.filter(|value| value.kind != Kind::Null)))
}

fn is_token(text: &str) -> bool {
    text.len() <= 8_192 && !text.is_empty() && text.chars().all(|c| ('!'..='~').contains(&c))
}
