//! What a reply to a renewal is, by rules written from the contract: the second opinion.
//!
//! No function of the client's wire or date code is used here.

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::oracle::envelope::{is_json, says_no};
use crate::oracle::json::{Kind, Value};
use crate::oracle::{date, json};

/// What a reply is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A grant, with the token, its lifetime in microseconds, and the two ends by the server's clock.
    Grant { token: String, lifetime: i64, access_ends: i64, refresh_ends: Option<i64> },
    /// No.
    Refused,
    /// A promise of success that cannot be used.
    Malformed,
    /// Nothing that the contract has.
    Unexpected,
}

const CAP: i64 = 86_400_000_000;
const LIMIT: usize = 65_536;

/// Reads a reply to a request that was sent at `sent`; `None` where that rests on a header of a form
/// that is left open.
pub(crate) fn read(status: u16, headers: &HeaderMap, body: &[u8], sent: i64) -> Option<Told> {
    let is_json = is_json(headers);
    let text = std::str::from_utf8(body).ok().filter(|_| body.len() <= LIMIT);
    let document = text.and_then(json::document).filter(|value| value.kind == Kind::Object);
    let says_no = is_json && document.is_some_and(says_no);
    Some(match status {
        200..=299 if !is_json => Told::Unexpected,
        200..=299 if says_no => Told::Refused,
        200..=299 => match document {
            Some(document) => grant(document, || received(headers, sent))?,
            None => Told::Malformed,
        },
        400..=499 => Told::Refused,
        500..=599 if says_no => Told::Refused,
        _ => Told::Unexpected,
    })
}

/// What a `Retry-After` asks for, in microseconds; the outer `None` where its form is left open.
pub(super) fn retry_after(headers: &HeaderMap, sent: i64) -> Option<Option<u128>> {
    let Some(value) = headers.get(RETRY_AFTER) else { return Some(None) };
    let value = value.to_str().ok()?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Some(u128::from(value.parse().unwrap_or(u64::MAX)) * 1_000_000));
    }
    let wait = date::http(value)? - received(headers, sent)?;
    Some(Some(u128::try_from(wait).unwrap_or(0)))
}

/// The time of the reply, where its body does not say.
fn received(headers: &HeaderMap, sent: i64) -> Option<i64> {
    match headers.get(DATE) {
        Some(value) => date::http(value.to_str().ok()?),
        None => Some(sent),
    }
}

fn grant(document: Value<'_>, received: impl Fn() -> Option<i64>) -> Option<Told> {
    let Some(outer) = fields(document, ["state", "response_time", "payload"]) else {
        return Some(Told::Malformed);
    };
    let [Some(state), response_time, Some(payload)] = outer else { return Some(Told::Malformed) };
    let names = ["access_token", "refresh_token", "access_expire_at", "refresh_expire_at"];
    let inner = if payload.kind == Kind::Object { fields(payload, names) } else { None };
    let (Kind::True, Some(inner)) = (state.kind, inner) else { return Some(Told::Malformed) };
    let [access, refresh, access_ends, refresh_ends] = inner.map(text);
    let told = || {
        let from = match text(response_time)? {
            Some(printed) => Some(date::rfc3339(&printed)?),
            None => None,
        };
        let token = access?.filter(|token| is_token(token))?;
        let access_ends = date::rfc3339(&access_ends??)?;
        let refresh_ends = refresh_ends?.map(|printed| date::rfc3339(&printed).ok_or(()));
        let refresh = refresh?.filter(|token| !token.is_empty());
        Some((from, token, access_ends, refresh, refresh_ends.transpose().ok()?))
    };
    let Some((from, token, access_ends, refresh, refresh_ends)) = told() else {
        return Some(Told::Malformed);
    };
    let from = match from {
        Some(from) => from,
        None => received()?,
    };
    let refresh_ends = match (refresh, refresh_ends) {
        (None, _) => None,
        (Some(token), Some(ends)) if is_token(&token) && ends > from => Some(ends),
        _ => return Some(Told::Malformed),
    };
    let lifetime = (access_ends - from).min(CAP);
    if lifetime <= 0 {
        return Some(Told::Malformed);
    }
    Some(Told::Grant { token, lifetime, access_ends, refresh_ends })
}

/// The values of these names; `None` where one stands twice, or where a name is unreadable. A null
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

/// The outer `None` where there is a value that is no text.
fn text(value: Option<Value<'_>>) -> Option<Option<String>> {
    match value {
        Some(value) if value.kind == Kind::Text => value.string().map(Some),
        Some(_) => None,
        None => Some(None),
    }
}

fn is_token(text: &str) -> bool {
    text.len() <= 8_192 && !text.is_empty() && text.chars().all(|c| ('!'..='~').contains(&c))
}
