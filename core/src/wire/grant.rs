//! The result of a sign-in or a refresh, made from the parts of a reply.
//!
//! Owns its dates, its lifetimes, and which characters a token may have. Names no field: the
//! service's own reader knows where the parts stand.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;

use super::decode::{Asked, Reply, Success, read_whole, refusal};
use crate::error::{Malformed, ReplyError};
use crate::secret::{Token, TokenId, bearer_header, is_token};
use crate::time::Wall;

/// Reads a grant from a success. It is given the whole body, envelope included.
pub type GrantReader = for<'a> fn(Success<'a>) -> Result<Granted, Malformed>;

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
    /// The service's own id of the pair, if the reply has one that can be used.
    pub(crate) id: Option<TokenId>,
    times: Times,
}

pub(crate) struct NewRefresh {
    pub(crate) token: Token,
    pub(crate) lifetime: Duration,
    /// When it ends by the server's clock.
    pub(crate) expire_at: Wall,
}

/// One field of a reply: its name, which errors show, and its text, which may be a secret.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    name: &'static str,
    text: Option<&'a str>,
}

impl<'a> Field<'a> {
    /// Makes a field. Its text is `None` if the reply does not have it.
    #[must_use]
    pub fn new(name: &'static str, text: Option<&'a str>) -> Self {
        Self { name, text }
    }

    fn required(self) -> Result<&'a str, Malformed> {
        self.text.ok_or(Malformed::Missing { field: self.name })
    }
}

impl Granted {
    /// Makes a grant of an access token that ends at this date of RFC 3339. A refresh token that the
    /// session holds stays valid, unless [`with_refresh`](Granted::with_refresh) replaces it.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if a field is missing, the token is not a token, the date is not a date, or it
    /// is not after the reply's own time.
    pub fn new(times: Times, token: Field<'_>, expire_at: Field<'_>) -> Result<Self, Malformed> {
        let access = Some(token.required()?)
            .filter(|token| is_token(token))
            .and_then(bearer_header)
            .ok_or(Malformed::Token { field: token.name })?;
        let (ends, field) = (expire_at.required()?, expire_at.name);
        let access_expire_at = Wall::from_rfc3339(ends).ok_or(Malformed::Date { field })?;
        let lifetime = times.lifetime(access_expire_at);
        let access_lifetime = lifetime.ok_or(Malformed::Lifetime { field })?;
        let (refresh, keeps_refresh, id) = (None, true, None);
        Ok(Self { access, access_lifetime, access_expire_at, refresh, keeps_refresh, id, times })
    }

    /// Adds the refresh token that came with it, and the date of its end. If they cannot be used,
    /// the good access token is kept all the same, and the session has no refresh token.
    #[must_use]
    pub fn with_refresh(self, token: Option<&str>, expire_at: Option<&str>) -> Self {
        let refresh = token.zip(expire_at).and_then(|(token, expire_at)| {
            let token = Some(token).filter(|token| is_token(token))?;
            let expire_at = Wall::from_rfc3339(expire_at)?;
            let lifetime = self.times.lifetime(expire_at)?;
            Some(NewRefresh { token: Token::new(token), lifetime, expire_at })
        });
        Self { refresh, keeps_refresh: false, ..self }
    }

    /// Adds the service's own id of these tokens, by which it may revoke them. One that is not a
    /// [`TokenId`] is left out: the tokens are good without it.
    #[must_use]
    pub fn with_token_id(self, id: Option<&str>) -> Self {
        Self { id: id.and_then(TokenId::new), ..self }
    }
}

/// The times of a reply, from which the lifetimes of its tokens count.
#[derive(Clone, Copy, Debug)]
pub struct Times([Option<Wall>; 2]);

impl Times {
    /// Takes the time that the reply prints, by the service's own clock, and the one in its `Date`
    /// header. If the reply has neither, the time of the request by this machine's clock is used.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the printed time is there and cannot be read, and there is no `Date`.
    pub fn printed(time: Field<'_>, success: Success<'_>) -> Result<Self, Malformed> {
        let printed = time.text.and_then(Wall::from_rfc3339);
        match (printed, success.date(), time.text) {
            (None, None, None) => Ok(Self([Some(success.sent()), None])),
            (None, None, Some(_)) => Err(Malformed::Date { field: time.name }),
            (printed, date, _) => Ok(Self([printed, date])),
        }
    }

    /// For a reply that prints no time: takes the one in its `Date` header, and the time of the
    /// request by this machine's clock.
    #[must_use]
    pub fn without_clock(success: Success<'_>) -> Self {
        Self([success.date(), Some(success.sent())])
    }

    /// What is left until `end`. If both results are positive, the smaller one counts, because one
    /// of the clocks may be wrong.
    fn lifetime(&self, end: Wall) -> Option<Duration> {
        let left = self.0.iter().flatten().map(|from| end.since(*from));
        left.filter(|left| !left.is_zero()).min()
    }
}

/// Reads the reply to a sign-in or a refresh. A refusal counts in any form that the lenient reading
/// accepts. If a refusal were not recognized, the request would be retried forever.
///
/// `error_refuses` says whether a 2xx in the form of an error is a refusal.
pub(crate) fn read_grant(
    reply: Reply<'_>,
    asked: Asked<'_>,
    grant: GrantReader,
    error_refuses: bool,
) -> Result<Granted, ReplyError> {
    let error = match read_whole(reply, asked, grant) {
        Err(error @ (ReplyError::Malformed(_) | ReplyError::Unexpected { .. })) => error,
        outcome => return outcome,
    };
    if !reply.status.is_success() && !reply.status.is_server_error() {
        return Err(error);
    }
    let refusal = refusal(reply, asked);
    let is_error = error_refuses && reply.status.is_success() && refusal.is_error();
    Err(if refusal.says_no() || is_error { ReplyError::Refused(refusal) } else { error })
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted")
            .field("access_lifetime", &self.access_lifetime)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).finish_non_exhaustive()
    }
}
