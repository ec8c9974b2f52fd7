//! HTTP/1.1 as a small strict server speaks it: requests in, responses out, one after another.

use super::delivery;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

const MAX_HEAD: usize = 32_768;
const MAX_HEADERS: usize = 100;
const MAX_BODY: usize = 1_048_576;

/// Why a connection ends: with an answer, or without one.
enum End {
    Answer(StatusCode),
    Silent(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Silent(error)
    }
}

/// Serves a connection until its peer has had enough, or has made a mistake.
pub(super) fn serve(
    stream: &TcpStream,
    mut answer: impl FnMut(&Request<Vec<u8>>) -> Response<Vec<u8>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = Incoming { stream, buffer: Vec::new() };
    loop {
        let request = match incoming.request() {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(End::Silent(error)) => return Err(error),
            Err(End::Answer(status)) => {
                let mut response = Response::new(Vec::new());
                *response.status_mut() = status;
                return write(stream, &response, &Method::POST, true);
            }
        };
        let close = wants_close(request.headers());
        let response = answer(&request);
        if let Some(delivery) = response.extensions().get() {
            return delivery::act(*delivery, stream, &whole(&response, request.method(), true));
        }
        write(stream, &response, request.method(), close)?;
        if close {
            return Ok(());
        }
    }
}

struct Incoming<'a> {
    stream: &'a TcpStream,
    /// What was read and not used yet.
    buffer: Vec<u8>,
}

impl Incoming<'_> {
    /// The next request; `None` where the peer closed between two.
    fn request(&mut self) -> Result<Option<Request<Vec<u8>>>, End> {
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
        let continues = request.headers().get(EXPECT).is_some_and(|value| value == "100-continue");
        if continues {
            let mut stream = self.stream;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        *request.body_mut() = match body_length(request.headers())? {
            Length::Known(length) => self.take(length)?,
            Length::Chunked => self.chunks()?,
        };
        Ok(Some(request))
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 8_192];
        let read = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        Ok(())
    }

    /// The next bytes, this many.
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
                        self.read_more()?;
                        if self.buffer.len() == before || self.buffer.len() > MAX_BODY {
                            return Err(bad());
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

/// How long the body is. Two answers to that question are one too many (RFC 9112, section 6.3).
fn body_length(headers: &HeaderMap) -> Result<Length, End> {
    let bad = End::Answer(StatusCode::BAD_REQUEST);
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (headers.get(TRANSFER_ENCODING), lengths.next(), lengths.next()) {
        (None, None, _) => Ok(Length::Known(0)),
        (Some(coding), None, _) if coding == "chunked" => Ok(Length::Chunked),
        (None, Some(length), None) => {
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

/// A request without its body, and how many bytes its head took.
type Head = (Request<Vec<u8>>, usize);

/// A request's head; `None` while it is not whole.
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
    Ok(Some((request, length)))
}

fn wants_close(headers: &HeaderMap) -> bool {
    headers.get_all(CONNECTION).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

fn write(
    mut stream: &TcpStream,
    response: &Response<Vec<u8>>,
    method: &Method,
    close: bool,
) -> io::Result<()> {
    stream.write_all(&whole(response, method, close))
}

/// A response as it goes over the wire.
fn whole(response: &Response<Vec<u8>>, method: &Method, close: bool) -> Vec<u8> {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or("Unknown");
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in response.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(format!("content-length: {}\r\n", response.body().len()).as_bytes());
    if close {
        head.extend_from_slice(b"connection: close\r\n");
    }
    head.extend_from_slice(b"\r\n");
    if method != Method::HEAD {
        head.extend_from_slice(response.body());
    }
    head
}
