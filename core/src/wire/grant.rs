//! The content of a grant: Get token's reply, as published.
//!
//! Owns the reply's fields, its dates, and which characters a token may have. Does not know about
//! sessions.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::{Secrets, Success, read, refusal};
use super::{Object, Text, is_token};
use crate::error::{Malformed, ReplyError};
use crate::exchange::Reply;
use crate::policy::Policy;
use crate::secret::{Token, bearer_header};
use crate::time::Wall;

/// The result of a successful sign-in or refresh, before it belongs to a session.
pub struct Granted {
    /// `Bearer TOKEN`, marked sensitive.
    pub(crate) access: HeaderValue,
    /// How long the access token lives, counted from the moment at which the request was sent.
    pub(crate) access_lifetime: Duration,
    /// When the access token ends by the server's clock.
    pub(crate) access_expire_at: Wall,
    /// A new refresh token, if the reply carries one.
    pub(crate) refresh: Option<NewRefresh>,
    /// Whether the reply mentions no refresh token, so that the old one stays valid. If a refresh
    /// token came but cannot be used, it has still replaced the old one.
    pub(crate) keeps_refresh: bool,
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted")
            .field("access_lifetime", &self.access_lifetime)
            .finish_non_exhaustive()
    }
}

pub(crate) struct NewRefresh {
    pub(crate) token: Token,
    pub(crate) lifetime: Duration,
    /// When it ends by the server's clock.
    pub(crate) expire_at: Wall,
}

/// Get token's reply as published. Unknown fields are ignored; a known field that occurs twice is
/// an error.
#[derive(Deserialize)]
struct Envelope<'a> {
    state: bool,
    #[serde(borrow)]
    response_time: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<Object<Payload<'a>>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    access_token: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_token: Option<&'a RawValue>,
    #[serde(borrow)]
    access_expire_at: Option<Text<'a>>,
    #[serde(borrow)]
    refresh_expire_at: Option<&'a RawValue>,
}

/// Reads the reply to a sign-in or a refresh. A refusal counts in any form that the lenient reading
/// accepts. If a refusal were not recognized, the request would be retried forever.
pub(crate) fn read_grant(
    reply: Reply<'_>,
    sent: Wall,
    policy: &Policy,
    secrets: Secrets<'_>,
) -> Result<Granted, ReplyError> {
    let limit = policy.reply_limit;
    let error = match read(reply, sent, limit, secrets, grant) {
        Err(error @ (ReplyError::Malformed(_) | ReplyError::Unexpected(_))) => error,
        outcome => return outcome,
    };
    if !reply.status.is_success() && !reply.status.is_server_error() {
        return Err(error);
    }
    let problem = refusal(reply, sent, limit, secrets);
    let is_error = || policy.error_shape_refuses && reply.status.is_success() && problem.is_error();
    Err(if problem.says_state_false() || is_error() { ReplyError::Refused(problem) } else { error })
}

pub(crate) fn grant(success: Success<'_>) -> Result<Granted, Malformed> {
    let Object(envelope): Object<Envelope<'_>> = success.json()?;
    if !envelope.state {
        return Err(Malformed::Missing { field: "payload" });
    }
    let times = Times::of(envelope.response_time, success)?;
    let Object(payload) = required(envelope.payload.as_ref(), "payload")?;
    let access: &str = required(payload.access_token.as_ref(), "access_token")?;
    let access = Some(access)
        .filter(|token| is_token(token))
        .and_then(bearer_header)
        .ok_or(Malformed::Token { field: "access_token" })?;
    let field = "access_expire_at";
    let ends = required(payload.access_expire_at.as_ref(), field)?;
    let access_expire_at = Wall::from_rfc3339(ends).ok_or(Malformed::Date { field })?;
    let access_lifetime = times.lifetime(access_expire_at).ok_or(Malformed::Lifetime { field })?;
    let keeps_refresh = payload.refresh_token.is_none_or(|token| token.get() == "\"\"");
    let refresh = payload.refresh_token.filter(|_| !keeps_refresh);
    let refresh = refresh.and_then(|token| new_refresh(token, payload.refresh_expire_at?, &times));
    Ok(Granted { access, access_lifetime, access_expire_at, refresh, keeps_refresh })
}

/// A refresh token, if it and its end can be used. If they cannot, the good access token is kept
/// all the same.
fn new_refresh(token: &RawValue, ends: &RawValue, times: &Times) -> Option<NewRefresh> {
    let token = text(token).filter(|token| is_token(token))?;
    let expire_at = Wall::from_rfc3339(&text(ends)?)?;
    let lifetime = times.lifetime(expire_at)?;
    Some(NewRefresh { token: Token::new(&token), lifetime, expire_at })
}

/// A value that should be a string, if it is one.
fn text(value: &RawValue) -> Option<Text<'_>> {
    serde_json::from_str(value.get()).ok()
}

/// The times of a reply by the server's clocks: the one in its body, and the one in its header.
struct Times([Option<Wall>; 2]);

impl Times {
    /// If the reply has neither time, the time of the request by this machine's clock is used. That
    /// does not apply if a time is there but cannot be read.
    fn of(response_time: Option<&RawValue>, success: Success<'_>) -> Result<Self, Malformed> {
        let printed = response_time.and_then(text).and_then(|time| Wall::from_rfc3339(&time));
        match (printed, success.date(), response_time) {
            (None, None, None) => Ok(Self([Some(success.sent()), None])),
            (None, None, Some(_)) => Err(Malformed::Date { field: "response_time" }),
            (printed, date, _) => Ok(Self([printed, date])),
        }
    }

    /// What is left until `end`. If both results are positive, the smaller one counts, because one
    /// of the clocks may be wrong.
    fn lifetime(&self, end: Wall) -> Option<Duration> {
        let left = self.0.iter().flatten().map(|from| end.since(*from));
        left.filter(|left| !left.is_zero()).min()
    }
}

fn required<T>(value: Option<T>, field: &'static str) -> Result<T, Malformed> {
    value.ok_or(Malformed::Missing { field })
}
