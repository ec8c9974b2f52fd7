//! One connection to a Redis server: opened, used and given up within one deadline.
//!
//! Owns the sockets and TLS. One command is sent, and its reply is read, before the next one. After
//! an error the connection must be dropped: a reply that comes late would answer the next command.
//! Does not know what a command means.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use zeroize::Zeroizing;

use super::address::Place;
use super::error::RedisError;
use super::resp::{self, LONGEST, RedisValue};
use crate::host::{is_private, without_lookup};
use crate::lookup::{self, lookup};
use crate::reason::Reason;
use crate::store::StoreError;

/// Why a command has no reply.
#[derive(Debug)]
pub(super) enum Failed {
    /// The deadline has passed.
    TimedOut,
    For(RedisError),
    /// What the store reports, whatever the connection did.
    Store(StoreError),
}

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Self {
        Self::For(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::TimedOut => Self::TimedOut,
            Failed::For(error) => Self::unreachable(error),
            Failed::Store(error) => error,
        }
    }
}

impl Failed {
    fn io(error: &io::Error, or: impl FnOnce() -> RedisError) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::TimedOut,
            _ => Self::For(or()),
        }
    }
}

/// An open connection on which no reply is due.
pub(super) struct Connection {
    stream: Stream,
}

enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Connection {
    /// Opens a connection. `tls` is used if the place is secure.
    pub(super) fn open(
        place: &Place,
        tls: impl FnOnce() -> Result<Arc<ClientConfig>, RedisError>,
        deadline: Instant,
    ) -> Result<Self, Failed> {
        let stream = match place {
            Place::Unix(path) => Stream::Plain(unix(path, place, deadline)?),
            Place::Tcp { host, port, is_secure } => {
                let timed = tcp(host, *port, place, deadline)?;
                if *is_secure { secure(host, place, timed, tls()?)? } else { Stream::Plain(timed) }
            }
        };
        Ok(Self { stream })
    }

    /// Sends a command and returns its reply.
    pub(super) fn ask(&mut self, parts: &[&[u8]], by: Instant) -> Result<RedisValue, Failed> {
        let command = resp::command(parts)?;
        let broken = |error: &io::Error| Failed::io(error, || RedisError::broken(error));
        match &mut self.stream {
            Stream::Plain(plain) => plain.deadline = by,
            Stream::Tls(tls) => tls.sock.deadline = by,
        }
        let stream: &mut dyn ReadWrite = match &mut self.stream {
            Stream::Plain(plain) => plain,
            Stream::Tls(tls) => tls,
        };
        stream.write_all(&command).and_then(|()| stream.flush()).map_err(|it| broken(&it))?;
        let mut bytes = Room::new();
        loop {
            if let Some((value, length)) = RedisValue::read(bytes.filled())? {
                // More than one reply: what else came answers no command of this connection.
                let is_all = length == bytes.filled().len();
                return if is_all { Ok(value) } else { Err(RedisError::NotAReply.into()) };
            }
            let read = stream.read(bytes.free()?).map_err(|error| broken(&error))?;
            if read == 0 {
                let ended = "it was closed in the middle of a reply".to_owned();
                return Err(RedisError::Broken(ended).into());
            }
            bytes.filled += read;
        }
    }
}

/// What was read of a reply. It grows without leaving a copy behind.
struct Room {
    bytes: Zeroizing<Vec<u8>>,
    filled: usize,
}

impl Room {
    fn new() -> Self {
        Self { bytes: Zeroizing::new(vec![0; FIRST_ROOM]), filled: 0 }
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    fn free(&mut self) -> Result<&mut [u8], RedisError> {
        if self.filled == self.bytes.len() {
            if self.filled > LONGEST {
                return Err(RedisError::TooLarge);
            }
            let mut more = Zeroizing::new(vec![0; self.filled * 2]);
            more[..self.filled].copy_from_slice(&self.bytes);
            self.bytes = more;
        }
        self.bytes.get_mut(self.filled..).ok_or(RedisError::TooLarge)
    }
}

const FIRST_ROOM: usize = 4_096;

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

/// A socket whose reads and writes end at a deadline.
struct Timed {
    socket: Socket,
    deadline: Instant,
}

enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Timed {
    /// Returns the time that is left.
    fn left(&self) -> io::Result<Duration> {
        left(self.deadline)
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        match &mut self.socket {
            Socket::Tcp(socket) => {
                socket.set_read_timeout(left)?;
                socket.read(buffer)
            }
            #[cfg(unix)]
            Socket::Unix(socket) => {
                socket.set_read_timeout(left)?;
                socket.read(buffer)
            }
        }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        match &mut self.socket {
            Socket::Tcp(socket) => {
                socket.set_write_timeout(left)?;
                socket.write(bytes)
            }
            #[cfg(unix)]
            Socket::Unix(socket) => {
                socket.set_write_timeout(left)?;
                socket.write(bytes)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(socket) => socket.flush(),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.flush(),
        }
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// Connects to the addresses of a host, one after the other, each with its share of the time.
fn tcp(host: &str, port: u16, place: &Place, deadline: Instant) -> Result<Timed, Failed> {
    let failed = |error: &io::Error| {
        let (place, reason) = (place.to_string(), error.to_string());
        Failed::io(error, || RedisError::Connect { place, reason })
    };
    let hosts: Vec<IpAddr> = match without_lookup(host) {
        Some(hosts) => hosts,
        None => {
            let found = lookup(&lookup::system(), host, port, deadline);
            found.map_err(|error| failed(&error))?.iter().map(SocketAddr::ip).collect()
        }
    };
    // A plain connection was allowed for a private network, wherever the name may lead.
    if place.is_exposed() && !hosts.iter().all(|host| is_private(*host)) {
        return Err(RedisError::Plain.into());
    }
    let mut last = io::Error::other("the host has no address");
    for (index, address) in hosts.iter().enumerate() {
        let share = left(deadline).map_err(|error| failed(&error))?;
        let share = share / u32::try_from(hosts.len() - index).unwrap_or(u32::MAX);
        let share = share.max(Duration::from_millis(1));
        match TcpStream::connect_timeout(&SocketAddr::new(*address, port), share) {
            Ok(socket) => {
                socket.set_nodelay(true).map_err(|error| failed(&error))?;
                return Ok(Timed { socket: Socket::Tcp(socket), deadline });
            }
            Err(error) => last = error,
        }
    }
    Err(failed(&last))
}

#[cfg(unix)]
fn unix(path: &std::path::Path, place: &Place, deadline: Instant) -> Result<Timed, Failed> {
    let socket = UnixStream::connect(path).map_err(|error| {
        Failed::For(RedisError::Connect { place: place.to_string(), reason: error.to_string() })
    })?;
    Ok(Timed { socket: Socket::Unix(socket), deadline })
}

#[cfg(not(unix))]
fn unix(_: &std::path::Path, place: &Place, _: Instant) -> Result<Timed, Failed> {
    let reason = "this system has no such sockets".to_owned();
    Err(Failed::For(RedisError::Connect { place: place.to_string(), reason }))
}

/// Completes the TLS handshake.
fn secure(
    host: &str,
    place: &Place,
    mut socket: Timed,
    config: Arc<ClientConfig>,
) -> Result<Stream, Failed> {
    let failed = |error: &io::Error| {
        let (place, reason) = (place.to_string(), Reason::of(error).to_string());
        Failed::io(error, || RedisError::Tls { place, reason })
    };
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| failed(&io::Error::other(error)))?;
    let tls = ClientConnection::new(config, name);
    let mut tls = tls.map_err(|error| failed(&io::Error::other(error)))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket).map_err(|error| failed(&error))?;
    }
    Ok(Stream::Tls(Box::new(StreamOwned::new(tls, socket))))
}
