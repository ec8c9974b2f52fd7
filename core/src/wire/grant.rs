//! What a grant is made of: Get token's reply, as published.
//!
//! Owns the reply's fields, its dates, and what may stand in a token. Knows nothing of sessions.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use serde::Deserialize;

use super::{Object, Success, Text, is_token};
use crate::error::Malformed;
use crate::secret::{Token, bearer_header};
use crate::time::Wall;

/// What a successful sign-in or refresh yields, before it belongs to a session.
pub struct Granted {
    /// `Bearer TOKEN`, sensitive.
    pub(crate) access: HeaderValue,
    /// How long the access token lives from the moment the request was sent.
    pub(crate) access_lifetime: Duration,
    /// When the access token ends by the server's clock.
    pub(crate) access_expire_at: Wall,
    /// A new refresh token, where the reply carries one.
    pub(crate) refresh: Option<NewRefresh>,
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

/// Get token's reply as published. Unknown fields are ignored, a known one twice is refused.
#[derive(Deserialize)]
struct Envelope<'a> {
    state: bool,
    #[serde(borrow)]
    response_time: Option<Text<'a>>,
    #[serde(borrow)]
    payload: Option<Object<Payload<'a>>>,
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

pub(crate) fn grant(success: Success<'_>) -> Result<Granted, Malformed> {
    let Object(envelope): Object<Envelope<'_>> = success.json()?;
    if !envelope.state {
        return Err(Malformed::Missing { field: "payload" });
    }
    let from = match &envelope.response_time {
        Some(time) => date(time, "response_time")?,
        None => success.received(),
    };
    let Object(payload) = required(envelope.payload.as_ref(), "payload")?;
    let access: &str = required(payload.access_token.as_ref(), "access_token")?;
    let access = Some(access)
        .filter(|token| is_token(token))
        .and_then(bearer_header)
        .ok_or(Malformed::Token { field: "access_token" })?;
    let (access_expire_at, access_lifetime) =
        lifetime(payload.access_expire_at.as_ref(), "access_expire_at", from)?;
    let refresh = match &payload.refresh_token {
        Some(token) if !token.is_empty() => {
            if !is_token(token) {
                return Err(Malformed::Token { field: "refresh_token" });
            }
            let (expire_at, lifetime) =
                lifetime(payload.refresh_expire_at.as_ref(), "refresh_expire_at", from)?;
            Some(NewRefresh { token: Token::new(token), lifetime, expire_at })
        }
        _ => {
            if let Some(text) = &payload.refresh_expire_at {
                date(text, "refresh_expire_at")?;
            }
            None
        }
    };
    Ok(Granted { access, access_lifetime, access_expire_at, refresh })
}

fn required<T>(value: Option<T>, field: &'static str) -> Result<T, Malformed> {
    value.ok_or(Malformed::Missing { field })
}

fn date(text: &Text<'_>, field: &'static str) -> Result<Wall, Malformed> {
    Wall::from_rfc3339(text).ok_or(Malformed::Date { field })
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
