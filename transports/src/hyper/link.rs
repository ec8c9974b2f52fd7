//! A connection as hyper uses it.
//!
//! Owns what it died of: hyper's task for a connection meets that error, and the request that was to
//! go over it next is told no more than that there was one.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Extensions;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::Error;
use hyper_util::client::legacy::connect::{Connected, Connection};

use super::runtime::BoxedIo;
use crate::reason::Reason;

/// A connection that hyper may use.
pub(super) struct Link {
    io: BoxedIo,
    died_of: DiedOf,
}

/// Why a connection broke, if it did.
#[derive(Clone, Default)]
struct DiedOf(Arc<Mutex<Option<String>>>);

impl Link {
    pub(super) fn new(io: BoxedIo) -> Self {
        Self { io, died_of: DiedOf::default() }
    }

    fn note<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &outcome {
            let mut died_of = self.died_of.0.lock().unwrap_or_else(PoisonError::into_inner);
            died_of.get_or_insert_with(|| Reason::of(error).to_string());
        }
        outcome
    }
}

/// Why the connection broke that a request was to go over.
pub(super) fn died_of(error: &Error) -> Option<String> {
    let mut extras = Extensions::new();
    error.connect_info()?.get_extras(&mut extras);
    let died_of = extras.remove::<DiedOf>()?;
    died_of.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.died_of.clone())
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_read(cx, buf);
        self.note(outcome)
    }
}

impl Write for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, buf);
        self.note(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        self.note(outcome)
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
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.note(outcome)
    }
}
