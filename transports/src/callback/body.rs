//! Bodies of HTTP messages, as `http-body` describes them.
//!
//! Owns how much of a request is read. Does not know what is in it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotRead {
    TooLarge,
    Broken,
}

/// Reads a body, up to so many bytes.
pub(crate) async fn read<B: Body>(body: B, most: usize) -> Result<Vec<u8>, NotRead> {
    let mut body = pin!(body);
    if body.size_hint().lower() > most as u64 {
        return Err(NotRead::TooLarge);
    }
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(mut data) = frame.map_err(|_| NotRead::Broken)?.into_data() else { continue };
        if data.remaining() > most - bytes.len() {
            return Err(NotRead::TooLarge);
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            let length = chunk.len();
            bytes.extend_from_slice(chunk);
            data.advance(length);
        }
    }
    Ok(bytes)
}

/// The body of an answer: whole, and of a known length.
#[derive(Debug, Default)]
pub struct AnswerBody(Option<Bytes>);

impl AnswerBody {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(Some(Bytes::from(bytes)).filter(|bytes| !bytes.is_empty()))
    }
}

impl Body for AnswerBody {
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
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
