//! Requests as they come in: parsed strictly, bounded in size and time.
//!
//! If two readers could see two requests in the same bytes, the request is refused.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};

use crate::delivery::Delivery;

const MAX_HEAD: usize = 32_768;
const MAX_HEADERS: usize = 100;
const MAX_BODY: usize = 1_048_576;
/// The longest line that begins a chunk, in bytes.
const MAX_CHUNK_LINE: usize = 1_024;

/// Why a connection ends.
pub(super) enum End {
    /// It ends with this answer.
    Answer(StatusCode),
    /// It ends without an answer.
    Silent(io::Error),
    /// It ends in this way, before the request's body is read.
    Unread(Delivery),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                Self::Answer(StatusCode::REQUEST_TIMEOUT)
            }
            _ => Self::Silent(error),
        }
    }
}

pub(super) struct Incoming<'a> {
    stream: &'a TcpStream,
    /// The bytes that were read and not used yet.
    buffer: Vec<u8>,
    /// How long a request may take, from its first byte.
    within: Duration,
    /// When the first byte of the current request arrived.
    began: Option<Instant>,
}

impl<'a> Incoming<'a> {
    pub(super) const fn new(stream: &'a TcpStream, within: Duration) -> Self {
        Self { stream, buffer: Vec::new(), within, began: None }
    }

    /// Waits for a request's first byte, and does not consume it. Returns false if the peer closed.
    pub(super) fn arrives(&self) -> io::Result<bool> {
        Ok(!self.buffer.is_empty() || self.stream.peek(&mut [0])? > 0)
    }

    /// Reads the next request. Returns `None` if the peer closed between two requests. Passes the
    /// request's head to `before_read`, which may end the request there.
    pub(super) fn request(
        &mut self,
        before_read: impl FnOnce(&Request<Vec<u8>>) -> Option<Delivery>,
    ) -> Result<Option<Request<Vec<u8>>>, End> {
        self.began = (!self.buffer.is_empty()).then(Instant::now);
        let request = self.whole_request(before_read)?;
        if self.began.is_some() {
            self.stream.set_read_timeout(None)?;
        }
        Ok(request)
    }

    fn whole_request(
        &mut self,
        before_read: impl FnOnce(&Request<Vec<u8>>) -> Option<Delivery>,
    ) -> Result<Option<Request<Vec<u8>>>, End> {
        let (mut request, length) = loop {
            if let Some(head) = parse_head(&self.buffer)? {
                break head;
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(End::Answer(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
            }
            let before = self.buffer.len();
            self.read_more()?;
            if self.buffer.len() == before {
                return match before {
                    0 => Ok(None),
                    _ => Err(End::Silent(io::ErrorKind::UnexpectedEof.into())),
                };
            }
        };
        self.buffer.drain(..length);
        let length = body_length(request.headers())?;
        if let Some(delivery) = before_read(&request) {
            return Err(End::Unread(delivery));
        }
        let continues = request.headers().get(EXPECT).is_some_and(|value| value == "100-continue");
        if continues {
            let mut stream = self.stream;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        *request.body_mut() = match length {
            Length::Known(length) => self.take(length)?,
            Length::Chunked => self.chunks()?,
        };
        Ok(Some(request))
    }

    fn read_more(&mut self) -> io::Result<()> {
        if let Some(began) = self.began {
            let left = self.within.saturating_sub(began.elapsed());
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        }
        let mut chunk = [0; 8_192];
        let read = self.stream.read(&mut chunk)?;
        self.began.get_or_insert_with(Instant::now);
        self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        Ok(())
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> Result<Vec<u8>, End> {
        while self.buffer.len() < length {
            let before = self.buffer.len();
            self.read_more()?;
            if self.buffer.len() == before {
                return Err(End::Silent(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn chunks(&mut self) -> Result<Vec<u8>, End> {
        let bad = || End::Answer(StatusCode::BAD_REQUEST);
        let mut body = Vec::new();
        loop {
            let (head, size) = loop {
                match httparse::parse_chunk_size(&self.buffer).map_err(|_| bad())? {
                    httparse::Status::Complete(found) => break found,
                    httparse::Status::Partial => {
                        let before = self.buffer.len();
                        if before > MAX_CHUNK_LINE {
                            return Err(bad());
                        }
                        self.read_more()?;
                        if self.buffer.len() == before {
                            return Err(End::Silent(ErrorKind::UnexpectedEof.into()));
                        }
                    }
                }
            };
            self.buffer.drain(..head);
            let size = usize::try_from(size).map_err(|_| bad())?;
            if body.len().saturating_add(size) > MAX_BODY {
                return Err(End::Answer(StatusCode::PAYLOAD_TOO_LARGE));
            }
            body.extend(self.take(size)?);
            if self.take(2)? != b"\r\n" {
                return Err(bad());
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

enum Length {
    Known(usize),
    Chunked,
}

/// Returns the form and length of the body. Two statements about it are refused (RFC 9112, section
/// 6.3).
fn body_length(headers: &HeaderMap) -> Result<Length, End> {
    let bad = End::Answer(StatusCode::BAD_REQUEST);
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next(), lengths.next(), lengths.next()) {
        (None, _, None, _) => Ok(Length::Known(0)),
        (Some(coding), None, None, _) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Ok(Length::Chunked)
        }
        (None, _, Some(length), None) => {
            let digits = length.to_str().ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
            match digits.and_then(|digits| digits.parse().ok()) {
                Some(length) if length <= MAX_BODY => Ok(Length::Known(length)),
                Some(_) => Err(End::Answer(StatusCode::PAYLOAD_TOO_LARGE)),
                None => Err(bad),
            }
        }
        _ => Err(bad),
    }
}

/// A request without its body, and the length of its head in bytes.
type Head = (Request<Vec<u8>>, usize);

/// Parses a request's head. Returns `None` while it is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, End> {
    let bad = || End::Answer(StatusCode::BAD_REQUEST);
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(End::Answer(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        }
        Err(_) => return Err(bad()),
    };
    if head.version != Some(1) {
        return Err(End::Answer(StatusCode::HTTP_VERSION_NOT_SUPPORTED));
    }
    let mut request = Request::new(Vec::new());
    let method = head.method.unwrap_or_default();
    *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| bad())?;
    *request.uri_mut() = Uri::try_from(head.path.unwrap_or_default()).map_err(|_| bad())?;
    for header in head.headers.iter() {
        let name = HeaderName::try_from(header.name).map_err(|_| bad())?;
        let value = HeaderValue::from_bytes(header.value).map_err(|_| bad())?;
        request.headers_mut().append(name, value);
    }
    // A request has exactly one host (RFC 9112, section 3.2), and no line that ends in a bare LF.
    let one_host = request.headers().get_all(HOST).iter().count() == 1;
    let head = bytes.get(..length).unwrap_or_default();
    let bare = |pair: &[u8]| matches!(pair, [before, b'\n'] if *before != b'\r');
    match one_host && !head.windows(2).any(bare) {
        true => Ok(Some((request, length))),
        false => Err(bad()),
    }
}
