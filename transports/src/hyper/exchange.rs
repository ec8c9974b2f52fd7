//! One exchange over hyper: the request out, the reply in within its bounds, and what a failure
//! proves.
//!
//! Owns the question whether a request may have left. Knows nothing of connections.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use hyper_util::client::legacy;
use imts_core::{Body, Failure, NotSent};

use super::link::died_of;
use crate::connect::ConnectError;
use crate::reason::Reason;

/// A request's body as hyper takes it: sent whole, with its length. `Debug` prints the length
/// alone.
pub struct HyperBody(Option<Bytes>);

impl fmt::Debug for HyperBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HyperBody({} bytes)", self.length())
    }
}

impl HyperBody {
    fn length(&self) -> usize {
        self.0.as_ref().map_or(0, Bytes::len)
    }
}

impl From<Body> for HyperBody {
    fn from(body: Body) -> Self {
        Self(Some(body.into_bytes()).filter(|bytes| !bytes.is_empty()))
    }
}

impl HttpBody for HyperBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length() as u64)
    }
}

/// Reads a reply's body, at most one byte more than the limit.
pub(super) async fn read(
    response: Response<Incoming>,
    limit: usize,
) -> Result<Response<Vec<u8>>, Failure> {
    let (head, mut body) = response.into_parts();
    let enough = limit.saturating_add(1);
    // In one piece, as far as the length is known and sensible: a piece that is outgrown leaves
    // a copy of the tokens behind.
    let length = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(length.unwrap_or(usize::MAX).min(enough).min(AT_ONCE));
    while bytes.len() < enough {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            None => break,
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    let room = enough - bytes.len();
                    bytes.extend_from_slice(&data[..data.len().min(room)]);
                }
            }
            Some(Err(error)) => return Err(Failure::unknown().because(Reason::of(&error))),
        }
    }
    Ok(Response::from_parts(head, bytes))
}

/// What a failed request proves.
///
/// It did not leave where no connection came about, or where hyper hands the message back (an error
/// that is "canceled" has the unsent message with it, and no other error is). A connection that
/// broke proves nothing, however idle it was before.
pub(super) fn failure(error: &legacy::Error) -> Failure {
    let source = error.source();
    let handed_back = source
        .and_then(|source| source.downcast_ref::<hyper::Error>())
        .is_some_and(hyper::Error::is_canceled);
    let reason = Reason::of(source.unwrap_or(error)).and(died_of(error).as_deref());
    if !error.is_connect() && !handed_back {
        return Failure::unknown().because(reason);
    }
    let failure = Failure::not_sent(NotSent::vouch());
    match source.and_then(|source| source.downcast_ref::<ConnectError>()) {
        Some(ConnectError::TimedOut(_)) => failure.timed_out(),
        _ => failure,
    }
    .because(reason)
}

/// The longest body for which memory is taken before it comes: 64 KiB and the byte that is too
/// much.
const AT_ONCE: usize = 65_537;
