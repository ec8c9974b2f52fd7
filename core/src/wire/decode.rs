//! What a reply says: a success to be decoded, a refusal, or neither.
//!
//! The checks come in this order: redirect, status, size, then JSON. The body decides; its content
//! type only chooses the words of an error. What promises success is read strictly, and so is what
//! proves that a call was refused; what refuses a sign-in or a refresh is read leniently. What a success holds is the
//! operation's own matter; what a reply means to a session or a call is theirs.

use std::fmt;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::object::{Object, is_object, object, says_state_false};
use super::without_mark;
use crate::error::{Malformed, ReplyError, Unexpected};
use crate::exchange::Reply;
use crate::problem::Problem;
use crate::time::Wall;

/// A reply that promises success, before its JSON is read: a 2xx whose body is within its limit, and
/// is JSON by its content type or by itself.
#[derive(Clone, Copy)]
pub struct Success<'a> {
    body: &'a [u8],
    headers: &'a HeaderMap,
    sent: Wall,
    /// The body as the published envelope, where it was read as that and is one.
    envelope: Option<Envelope<'a>>,
}

/// The published envelope, `{"state": true, …, "payload": …}`.
#[derive(Clone, Copy, Deserialize)]
struct Envelope<'a> {
    state: bool,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// The secrets of a request, which a refusal may quote; `None` where they are not known. They are
/// asked for only when something is refused.
pub(crate) type Secrets<'a> = &'a dyn Fn() -> Option<Vec<&'a str>>;

impl<'a> Success<'a> {
    /// The body, without the byte order mark that may stand before JSON.
    #[must_use]
    pub fn body(self) -> &'a [u8] {
        self.body
    }

    /// When it came, by the server's `Date`.
    pub(crate) fn date(self) -> Option<Wall> {
        server_time(self.headers)
    }

    /// When its request was sent, by this machine's clock.
    pub(crate) fn sent(self) -> Wall {
        self.sent
    }

    /// The `payload` of the published envelope, `{"state": true, …, "payload": …}`; one that is not
    /// there counts as `null`. Unknown fields of the envelope are ignored, a known one twice is
    /// refused. What says `state: false` is a refusal, and comes to no reader.
    ///
    /// # Errors
    ///
    /// [`Malformed`], where the body is no such envelope or its payload no `T`.
    pub fn payload<T: Deserialize<'a>>(self) -> Result<T, Malformed> {
        match self.raw_payload()? {
            Some(payload) => {
                serde_json::from_str(payload.get()).map_err(|error| Malformed::from(&error))
            }
            None => serde_json::from_str("null").map_err(|_| MISSING),
        }
    }

    /// The payload as its text, which is not read again.
    ///
    /// # Errors
    ///
    /// As [`payload`](Success::payload).
    pub(crate) fn payload_text(self) -> Result<&'a str, Malformed> {
        self.raw_payload().map(|payload| payload.map_or("null", RawValue::get))
    }

    fn raw_payload(self) -> Result<Option<&'a RawValue>, Malformed> {
        match self.envelope {
            Some(envelope) => Ok(envelope.payload),
            // What is none is read again, which says why.
            None => self.json().map(|Object(Envelope { payload, .. })| payload),
        }
    }

    /// The same after one reading as the envelope: what asks for the payload, or for the state, needs
    /// no other.
    pub(crate) fn opened(self) -> Self {
        Self { envelope: object(self.body), ..self }
    }

    /// Whether the body is a refusal all the same.
    pub(crate) fn says_state_false(self) -> bool {
        self.envelope.map_or_else(|| says_state_false(self.body), |envelope| !envelope.state)
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    ///
    /// [`Malformed`], where the body is no `T`.
    pub fn json<T: Deserialize<'a>>(self) -> Result<T, Malformed> {
        let text = std::str::from_utf8(self.body).map_err(|_| Malformed::Encoding)?;
        serde_json::from_str(text).map_err(|error| Malformed::from(&error))
    }
}

const MISSING: Malformed = Malformed::Missing { field: "payload" };

impl fmt::Debug for Success<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Success").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// Reads the reply to a request that was sent when the local wall clock showed `sent`, by the
/// operation's own `decode`.
///
/// `secrets` are those of the request, to be blotted out of a refusal that quotes them; where
/// they are not known, none of its text is kept.
pub(crate) fn read<T>(
    reply: Reply<'_>,
    sent: Wall,
    limit: usize,
    secrets: Secrets<'_>,
    decode: impl FnOnce(Success<'_>) -> Result<T, Malformed>,
) -> Result<T, ReplyError> {
    let status = reply.status;
    let is_json = is_json(reply.headers);
    let fits = reply.body.len() <= limit;
    let body = without_mark(reply.body);
    let success = Success { body, headers: reply.headers, sent, envelope: None };
    let refused = || ReplyError::Refused(refusal(reply, sent, limit, secrets));
    let unexpected = || {
        let retry_after = retry_after(reply.headers, success.date().unwrap_or(sent));
        ReplyError::Unexpected(Unexpected { status, retry_after })
    };
    match status.as_u16() {
        200..=299 if !fits && is_json => Err(Malformed::TooLarge { limit }.into()),
        200..=299 if !fits => Err(unexpected()),
        // An operation's own reader may take anything: a page is no reply.
        200..=299 if !is_json && !is_object(success.body) => Err(unexpected()),
        200..=299 => match decode(success) {
            Err(_) if success.says_state_false() => Err(refused()),
            outcome => Ok(outcome?),
        },
        400..=499 => Err(refused()),
        500..=599 if fits && success.says_state_false() => Err(refused()),
        _ => Err(unexpected()),
    }
}

/// A reply that is no success, read leniently, whatever its status.
pub(crate) fn refusal(reply: Reply<'_>, sent: Wall, limit: usize, secrets: Secrets<'_>) -> Problem {
    let received = server_time(reply.headers).unwrap_or(sent);
    let retry_after = retry_after(reply.headers, received);
    Problem::read(
        reply.status,
        reply.body,
        reply.body.len() <= limit,
        retry_after,
        secrets().as_deref(),
    )
}

fn server_time(headers: &HeaderMap) -> Option<Wall> {
    header(headers, &DATE).and_then(Wall::from_http_date)
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `application/json` or a `+json` type, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    const PLAIN: &str = "application/json";
    let Some(value) = headers.get(CONTENT_TYPE) else { return false };
    if value == PLAIN {
        return true;
    }
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    let ends_in_json = || {
        let suffix = essence.rsplit('+').next().unwrap_or_default();
        essence.contains('/') && suffix.eq_ignore_ascii_case("json")
    };
    essence.eq_ignore_ascii_case(PLAIN) || ends_in_json()
}

/// `Retry-After` in either of its forms; a date is read against the reply's own.
fn retry_after(headers: &HeaderMap, date: Wall) -> Option<Duration> {
    let value = header(headers, &RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    Wall::from_http_date(value).map(|until| until.since(date))
}
