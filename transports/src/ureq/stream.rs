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
    /// The limits that the system keeps now, of a read and of a write; `None` where they are not known.
    reads_within: Option<Option<Duration>>,
    writes_within: Option<Option<Duration>>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, deadline: Instant) -> Self {
        Self { stream, deadline: Some(deadline), reads_within: None, writes_within: None }
    }

    /// What is left of the time, in whole steps: most requests find the limit in place that they need.
    fn left(&self) -> io::Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let steps = left.as_millis().checked_div(STEP.as_millis()).unwrap_or_default();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(1);
        Ok(Some(STEP.saturating_mul(steps)))
    }

    fn is_idle(&self) -> bool {
        is_silent(&self.stream)
    }
}

/// The steps in which a socket's limits are set: a read or a write may end that much late.
const STEP: Duration = Duration::from_millis(10);

/// Whether a socket is open, and nothing has come.
#[cfg(unix)]
fn is_silent(stream: &TcpStream) -> bool {
    use rustix::io::Errno;
    use rustix::net::{RecvFlags, recv};

    let mut byte = [0_u8];
    let waits = recv(stream, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    waits.is_err_and(|error| error == Errno::WOULDBLOCK)
}

/// Whether a socket is open, and nothing has come.
#[cfg(not(unix))]
fn is_silent(stream: &TcpStream) -> bool {
    if stream.set_nonblocking(true).is_err() {
        return false;
    }
    let waits = stream.peek(&mut [0]);
    let waits = waits.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).is_ok() && waits
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let within = self.left()?;
        if self.reads_within != Some(within) {
            self.stream.set_read_timeout(within)?;
            self.reads_within = Some(within);
        }
        self.stream.read(buffer).map_err(timed_out)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let within = self.left()?;
        if self.writes_within != Some(within) {
            self.stream.set_write_timeout(within)?;
            self.writes_within = Some(within);
        }
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
