//! A byte stream that gives hyper responses in their canonical form.
//!
//! [`crate::reply`] reads the responses, and owns the buffer in between.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};

use super::wire::{BoxedIo, Watch};
use crate::reply::{Onward, Reading};

pub(super) struct Filter {
    io: BoxedIo,
    watch: Arc<Watch>,
    replies: Reading,
}

impl Filter {
    pub(super) fn new(io: BoxedIo, watch: Arc<Watch>) -> Self {
        Self { io, watch, replies: Reading::default() }
    }
}

impl Read for Filter {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            let handed = this.replies.hand_on(&mut buf);
            let handed = handed.map_err(|it| io::Error::new(io::ErrorKind::InvalidData, it))?;
            if handed || buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let mut came = ReadBuf::new(this.replies.space());
            ready!(Pin::new(&mut this.io).poll_read(cx, came.unfilled()))?;
            let read = came.filled().len();
            if read == 0 {
                return Poll::Ready(Ok(()));
            }
            this.replies.came(read);
        }
    }
}

impl Onward for ReadBufCursor<'_> {
    fn room(&self) -> usize {
        self.remaining()
    }

    fn head(&mut self, _: Option<u64>) {}

    fn text(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }

    fn body(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }
}

impl Write for Filter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.watch.takes();
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.replies.on_request(buf.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.watch.takes();
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        if written > 0 {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            self.replies.on_request(first.map_or(&[], |buf| &**buf));
        }
        Poll::Ready(Ok(written))
    }
}
