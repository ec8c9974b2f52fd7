//! A request's body on its way out, and a reply's on its way in, within its bounds.
//!
//! Knows nothing of connections.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use imts_core::Body;

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

/// Reads a reply's body, at most one byte more than the limit. Whatever brings the body is polled by
/// `drive`.
pub(super) async fn read(
    response: Response<Incoming>,
    limit: usize,
    mut drive: impl FnMut(&mut Context<'_>),
) -> Result<Response<Vec<u8>>, Reason> {
    let (head, mut body) = response.into_parts();
    let enough = limit.saturating_add(1);
    // In one piece, as far as the length is known and sensible: a piece that is outgrown leaves
    // a copy of the tokens behind.
    let length = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::with_capacity(length.unwrap_or(usize::MAX).min(enough).min(AT_ONCE));
    while bytes.len() < enough {
        let frame = poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
            Poll::Pending => {
                drive(cx);
                Pin::new(&mut body).poll_frame(cx)
            }
            ready => ready,
        });
        match frame.await {
            None => break,
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    let room = enough - bytes.len();
                    bytes.extend_from_slice(&data[..data.len().min(room)]);
                }
            }
            Some(Err(error)) => return Err(Reason::of(&error)),
        }
    }
    Ok(Response::from_parts(head, bytes))
}

/// The longest body for which memory is taken before it comes: 64 KiB and the byte that is too
/// much.
const AT_ONCE: usize = 65_537;
