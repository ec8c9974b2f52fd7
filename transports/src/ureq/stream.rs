//! Byte streams that keep a deadline: TCP, and TLS over either.
//!
//! Owns the sockets' time limits. Knows nothing of HTTP.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

/// A byte stream. TLS lies over TCP, or over the TLS of a proxy.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(Wire),
    Tls(Box<StreamOwned<ClientConnection, Stream>>),
}

impl Stream {
    /// The end of the time for what is read and written from now on.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        match self {
            Self::Tcp(wire) => wire.deadline = deadline,
            Self::Tls(tls) => tls.sock.set_deadline(deadline),
        }
    }

    /// Whether it is open, and nothing lies there that nobody asked for.
    pub(super) fn is_idle(&mut self) -> bool {
        match self {
            Self::Tcp(wire) => wire.is_idle(),
            // rustls wants no more to read while there is plaintext to be taken.
            Self::Tls(tls) => tls.conn.wants_read() && tls.sock.is_idle(),
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(wire) => wire.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(wire) => wire.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(wire) => wire.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

/// A TCP connection, each of whose reads and writes ends at the deadline: a peer that sends a byte
/// now and then gains no time by it.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    deadline: Option<Instant>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, deadline: Instant) -> Self {
        Self { stream, deadline: Some(deadline) }
    }

    /// What is left of the time.
    fn left(&self) -> io::Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }

    fn is_idle(&self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let waits = self.stream.peek(&mut [0]);
        let waits = waits.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && waits
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Some systems say that a blocking socket would block where others say that time is up.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}
