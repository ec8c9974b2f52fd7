//! The requests of the two exchanges. Their bodies are written once, into memory of the exact
//! size, so that no half-grown buffer is freed with a secret in it.

use std::io;
use std::iter;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::contract::{Refresh, TokenIn};
use crate::secret::{Body, Credentials, Token, bearer_header};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Room for these headers and for a few of the driver's, without a second allocation.
const HEADERS: usize = 6;

/// `POST` of the credentials, as Get token is published.
pub(crate) fn sign_in(uri: &Uri, credentials: &Credentials) -> Request<Body> {
    #[derive(Serialize)]
    struct Fields<'a> {
        agent_id: &'a str,
        agent_secret: &'a str,
    }
    let fields =
        Fields { agent_id: credentials.agent_id(), agent_secret: credentials.expose_secret() };
    with_json(request(Method::POST, uri), &fields)
}

/// The refresh token, presented as the contract says.
pub(crate) fn refresh(uri: &Uri, contract: &Refresh, token: &Token) -> Request<Body> {
    let mut request = request(contract.method.clone(), uri);
    match &contract.token_in {
        TokenIn::Body { field } => with_json(request, &OneField(field, token.expose())),
        TokenIn::Bearer => {
            if let Some(value) = bearer_header(token.expose()) {
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            request
        }
    }
}

fn request(method: Method, uri: &Uri) -> Request<Body> {
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(ACCEPT, JSON);
    let mut request = Request::new(Body::default());
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers;
    request
}

fn with_json(mut request: Request<Body>, value: &impl Serialize) -> Request<Body> {
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    *request.body_mut() = Body::new(json(value));
    request
}

/// Writes JSON twice: to measure it, then into memory of that size.
///
/// Neither writing can fail: the values are strings, and the writers take all they are given.
pub(crate) fn json(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut length = Length(0);
    let measured = serde_json::to_writer(&mut length, value);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    let written = serde_json::to_writer(&mut *bytes, value);
    debug_assert!(measured.is_ok() && written.is_ok() && bytes.len() == length.0);
    bytes
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

/// `{"name": "value"}` with a name that is known at run time.
struct OneField<'a>(&'a str, &'a str);

impl Serialize for OneField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(iter::once((self.0, self.1)))
    }
}
