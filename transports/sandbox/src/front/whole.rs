//! A response as it goes over the wire, and how much of it is sent if an exchange breaks.

use http::{Method, Response, StatusCode};

use crate::delivery::Position;
use crate::form::{InChunks, chunks};

/// A response as it goes over the wire.
pub(super) struct Whole {
    pub(super) bytes: Vec<u8>,
    /// The length of the head, in bytes.
    pub(super) head: usize,
}

impl Whole {
    /// No response.
    pub(super) const NONE: Self = Self { bytes: Vec::new(), head: 0 };

    pub(super) fn new(response: &Response<Vec<u8>>, method: &Method, close: bool) -> Self {
        let status = response.status();
        let reason = status.canonical_reason().unwrap_or("Unknown");
        let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
        for (name, value) in response.headers() {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        // Such a reply has no body, whatever its headers say (RFC 9112, section 6.3).
        let bodiless = status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let in_chunks = response.extensions().get::<InChunks>().is_some();
        if !bodiless && in_chunks {
            bytes.extend_from_slice(b"transfer-encoding: chunked\r\n");
        } else if !bodiless {
            let length = format!("content-length: {}\r\n", response.body().len());
            bytes.extend_from_slice(length.as_bytes());
        }
        if close {
            bytes.extend_from_slice(b"connection: close\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        let head = bytes.len();
        if !bodiless && method != Method::HEAD {
            match in_chunks {
                true => bytes.extend_from_slice(&chunks(response.body())),
                false => bytes.extend_from_slice(response.body()),
            }
        }
        Self { bytes, head }
    }

    /// Returns how many bytes are sent if the exchange breaks at this position.
    pub(super) fn until(&self, at: Position) -> usize {
        let body = self.bytes.len() - self.head;
        match at {
            Position::BeforeRead | Position::BeforeApply | Position::AfterApply => 0,
            Position::MidHeaders => self.head / 2,
            Position::MidBody if body == 0 => self.head - b"\r\n".len(),
            Position::MidBody => self.head + body / 2,
        }
    }
}
