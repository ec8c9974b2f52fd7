//! What a reply is: a success to be decoded, a refusal, or neither.
//!
//! The checks come in this order: redirect, status, size, then JSON. The body decides; its content
//! type only chooses the text of an error. Two kinds of reply are read strictly: one that claims
//! success, and one that proves that a call was refused. A refusal of a sign-in or a refresh is
//! read leniently. Does not know what a success holds (the operation does), nor what a reply means
//! (the session or the call decides that).

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
use crate::refusal::Refusal;
use crate::time::Wall;

/// A reply that claims success, before its JSON is read. It is a 2xx with a body within its limit
/// that is JSON, by its content type or by itself.
#[derive(Clone, Copy)]
pub struct Success<'a> {
    body: &'a [u8],
    headers: &'a HeaderMap,
    sent: Wall,
    /// The body as the published envelope, if it was read as one and is one.
    envelope: Option<Envelope<'a>>,
}

/// The published envelope, `{"state": true, …, "payload": …}`.
#[derive(Clone, Copy, Deserialize)]
struct Envelope<'a> {
    state: bool,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// The secrets of a request, which a refusal may quote. `None` if they are not known. They are
/// asked for only if something is refused.
pub(crate) type Secrets<'a> = &'a dyn Fn() -> Option<Vec<&'a str>>;

impl<'a> Success<'a> {
    /// Returns the body, without the byte order mark that may come before JSON.
    #[must_use]
    pub fn body(self) -> &'a [u8] {
        self.body
    }

    /// When the reply came, by the server's `Date`.
    pub(crate) fn date(self) -> Option<Wall> {
        server_time(self.headers)
    }

    /// When its request was sent, by this machine's clock.
    pub(crate) fn sent(self) -> Wall {
        self.sent
    }

    /// Decodes the `payload` of the published envelope, `{"state": true, …, "payload": …}`. A
    /// missing payload counts as `null`. Unknown fields of the envelope are ignored; a known field
    /// that occurs twice is an error. A body that says `state: false` is a refusal, and is never
    /// decoded here.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the body is not such an envelope, or its payload is not a `T`.
    pub fn payload<T: Deserialize<'a>>(self) -> Result<T, Malformed> {
        match self.raw_payload()? {
            Some(payload) => {
                serde_json::from_str(payload.get()).map_err(|error| Malformed::from(&error))
            }
            None => serde_json::from_str("null").map_err(|_| MISSING),
        }
    }

    /// The payload as text, which is not parsed again.
    ///
    /// # Errors
    ///
    /// The same as [`payload`](Success::payload).
    pub(crate) fn payload_text(self) -> Result<&'a str, Malformed> {
        self.raw_payload().map(|payload| payload.map_or("null", RawValue::get))
    }

    fn raw_payload(self) -> Result<Option<&'a RawValue>, Malformed> {
        match self.envelope {
            Some(envelope) => Ok(envelope.payload),
            // If it is not an envelope, it is read again to find out why.
            None => self.json().map(|Object(Envelope { payload, .. })| payload),
        }
    }

    /// The same after the body was read once as the envelope. Reading the payload or the state then
    /// needs no second pass.
    pub(crate) fn opened(self) -> Self {
        Self { envelope: object(self.body), ..self }
    }

    /// Whether the body is nevertheless a refusal.
    pub(crate) fn says_state_false(self) -> bool {
        self.envelope.map_or_else(|| says_state_false(self.body), |envelope| !envelope.state)
    }

    /// Decodes the whole body as JSON.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the body is not a `T`.
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

/// Reads the reply to a request that was sent when the local wall clock showed `sent`, with the
/// operation's own `decode`.
///
/// `secrets` are those of the request. They are removed from a refusal that quotes them. If they
/// are not known, none of its text is kept.
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
        // An operation's own decoder may accept anything, but an HTML page is not a reply.
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

/// Reads a reply that is not a success leniently, with any status.
pub(crate) fn refusal(reply: Reply<'_>, sent: Wall, limit: usize, secrets: Secrets<'_>) -> Refusal {
    let received = server_time(reply.headers).unwrap_or(sent);
    let retry_after = retry_after(reply.headers, received);
    Refusal::read(
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

/// Checks for `application/json` or a `+json` type, with any parameters.
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

/// Reads `Retry-After` in either of its forms. A date is read against the reply's own date.
fn retry_after(headers: &HeaderMap, date: Wall) -> Option<Duration> {
    let value = header(headers, &RETRY_AFTER)?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    Wall::from_http_date(value).map(|until| until.since(date))
}
