//! The TCP connection below all other layers. It knows what has arrived by now, and whether
//! anything of a request was sent.
//!
//! Owns the proofs of both. The layers over it (TLS, a tunnel) do not need to know them.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::transport::Progress;

/// A byte stream of any kind.
pub(super) trait Io: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Io for T {}

pub(super) type BoxedIo = Box<dyn Io>;

/// A connection, and what the transport watches of it.
pub(super) struct Wire {
    io: Raw,
    watch: Arc<Watch>,
}

enum Raw {
    Tokio(TokioIo<TcpStream>),
    Other(BoxedIo),
}

/// What the transport knows of a connection while others use it.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The request that may be on its way out.
    progress: Mutex<Progress>,
    /// Whether the layer over the connection has been given some of it.
    is_taken: AtomicBool,
    asks_the_system: AtomicBool,
}

impl Watch {
    /// From now on, what is [taken](Self::takes) is this request. Until [`settled`](Self::settled),
    /// reads ask the system what has arrived.
    pub(super) fn begin(&self, progress: &Progress) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress.clone();
        self.is_taken.store(false, Ordering::Relaxed);
        self.asks_the_system.store(true, Ordering::Relaxed);
    }

    /// Called before the top layer is given some of a request. What TLS wrote before that was its
    /// own, for example its closing message on a connection that was found closed.
    pub(super) fn takes(&self) {
        self.is_taken.store(true, Ordering::Relaxed);
    }

    pub(super) fn settled(&self) {
        self.asks_the_system.store(false, Ordering::Relaxed);
    }

    fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Wire {
    pub(super) fn tokio(stream: TcpStream) -> Self {
        Self { io: Raw::Tokio(TokioIo::new(stream)), watch: Arc::default() }
    }

    pub(super) fn other(io: BoxedIo) -> Self {
        Self { io: Raw::Other(io), watch: Arc::default() }
    }

    pub(super) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    fn io(&mut self) -> Pin<&mut dyn Io> {
        match &mut self.io {
            Raw::Tokio(io) => Pin::new(io),
            Raw::Other(io) => Pin::new(&mut **io),
        }
    }

    /// Lets `write` write, unless the request was withdrawn.
    fn leaving(
        &mut self,
        write: impl FnOnce(Pin<&mut dyn Io>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if !self.watch.is_taken.load(Ordering::Relaxed) {
            return write(self.io());
        }
        let wrote = |outcome: &_| matches!(outcome, Poll::Ready(Ok(1..)));
        self.watch
            .progress()
            .write(|| write(self.io()), wrote)
            .unwrap_or_else(|| Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())))
    }
}

impl Read for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // A runtime that has not turned since does not know what arrived meanwhile.
        if self.watch.asks_the_system.load(Ordering::Relaxed)
            && let Raw::Tokio(io) = &self.io
            && let Some(outcome) = arrived(io.inner(), &mut buf)
        {
            return Poll::Ready(outcome);
        }
        self.io().poll_read(cx, buf)
    }
}

impl Write for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.leaving(|io| io.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Raw::Tokio(io) => io.is_write_vectored(),
            Raw::Other(io) => io.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.leaving(|io| io.poll_write_vectored(cx, bufs))
    }
}

/// Reads what has arrived, as the system reports it; `None` if nothing has.
#[cfg(unix)]
fn arrived(stream: &TcpStream, buf: &mut ReadBufCursor<'_>) -> Option<io::Result<()>> {
    use rustix::io::Errno;
    use rustix::net::{RecvFlags, recv};
    use zeroize::Zeroize;

    let mut piece = [0; 1_024];
    let room = piece.get_mut(..buf.remaining().min(1_024)).filter(|room| !room.is_empty())?;
    match recv(stream, &mut *room, RecvFlags::DONTWAIT) {
        Ok((read, _)) => {
            let came = room.get_mut(..read).unwrap_or_default();
            buf.put_slice(came);
            came.zeroize();
            Some(Ok(()))
        }
        Err(Errno::WOULDBLOCK | Errno::INTR) => None,
        Err(error) => Some(Err(error.into())),
    }
}

/// Here only the runtime knows what has arrived.
#[cfg(not(unix))]
fn arrived(_: &TcpStream, _: &mut ReadBufCursor<'_>) -> Option<io::Result<()>> {
    None
}
