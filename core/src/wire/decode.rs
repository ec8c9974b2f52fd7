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
use http::{HeaderMap, HeaderName, Response, StatusCode};
use serde::Deserialize;

use super::lossy::RefusalFields;
use super::{is_object, without_mark};
use crate::error::{Malformed, ReplyError};
use crate::refusal::Refusal;
use crate::time::Wall;

/// The bytes that came back for an [`Exchange`](crate::Exchange), borrowed from the caller.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Makes a reply from a complete body, or from one that was cut one byte past the exchange's
    /// limit. If the connection broke within the body, report a failure instead.
    #[must_use]
    pub fn new(status: StatusCode, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { status, headers, body }
    }
}

impl<'a, B: AsRef<[u8]>> From<&'a Response<B>> for Reply<'a> {
    fn from(response: &'a Response<B>) -> Self {
        Self::new(response.status(), response.headers(), response.body().as_ref())
    }
}

/// How a service writes its replies: readers, and the names of fields.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Reads the envelope of a success.
    pub envelope: EnvelopeReader,
    /// Whether a whole body is a refusal, however little the rest of it looks like a success. It is
    /// the strict reading: under a 4xx or a 2xx it proves that a call was refused.
    pub refuses: fn(&[u8]) -> bool,
    /// The fields of a refusal, for the lenient reading.
    pub refusal: RefusalFields,
}

/// Reads the envelope of a success.
pub type EnvelopeReader = for<'a> fn(Success<'a>) -> Result<Envelope<'a>, Malformed>;

/// What stands around the content of a reply.
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    /// Whether it says that the request was refused.
    pub is_refusal: bool,
    /// The content, as JSON. `None` if it is missing.
    pub payload: Option<&'a str>,
    /// The name of the content's field, for errors.
    pub field: &'static str,
}

/// A reply that claims success, before its JSON is read. It is a 2xx with a body within its limit
/// that is JSON, by its content type or by itself.
#[derive(Clone, Copy)]
pub struct Success<'a> {
    body: &'a [u8],
    headers: &'a HeaderMap,
    sent: Wall,
    format: &'static Format,
    /// The envelope, if it was read and is one.
    envelope: Option<Envelope<'a>>,
}

/// The request of a reply, as far as the reading needs it.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// When it was sent, by this machine's clock.
    pub(crate) sent: Wall,
    /// How long the body of its reply may be, in bytes.
    pub(crate) limit: usize,
    pub(crate) format: &'static Format,
    pub(crate) secrets: Secrets<'a>,
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

    /// Decodes the content of the reply, as the service's envelope holds it. A missing content
    /// counts as `null`. A reply that is a refusal is never decoded here.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the body does not have the service's envelope, or its content is not a `T`.
    pub fn payload<T: Deserialize<'a>>(self) -> Result<T, Malformed> {
        let Envelope { payload, field, .. } = self.envelope()?;
        match payload {
            Some(payload) => serde_json::from_str(payload).map_err(|error| Malformed::from(&error)),
            None => serde_json::from_str("null").map_err(|_| Malformed::Missing { field }),
        }
    }

    /// The content as text, which is not parsed again.
    ///
    /// # Errors
    ///
    /// The same as [`payload`](Success::payload).
    pub(crate) fn payload_text(self) -> Result<&'a str, Malformed> {
        self.envelope().map(|envelope| envelope.payload.unwrap_or("null"))
    }

    /// If it was not opened, it is read again to find out why.
    fn envelope(self) -> Result<Envelope<'a>, Malformed> {
        self.envelope.map_or_else(|| (self.format.envelope)(self), Ok)
    }

    /// The same after its envelope was read once. Reading the content then needs no second pass.
    fn opened(self) -> Self {
        Self { envelope: (self.format.envelope)(self).ok(), ..self }
    }

    /// Whether the body is nevertheless a refusal.
    fn is_refusal(self) -> bool {
        self.envelope
            .map_or_else(|| (self.format.refuses)(self.body), |envelope| envelope.is_refusal)
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

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Success<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Success").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("is_refusal", &self.is_refusal).finish_non_exhaustive()
    }
}

/// Reads the reply to a call: its envelope once, then its content with the operation's own
/// `decode`.
pub(crate) fn read<T>(
    reply: Reply<'_>,
    asked: Asked<'_>,
    decode: impl FnOnce(Success<'_>) -> Result<T, Malformed>,
) -> Result<T, ReplyError> {
    let success = success(reply, asked)?.opened();
    let decoded = if success.is_refusal() { None } else { Some(decode(success)) };
    match decoded {
        Some(outcome) => Ok(outcome?),
        None => Err(ReplyError::Refused(refusal(reply, asked))),
    }
}

/// Reads a reply that has no operation: `decode` reads all of it.
pub(super) fn read_whole<T>(
    reply: Reply<'_>,
    asked: Asked<'_>,
    decode: impl FnOnce(Success<'_>) -> Result<T, Malformed>,
) -> Result<T, ReplyError> {
    let success = success(reply, asked)?;
    match decode(success) {
        Err(_) if success.is_refusal() => Err(ReplyError::Refused(refusal(reply, asked))),
        outcome => Ok(outcome?),
    }
}

/// Checks that a reply claims success.
fn success<'a>(reply: Reply<'a>, asked: Asked<'_>) -> Result<Success<'a>, ReplyError> {
    let Asked { sent, limit, format, .. } = asked;
    let status = reply.status;
    let is_json = is_json(reply.headers);
    let fits = reply.body.len() <= limit;
    let body = without_mark(reply.body);
    let success = Success { body, headers: reply.headers, sent, format, envelope: None };
    let refused = || ReplyError::Refused(refusal(reply, asked));
    let unexpected = || {
        let retry_after = retry_after(reply.headers, success.date().unwrap_or(sent));
        ReplyError::Unexpected { status, retry_after }
    };
    match status.as_u16() {
        200..=299 if !fits && is_json => Err(Malformed::TooLarge { limit }.into()),
        200..=299 if !fits => Err(unexpected()),
        // An operation's own decoder may accept anything, but an HTML page is not a reply.
        200..=299 if !is_json && !is_object(success.body) => Err(unexpected()),
        200..=299 => Ok(success),
        400..=499 => Err(refused()),
        500..=599 if fits && success.is_refusal() => Err(refused()),
        _ => Err(unexpected()),
    }
}

/// Reads a reply that is not a success leniently, with any status.
pub(crate) fn refusal(reply: Reply<'_>, asked: Asked<'_>) -> Refusal {
    let Asked { sent, limit, format, secrets } = asked;
    let received = server_time(reply.headers).unwrap_or(sent);
    let retry_after = retry_after(reply.headers, received);
    let is_within = reply.body.len() <= limit;
    let (Format { refusal: fields, refuses, .. }, secrets) = (format, secrets());
    let (status, body, secrets) = (reply.status, reply.body, secrets.as_deref());
    super::refusal::refusal(status, body, is_within, fields, *refuses, retry_after, secrets)
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
