//! TCP connections that keep a deadline.
//!
//! Owns the sockets' time limits, and the count of bytes given to them. Does not know what the
//! bytes mean.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A TCP connection, each of whose reads and writes ends at the deadline. A peer that sends a byte
/// now and then gains no time. Bytes that had arrived by then are read all the same, however late.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    deadline: Option<Instant>,
    /// How much of what had arrived is still to be read, once the time is over.
    late: Option<u64>,
    written: u64,
    /// The limits that the system keeps now, for a read and for a write; `None` if they are not
    /// known.
    reads_within: Option<Option<Duration>>,
    writes_within: Option<Option<Duration>>,
}

/// The time that is left.
enum Left {
    Endless,
    /// The time in whole steps: most requests find that the limit they need is already set.
    Steps(Duration),
    Nothing,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, deadline: Instant) -> Self {
        let (deadline, late) = (Some(deadline), None);
        Self { stream, deadline, late, written: 0, reads_within: None, writes_within: None }
    }

    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        if self.deadline != deadline {
            (self.deadline, self.late) = (deadline, None);
        }
    }

    /// Returns how many bytes were given to the socket.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Reads what has arrived: [`WouldBlock`](io::ErrorKind::WouldBlock) if that is nothing.
    pub(super) fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        now::read(&self.stream, buffer)
    }

    fn left(&self) -> Left {
        let Some(deadline) = self.deadline else { return Left::Endless };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Left::Nothing;
        }
        let steps = left.as_millis().checked_div(STEP.as_millis()).unwrap_or_default();
        let steps = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(1);
        Left::Steps(STEP.saturating_mul(steps))
    }

    /// Reads after the deadline: no more than had arrived when the time was found to be over.
    fn read_late(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = match self.late {
            Some(left) => left,
            None => now::waiting(&self.stream)?,
        };
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        // An end takes no room, so the check for it takes no byte.
        let read = match buffer.get_mut(..room) {
            Some(buffer @ [_, ..]) => now::read(&self.stream, buffer),
            _ => match now::peek(&self.stream) {
                Ok(1..) => Err(io::ErrorKind::TimedOut.into()),
                end => end,
            },
        };
        let read = read.map_err(timed_out)?;
        self.late = Some(left.saturating_sub(read as u64));
        Ok(read)
    }
}

/// The steps in which a socket's limits are set. A read or a write may end that much late.
const STEP: Duration = Duration::from_millis(10);

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // First the clock, then the socket: what has not arrived by now did not arrive in time.
            let within = match self.left() {
                Left::Endless => None,
                Left::Steps(within) => Some(within),
                Left::Nothing => return self.read_late(buffer),
            };
            if self.reads_within != Some(within) {
                self.stream.set_read_timeout(within)?;
                self.reads_within = Some(within);
            }
            match self.stream.read(buffer) {
                Err(error) if is_interim(&error) => {}
                read => return read,
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let within = match self.left() {
                Left::Endless => None,
                Left::Steps(within) => Some(within),
                Left::Nothing => return Err(io::ErrorKind::TimedOut.into()),
            };
            if self.writes_within != Some(within) {
                self.stream.set_write_timeout(within)?;
                self.writes_within = Some(within);
            }
            match self.stream.write(bytes) {
                Ok(written) => {
                    self.written = self.written.saturating_add(written as u64);
                    return Ok(written);
                }
                Err(error) if cfg!(unix) && is_interim(&error) => {}
                Err(error) => {
                    // Unlike Unix, Windows may have sent some of what it failed to write in time.
                    self.written = self.written.saturating_add(u64::from(cfg!(not(unix))));
                    return Err(timed_out(error));
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Returns whether the socket's limit has passed, or the thread was stopped for a while. The clock
/// decides what that means.
fn is_interim(error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => true,
        // On Unix, this error comes from the network, and the connection has ended.
        io::ErrorKind::TimedOut => cfg!(not(unix)),
        _ => false,
    }
}

/// Some systems report that a blocking socket would block, others that it timed out.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// Reads what a socket has at this moment, without waiting for more.
#[cfg(unix)]
mod now {
    use std::io;
    use std::net::TcpStream;

    use rustix::io::ioctl_fionread;
    use rustix::net::{RecvFlags, recv};

    pub(super) fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(recv(stream, buffer, RecvFlags::DONTWAIT)?.1)
    }

    /// Looks at one byte without taking it. Returns 0 at the end.
    pub(super) fn peek(stream: &TcpStream) -> io::Result<usize> {
        Ok(recv(stream, &mut [0_u8][..], RecvFlags::DONTWAIT | RecvFlags::PEEK)?.1)
    }

    /// Returns how many bytes have arrived.
    pub(super) fn waiting(stream: &TcpStream) -> io::Result<u64> {
        Ok(ioctl_fionread(stream)?)
    }
}

/// Reads what a socket has at this moment, without waiting for more.
#[cfg(not(unix))]
mod now {
    use std::io::{self, Read};
    use std::net::TcpStream;

    use zeroize::Zeroizing;

    pub(super) fn read(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        stream.set_nonblocking(true)?;
        let read = stream.read(buffer);
        stream.set_nonblocking(false)?;
        read
    }

    /// Looks at one byte without taking it. Returns 0 at the end.
    pub(super) fn peek(stream: &TcpStream) -> io::Result<usize> {
        look(stream, &mut [0])
    }

    /// Returns how many bytes have arrived, as far as they are counted.
    pub(super) fn waiting(stream: &TcpStream) -> io::Result<u64> {
        let came = look(stream, &mut Zeroizing::new(vec![0; COUNTED]));
        match came {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            came => came.map(|came| came as u64),
        }
    }

    fn look(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        stream.set_nonblocking(true)?;
        let came = stream.peek(buffer);
        stream.set_nonblocking(false)?;
        came
    }

    /// More bytes than a response of the service has.
    const COUNTED: usize = 1 << 20;
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::{Wire, now};

    /// A connection whose time is over, and its other end, from which these bytes have arrived.
    fn late(came: &[u8]) -> (Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut peer = listener.accept().unwrap().0;
        peer.write_all(came).unwrap();
        let wire = Wire::new(stream, Instant::now());
        has(&wire, came.len());
        (wire, peer)
    }

    fn has(wire: &Wire, bytes: usize) {
        while now::waiting(&wire.stream).unwrap() < bytes as u64 {}
    }

    /// Returns the result of a read.
    fn read(wire: &mut Wire, room: usize) -> Result<Vec<u8>, ErrorKind> {
        let mut buffer = vec![0; room];
        let read = wire.read(&mut buffer).map_err(|error| error.kind())?;
        Ok(buffer[..read].to_vec())
    }

    #[test]
    fn after_the_deadline_what_had_come_is_read_and_what_comes_later_is_not() {
        let (mut wire, mut peer) = late(b"in time");
        assert_eq!(read(&mut wire, 3).unwrap(), b"in ");
        peer.write_all(b", and too late").unwrap();
        has(&wire, 18);
        assert_eq!(read(&mut wire, 100).unwrap(), b"time");
        for _ in 0..2 {
            assert_eq!(read(&mut wire, 100), Err(ErrorKind::TimedOut));
        }
        // The next request has its own time.
        wire.set_deadline(Some(Instant::now()));
        assert_eq!(read(&mut wire, 100).unwrap(), b", and too late");
    }

    #[test]
    fn after_the_deadline_nothing_is_waited_for() {
        let (mut wire, _peer) = late(b"");
        assert_eq!(read(&mut wire, 100), Err(ErrorKind::TimedOut));
    }

    #[test]
    fn after_the_deadline_an_end_that_had_come_is_seen() {
        let (mut wire, peer) = late(b"all");
        drop(peer);
        assert_eq!(read(&mut wire, 100).unwrap(), b"all");
        // The end arrives on its own way, later than the bytes.
        while now::peek(&wire.stream).is_err() {}
        assert_eq!(read(&mut wire, 100).unwrap(), b"");
    }

    #[test]
    fn after_the_deadline_nothing_is_written() {
        let (mut wire, _peer) = late(b"");
        assert_eq!(wire.write(b"late").unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(wire.written(), 0);
    }
}
