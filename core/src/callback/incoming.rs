//! A raw request to one of the merchant's own URLs.
//!
//! Owns which methods and content types a URL takes, and where a message stands in a request. Does
//! not know what the message says.

use std::fmt;

use http::{Method, Request, header};
use thiserror::Error;

use super::multipart;
use crate::sign::pg_sig::{OwnUrl, PgFields, PgReadError, PgVerifyError};

/// What of a request matters: its method, query, content type and body.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    method: &'a Method,
    query: Option<&'a str>,
    content_type: ContentType<'a>,
    body: &'a [u8],
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("method", self.method).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
enum ContentType<'a> {
    Absent,
    One(&'a str),
    Unreadable,
}

impl<'a> Incoming<'a> {
    /// Takes a request whose body has been read. Read 256 KiB of it at most: a longer message is
    /// refused.
    #[must_use]
    pub fn of<B: AsRef<[u8]>>(request: &'a Request<B>) -> Self {
        let mut types = request.headers().get_all(header::CONTENT_TYPE).iter();
        let content_type = match (types.next(), types.next()) {
            (None, _) => ContentType::Absent,
            (Some(one), None) => one.to_str().map_or(ContentType::Unreadable, ContentType::One),
            _ => ContentType::Unreadable,
        };
        Self {
            method: request.method(),
            query: request.uri().query(),
            content_type,
            body: request.body().as_ref(),
        }
    }

    /// Reads the message: from the query of a GET, otherwise from the body alone.
    pub(super) fn fields(&self, url: OwnUrl) -> Result<PgFields, ReceiveError> {
        match *self.method {
            Method::GET if takes_get(url) => {
                Ok(PgFields::from_form(self.query.unwrap_or_default().as_bytes())?)
            }
            Method::POST => self.body_fields(),
            _ => Err(ReceiveError::Method),
        }
    }

    fn body_fields(&self) -> Result<PgFields, ReceiveError> {
        let whole = match self.content_type {
            ContentType::Absent => FORM,
            ContentType::One(text) => text,
            ContentType::Unreadable => return Err(ReceiveError::ContentType),
        };
        let (kind, parameters) = whole.split_once(';').unwrap_or((whole, ""));
        if kind.trim().eq_ignore_ascii_case(FORM) {
            return Ok(PgFields::from_form(self.body)?);
        }
        if kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            let boundary = multipart::boundary(parameters).ok_or(ReceiveError::ContentType)?;
            return Ok(multipart::read(boundary, self.body)?);
        }
        Err(ReceiveError::ContentType)
    }
}

/// Whether a message to this URL may come as a GET. A payout's comes as a POST (published).
pub(super) const fn takes_get(url: OwnUrl) -> bool {
    !matches!(url, OwnUrl::Payout)
}

/// Why a request to one of the merchant's own URLs is not a callback. Nothing may follow from it.
///
/// Its text quotes no field, and has no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The merchant has configured no such URL.
    #[error("there is no {url} URL: configure it")]
    NotConfigured {
        /// The URL.
        url: OwnUrl,
    },
    /// The method is not GET or POST; for a payout, not POST.
    #[error("the request's method is not one with which a callback comes")]
    Method,
    /// The body is not urlencoded and not multipart.
    #[error("the request's content type is not one with which a callback comes")]
    ContentType,
    /// The message cannot be read.
    #[error(transparent)]
    Read(#[from] PgReadError),
    /// The message is not the gateway's.
    #[error(transparent)]
    Verify(#[from] PgVerifyError),
}

const FORM: &str = "application/x-www-form-urlencoded";
