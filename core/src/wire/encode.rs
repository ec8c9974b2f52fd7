//! The requests of the operations. Their bodies are written once, into memory of the exact
//! size, so that no half-grown buffer is freed with a secret in it.

use std::io;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::operation::Unencodable;
use crate::secret::Body;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Room for these headers and for a few of the driver's, without a second allocation.
const HEADERS: usize = 6;

/// A request with a body of JSON, or without a body.
pub(crate) fn request(method: Method, uri: &Uri, body: Body) -> Request<Body> {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(ACCEPT, JSON);
    if !body.is_empty() {
        headers.insert(CONTENT_TYPE, JSON);
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers;
    request
}

/// Writes JSON twice: to measure it, then into memory of that size.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Result<Zeroizing<Vec<u8>>, Unencodable> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).map_err(|_| Unencodable)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    let mut room = Room { bytes: &mut bytes, left: length.0 };
    serde_json::to_writer(&mut room, value).map_err(|_| Unencodable)?;
    Ok(bytes)
}

/// Takes no more than there is room for: a value that grows between two writings would leave a copy
/// behind.
struct Room<'a> {
    bytes: &'a mut Vec<u8>,
    left: usize,
}

impl io::Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::WriteZero)?;
        self.left = left;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
