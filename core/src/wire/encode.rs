//! The requests of the operations. Their bodies are written once, into memory that is wiped wherever
//! it is outgrown, so that none is freed with a secret in it.

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

/// Room for the JSON of most calls.
pub(crate) const USUAL: usize = 512;

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

/// Writes JSON once. `likely` bytes are enough for it, or it moves to more.
pub(crate) fn json(
    value: &(impl Serialize + ?Sized),
    likely: usize,
) -> Result<Zeroizing<Vec<u8>>, Unencodable> {
    let mut room = Room(Zeroizing::new(Vec::with_capacity(likely)));
    serde_json::to_writer(&mut room, value).map_err(|_| Unencodable)?;
    Ok(room.0)
}

/// Memory that is wiped where it is outgrown.
struct Room(Zeroizing<Vec<u8>>);

impl Room {
    /// The same bytes in memory for so many. What they leave behind is wiped as it is dropped.
    #[cold]
    fn moved(&self, length: usize) -> Zeroizing<Vec<u8>> {
        let mut larger = Vec::with_capacity(length.max(self.0.capacity().saturating_mul(2)));
        larger.extend_from_slice(&self.0);
        Zeroizing::new(larger)
    }
}

impl io::Write for Room {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.0.len().saturating_add(bytes.len());
        if self.0.capacity().checked_sub(length).is_none() {
            self.0 = self.moved(length);
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
