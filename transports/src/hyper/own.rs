//! A hyper-util client that the caller provides.
//!
//! Owns what a failure of such a client proves. It proves less than a failure of the transport's
//! own connections, of which the transport knows what was written.

use std::error::Error as StdError;

use http::{Request, Response};
use hyper_util::client::legacy::connect::Connect;
use hyper_util::client::legacy::{Client, Error, ResponseFuture};
use imts_core::TransportError;
use imts_core::transport_error::NotSent;

use super::exchange::{HyperBody, read};
use crate::reason::Reason;

/// A hyper-util client with any connector.
pub(super) trait Requests: Send + Sync {
    fn request(&self, request: Request<HyperBody>) -> ResponseFuture;
}

impl<C: Connect + Clone + Send + Sync + 'static> Requests for Client<C, HyperBody> {
    fn request(&self, request: Request<HyperBody>) -> ResponseFuture {
        self.request(request)
    }
}

/// Runs one exchange over such a client.
pub(super) async fn exchange(
    client: &dyn Requests,
    request: Request<HyperBody>,
    limit: usize,
) -> Result<Response<Vec<u8>>, TransportError> {
    let response = client.request(request).await.map_err(|error| failure(&error))?;
    read(response, limit, |_| {}).await.map_err(|why| TransportError::unknown().because(why))
}

/// Returns what a failed request proves.
///
/// The request was not sent if no connection was opened, or if hyper hands the message back. An
/// error that is "canceled" contains the unsent message, and no other error is "canceled". A
/// connection that broke proves nothing, however idle it was before.
fn failure(error: &Error) -> TransportError {
    let source = error.source();
    let handed_back = source
        .and_then(|source| source.downcast_ref::<hyper::Error>())
        .is_some_and(hyper::Error::is_canceled);
    let failure = if error.is_connect() || handed_back {
        TransportError::not_sent(NotSent::vouch())
    } else {
        TransportError::unknown()
    };
    failure.because(Reason::of(source.unwrap_or(error)))
}
