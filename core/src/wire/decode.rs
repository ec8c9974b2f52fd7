//! What a reply to a renewal says: a grant, or why it is none.
//!
//! The checks come in this order: redirect, status, content type, size, then JSON. What promises
//! success is read strictly, what refuses is read leniently.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use zeroize::Zeroize;

use super::is_token;
use crate::error::{Malformed, Problem, ReplyError, Unexpected};
use crate::exchange::Reply;
use crate::policy::Policy;
use crate::secret::{Token, bearer_header};
use crate::time::Wall;

/// What a successful sign-in or refresh yields, before it belongs to a session.
pub(crate) struct Granted {
    /// `Bearer TOKEN`, sensitive.
    pub(crate) access: HeaderValue,
    /// How long the access token lives from the moment the request was sent.
    pub(crate) access_lifetime: Duration,
    /// When the access token ends by the server's clock.
    pub(crate) access_expire_at: Wall,
    /// A new refresh token, where the reply carries one.
    pub(crate) refresh: Option<NewRefresh>,
}

pub(crate) struct NewRefresh {
    pub(crate) token: Token,
    pub(crate) lifetime: Duration,
    /// When it ends by the server's clock.
    pub(crate) expire_at: Wall,
}

/// What bounds a grant.
pub(crate) struct Limits {
    pub(crate) reply: usize,
    pub(crate) access_lifetime: Duration,
    pub(crate) refresh_lifetime: Duration,
}

impl From<&Policy> for Limits {
    fn from(policy: &Policy) -> Self {
        Self {
            reply: policy.reply_limit,
            access_lifetime: policy.access_lifetime_cap,
            refresh_lifetime: policy.refresh_lifetime_cap,
        }
    }
}

/// Reads the reply to a request that was sent when the local wall clock showed `sent`.
///
/// `secrets` are those of the request, to be blotted out of a refusal that quotes them.
pub(crate) fn grant(
    reply: Reply<'_>,
    sent: Wall,
    limits: &Limits,
    secrets: &[&str],
) -> Result<Granted, ReplyError> {
    let status = reply.status;
    let date = header(reply.headers, &DATE).and_then(Wall::from_http_date);
    let retry_after = || retry_after(reply.headers, date.unwrap_or(sent));
    let unexpected = || ReplyError::Unexpected(Unexpected { status, retry_after: retry_after() });
    let is_json = is_json(reply.headers);
    let fits = reply.body.len() <= limits.reply;
    let refused = || {
        let problem = Problem::read(status, is_json && fits, reply.body, retry_after(), secrets);
        ReplyError::Refused(problem)
    };
    match status.as_u16() {
        200..=299 if !is_json => Err(unexpected()),
        200..=299 if !fits => Err(Malformed::TooLarge { limit: limits.reply }.into()),
        200..=299 => match tokens(reply.body, date.unwrap_or(sent), limits) {
            Err(_) if says_state_false(reply.body) => Err(refused()),
            outcome => Ok(outcome?),
        },
        400..=499 => Err(refused()),
        500..=599 if is_json && fits && says_state_false(reply.body) => Err(refused()),
        _ => Err(unexpected()),
    }
}

/// Get token's reply as published. Unknown fields are ignored, a known one twice is refused.
#[derive(Deserialize)]
struct Envelope<'a> {
    state: bool,
    #[serde(borrow)]
    response_time: Option<Text<'a>>,
    #[serde(borrow)]
    payload: Option<Payload<'a>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    access_token: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_token: Option<Text<'a>>,
    #[serde(borrow)]
    access_expire_at: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_expire_at: Option<Text<'a>>,
}

/// A string that borrows from the reply, unless it was escaped; what it owns is wiped on drop.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

fn tokens(body: &[u8], received: Wall, limits: &Limits) -> Result<Granted, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed::Encoding)?;
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|error| Malformed::from(&error))?;
    if !envelope.state {
        return Err(Malformed::Missing { field: "payload" });
    }
    let from = match &envelope.response_time {
        Some(time) => date(time, "response_time")?,
        None => received,
    };
    let payload = required(envelope.payload.as_ref(), "payload")?;
    let access = required(payload.access_token.as_ref(), "access_token")?;
    let access = Some(access.0.as_ref())
        .filter(|token| is_token(token))
        .and_then(bearer_header)
        .ok_or(Malformed::Token { field: "access_token" })?;
    let (access_expire_at, access_lifetime) =
        lifetime(payload.access_expire_at.as_ref(), "access_expire_at", from)?;
    let refresh = match &payload.refresh_token {
        Some(token) if !token.0.is_empty() => {
            if !is_token(&token.0) {
                return Err(Malformed::Token { field: "refresh_token" });
            }
            let (expire_at, lifetime) =
                lifetime(payload.refresh_expire_at.as_ref(), "refresh_expire_at", from)?;
            let lifetime = lifetime.min(limits.refresh_lifetime);
            Some(NewRefresh { token: Token::new(&token.0), lifetime, expire_at })
        }
        _ => {
            if let Some(text) = &payload.refresh_expire_at {
                date(text, "refresh_expire_at")?;
            }
            None
        }
    };
    let access_lifetime = access_lifetime.min(limits.access_lifetime);
    Ok(Granted { access, access_lifetime, access_expire_at, refresh })
}

fn required<T>(value: Option<T>, field: &'static str) -> Result<T, Malformed> {
    value.ok_or(Malformed::Missing { field })
}

fn date(text: &Text<'_>, field: &'static str) -> Result<Wall, Malformed> {
    Wall::from_rfc3339(&text.0).ok_or(Malformed::Date { field })
}

/// An end by the server's clock, and what is left of it from `from` by the same clock.
fn lifetime(
    end: Option<&Text<'_>>,
    field: &'static str,
    from: Wall,
) -> Result<(Wall, Duration), Malformed> {
    let end = date(required(end, field)?, field)?;
    let lifetime = end.since(from);
    if lifetime.is_zero() { Err(Malformed::Lifetime { field }) } else { Ok((end, lifetime)) }
}

/// Whether a body is a refusal, however unlike a grant the rest of it is.
fn says_state_false(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct State {
        state: bool,
    }
    serde_json::from_slice::<State>(body).is_ok_and(|State { state }| !state)
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `application/json` or a `+json` type, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = header(headers, &CONTENT_TYPE) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let ends_in_json = || {
        let suffix = essence.rsplit('+').next().unwrap_or_default();
        essence.contains('/') && suffix.len() < essence.len() && suffix.eq_ignore_ascii_case("json")
    };
    essence.eq_ignore_ascii_case("application/json") || ends_in_json()
}

/// `Retry-After` in either of its forms; a date is read against the reply's own.
fn retry_after(headers: &HeaderMap, date: Wall) -> Option<Duration> {
    let value = header(headers, &RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    Wall::from_http_date(value).map(|until| until.since(date))
}
