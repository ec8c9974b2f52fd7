//! Byte streams that keep a deadline: TCP, and TLS over TCP or over TLS.
//!
//! Owns how the layers fit together. Does not know about HTTP.

mod records;

use std::io::{self, Read, Write};
use std::time::Instant;

use rustls::{ClientConnection, StreamOwned};

pub(super) use self::records::Socket;
use super::wire::Wire;

/// A byte stream. TLS lies over TCP, or over the TLS of a proxy.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(Wire),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

impl Stream {
    /// Sets the deadline for what is read and written from now on.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        match self {
            Self::Tcp(wire) => wire.set_deadline(deadline),
            Self::Tls(tls) => tls.sock.stream().set_deadline(deadline),
        }
    }

    /// Returns how many bytes were given to the TCP connection at the bottom. With TLS, these are
    /// the bytes of its records.
    pub(super) fn written(&mut self) -> u64 {
        match self {
            Self::Tcp(wire) => wire.written(),
            Self::Tls(tls) => tls.sock.stream().written(),
        }
    }

    /// Returns whether the stream is open, and holds nothing that no request asked for. TLS records
    /// of the connection itself, such as session tickets, are processed.
    pub(super) fn is_idle(&mut self) -> bool {
        let nothing = self.read_now(&mut [0]);
        nothing.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) && !self.is_midway()
    }

    /// Reads what has arrived: [`WouldBlock`](io::ErrorKind::WouldBlock) if that is nothing.
    pub(super) fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(wire) => wire.read_now(buffer),
            Self::Tls(tls) => {
                tls.sock.look();
                let read = tls.read(buffer);
                tls.sock.wait();
                read
            }
        }
    }

    /// Returns whether a record has arrived in part.
    fn is_midway(&mut self) -> bool {
        match self {
            Self::Tcp(_) => false,
            Self::Tls(tls) => tls.sock.is_midway() || tls.sock.stream().is_midway(),
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
