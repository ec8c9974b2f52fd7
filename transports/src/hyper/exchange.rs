//! Sends a request's body and reads a response's, within its bounds.
//!
//! Does not know about connections.

use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use imts_core::secret::Body;

use crate::reason::Reason;

/// A request's body as hyper takes it: sent whole, with its length. `Debug` prints only the length.
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

/// Reads a response's body, at most one byte more than the limit. `drive` polls what receives the
/// body.
pub(super) async fn read(
    response: Response<Incoming>,
    limit: usize,
    mut drive: impl FnMut(&mut Context<'_>),
) -> Result<Response<Vec<u8>>, Reason> {
    let (head, mut body) = response.into_parts();
    let enough = limit.saturating_add(1);
    // Allocate once, if the length is known and sensible: a buffer that has become too small leaves
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

/// The longest body, in bytes, for which memory is allocated before it is received: 64 KiB, and one
/// byte over the limit.
const AT_ONCE: usize = 65_537;
