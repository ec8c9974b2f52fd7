//! Sends what the sandbox sends by itself: over plain HTTP/1.1, to this machine or a private network.
//!
//! Owns the connection. Each address that a host has must be loopback or private, and the connection
//! goes to one of those that were checked. Does not know what a message says.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use crate::target::Target;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 1_048_576;
const MAX_HEADERS: usize = 100;

/// Sends a request and reads its answer, both within this time. A failure has no answer. Passes the
/// connection to `opened`, so that another thread can end it.
pub(super) fn send(
    request: &Request<Vec<u8>>,
    within: Duration,
    opened: impl FnOnce(&TcpStream),
) -> io::Result<Response<Vec<u8>>> {
    let ends = Instant::now() + within;
    let mut stream = connect(request, ends)?;
    opened(&stream);
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(left(ends)?))?;
    stream.write_all(&written(request))?;
    let mut bytes = Vec::new();
    loop {
        if let Some(response) = parsed(&bytes, false)? {
            return Ok(response);
        }
        stream.set_read_timeout(Some(left(ends)?))?;
        let mut chunk = [0; 8_192];
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return parsed(&bytes, true)?.ok_or_else(|| ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
        if bytes.len() > MAX_ANSWER {
            return Err(ErrorKind::InvalidData.into());
        }
    }
}

/// Connects to the first address that answers. If one of the host's addresses is neither loopback nor
/// private, nothing is sent.
fn connect(request: &Request<Vec<u8>>, ends: Instant) -> io::Result<TcpStream> {
    let uri = request.uri();
    let host = uri.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let addresses: Vec<SocketAddr> =
        (host, uri.port_u16().unwrap_or(80)).to_socket_addrs()?.collect();
    if addresses.iter().any(|address| !Target::allows(address.ip())) {
        let text = "the host has an address that is neither loopback nor private";
        return Err(io::Error::new(ErrorKind::PermissionDenied, text));
    }
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect_timeout(&address, left(ends)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn left(ends: Instant) -> io::Result<Duration> {
    let left = ends.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The request as it goes over the wire. The connection is used for it alone.
fn written(request: &Request<Vec<u8>>) -> Vec<u8> {
    let uri = request.uri();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut bytes =
        format!("{} {path} HTTP/1.1\r\nhost: {host}\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let length = request.body().len();
    bytes.extend_from_slice(
        format!("content-length: {length}\r\nconnection: close\r\n\r\n").as_bytes(),
    );
    bytes.extend_from_slice(request.body());
    bytes
}

/// Parses an answer. Returns `None` while it is incomplete. `is_all` says that nothing more comes.
fn parsed(bytes: &[u8], is_all: bool) -> io::Result<Option<Response<Vec<u8>>>> {
    let bad = || io::Error::from(ErrorKind::InvalidData);
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(bytes).map_err(|_| bad())? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let status = StatusCode::from_u16(head.code.unwrap_or_default()).map_err(|_| bad())?;
    let rest = bytes.get(length..).unwrap_or_default();
    if status.is_informational() {
        return parsed(rest, is_all);
    }
    let mut response = Response::new(Vec::new());
    *response.status_mut() = status;
    for header in head.headers.iter() {
        let name = HeaderName::try_from(header.name).map_err(|_| bad())?;
        response
            .headers_mut()
            .append(name, HeaderValue::from_bytes(header.value).map_err(|_| bad())?);
    }
    let headers = response.headers();
    let body = if headers.contains_key(TRANSFER_ENCODING) {
        unchunked(rest).ok_or_else(bad)?
    } else if let Some(length) = headers.get(CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|length| length.parse().ok()).ok_or_else(bad)?;
        rest.get(..length).map(<[u8]>::to_vec)
    } else {
        is_all.then(|| rest.to_vec())
    };
    Ok(body.map(|body| {
        *response.body_mut() = body;
        response
    }))
}

/// Returns the content of a body in chunks: `None` if it is wrong, `Some(None)` while it is incomplete.
fn unchunked(mut rest: &[u8]) -> Option<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let (head, size) = match httparse::parse_chunk_size(rest).ok()? {
            httparse::Status::Complete(found) => found,
            httparse::Status::Partial => return Some(None),
        };
        let size = usize::try_from(size).ok().filter(|size| *size <= MAX_ANSWER)?;
        let Some(chunk) = rest.get(head..head + size) else { return Some(None) };
        body.extend_from_slice(chunk);
        match rest.get(head + size..) {
            Some([b'\r', b'\n', after @ ..]) => rest = after,
            Some(after) if after.len() >= 2 => return None,
            _ => return Some(None),
        }
        if size == 0 {
            return Some(Some(body));
        }
    }
}
