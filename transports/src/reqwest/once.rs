//! A request's body that is given out once, and knows whether it was.
//!
//! Owns the part of a proof that reqwest's errors leave open: whether a client that may follow
//! redirects has begun to send. Does not know about connections.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use imts_core::secret::Body;

/// A body with its length. reqwest cannot clone it.
pub(super) struct Once {
    bytes: Option<Bytes>,
    is_taken: Arc<AtomicBool>,
}

/// Knows whether a body was taken.
pub(super) struct Untouched(Arc<AtomicBool>);

impl Once {
    /// Wraps a body. An empty body is not asked for its bytes, so a foreign client that has sent it
    /// leaves no trace: it counts as taken.
    pub(super) fn new(body: Body, is_foreign: bool) -> (Self, Untouched) {
        let bytes = Some(body.into_bytes()).filter(|bytes| !bytes.is_empty());
        let is_taken = Arc::new(AtomicBool::new(is_foreign && bytes.is_none()));
        let untouched = Untouched(Arc::clone(&is_taken));
        (Self { bytes, is_taken }, untouched)
    }
}

impl Untouched {
    /// Returns whether nothing of the body was taken.
    pub(super) fn is_certain(&self) -> bool {
        !self.0.load(Ordering::SeqCst)
    }
}

impl HttpBody for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.is_taken.store(true, Ordering::SeqCst);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64)
    }
}
