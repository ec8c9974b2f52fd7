//! A byte stream whose replies reach hyper in their canonical form.
//!
//! Owns the buffer in between, and wipes it. What a reply is, [`crate::reply`] knows.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use zeroize::Zeroize;

use super::runtime::BoxedIo;
use super::wire::Watch;
use crate::reply::Reading;

pub(super) struct Filter {
    io: BoxedIo,
    watch: Arc<Watch>,
    replies: Reading,
    came: Box<[u8]>,
    room: Box<[u8]>,
}

impl Filter {
    pub(super) fn new(io: BoxedIo, watch: Arc<Watch>) -> Self {
        let buffer = || vec![0; PIECE].into_boxed_slice();
        Self { io, watch, replies: Reading::default(), came: buffer(), room: buffer() }
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
            let at_most = buf.remaining().min(PIECE);
            let room = this.room.get_mut(..at_most).unwrap_or_default();
            let handed = this.replies.hand_on(room);
            if handed > 0 || at_most == 0 {
                let room = room.get_mut(..handed).unwrap_or_default();
                buf.put_slice(room);
                room.zeroize();
                return Poll::Ready(Ok(()));
            }
            let mut came = ReadBuf::new(&mut this.came);
            ready!(Pin::new(&mut this.io).poll_read(cx, came.unfilled()))?;
            let read = came.filled().len();
            let came = this.came.get_mut(..read).unwrap_or_default();
            if came.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let taken = this.replies.take(came, &mut ());
            came.zeroize();
            taken.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
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

/// How much is read at once.
const PIECE: usize = 8_192;
