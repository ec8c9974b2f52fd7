//! A connection as ureq uses it.
//!
//! Owns one stream, its buffers, and the masks over the bodies that are received. At its level
//! TRACE, ureq's parser passes every byte that it reads to the application's `log`, including
//! tokens. An application may raise that level at any moment. So ureq never sees a body: the body
//! is stored elsewhere, and ureq gets a mask of the same length. Of requests, this module knows
//! only that some of one was written.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use imts_core::Now;
use ureq::Error;
use ureq::unversioned::transport::{Buffers as _, NextTimeout, Transport};

use super::buffers::Buffers;
use super::mask::{Mask, Masks};
use super::stream::Stream;
use super::{attempt, exchange};
use crate::clock::{Clock as _, SystemClock, age};
use crate::reason::Reason;
use crate::reply::{Onward, Reading};

/// A connection that ureq may use.
pub(super) struct Link {
    stream: Stream,
    reopen: Reopen,
    buffers: Buffers,
    replies: Reading,
    masking: Masking,
    /// Since when it has waited for a request.
    idle_since: Option<Now>,
    max_idle_age: Duration,
}

/// Opens another connection to the same place, for the request that this thread is making.
type Reopen = Box<dyn Fn() -> Result<Stream, Error> + Send + Sync>;

/// Masks the body of each response.
struct Masking {
    masks: Masks,
    mask: Option<Mask>,
}

impl Masking {
    /// Begins the next response, whose body has this length, if it is known.
    fn begin(&mut self, length: Option<u64>) {
        let room = exchange::room(length, attempt::reply_limit());
        self.mask = Some(self.masks.next(room));
    }

    /// Returns the mask of the response that is under way.
    fn mask(&mut self) -> &mut Mask {
        self.mask.get_or_insert_with(|| self.masks.next(0))
    }
}

/// What ureq gets: heads and framing as they are, and masks instead of bodies.
struct Shown<'a> {
    room: &'a mut [u8],
    filled: usize,
    masking: &'a mut Masking,
}

impl Onward for Shown<'_> {
    fn room(&self) -> usize {
        self.room.len().saturating_sub(self.filled)
    }

    fn head(&mut self, length: Option<u64>) {
        self.masking.begin(length);
    }

    fn text(&mut self, bytes: &[u8]) {
        self.next(bytes.len()).0.copy_from_slice(bytes);
    }

    fn body(&mut self, bytes: &[u8]) {
        let (room, masking) = self.next(bytes.len());
        masking.mask().cover(bytes, room);
    }
}

impl Shown<'_> {
    /// Returns this many of the next free bytes.
    fn next(&mut self, amount: usize) -> (&mut [u8], &mut Masking) {
        let begin = self.filled;
        self.filled = begin.saturating_add(amount);
        (self.room.get_mut(begin..self.filled).unwrap_or_default(), self.masking)
    }
}

impl Link {
    pub(super) fn new(
        stream: Stream,
        reopen: Reopen,
        masks: Masks,
        max_idle_age: Duration,
    ) -> Self {
        let (buffers, replies) = (Buffers::default(), Reading::default());
        let masking = Masking { masks, mask: None };
        Self { stream, reopen, buffers, replies, masking, idle_since: None, max_idle_age }
    }

    /// Returns whether a request may be sent on it. The first check after a request begins its idle
    /// time. It does not ask the system: ureq makes that check when it takes the connection back,
    /// and another one before it uses it again.
    fn is_open_at(&mut self, now: Now) -> bool {
        if !self.replies.is_at_rest() {
            return false;
        }
        match self.idle_since {
            None => {
                self.idle_since = Some(now);
                true
            }
            Some(since) => age(since, now) < self.max_idle_age && self.stream.is_idle(),
        }
    }

    /// Sends what waits to be sent. If a connection that was idle proves dead before it took a
    /// byte, a new one replaces it.
    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        if self.buffers.held().is_empty() {
            return Ok(());
        }
        let sent = self.transmit();
        self.buffers.wipe_held();
        sent?.map_err(|error| broken(&error, timeout))
    }

    fn transmit(&mut self) -> Result<io::Result<()>, Error> {
        let was_idle = self.idle_since.take().is_some();
        match self.give() {
            (Err(error), Taken::Nothing) if was_idle && error.kind() != io::ErrorKind::TimedOut => {
                self.stream = (self.reopen)()?;
                self.replies = Reading::default();
                Ok(self.give().0)
            }
            (sent, _) => Ok(sent),
        }
    }

    fn give(&mut self) -> (io::Result<()>, Taken) {
        self.stream.set_deadline(attempt::deadline());
        let output = self.buffers.held();
        self.replies.on_request(output);
        let before = self.stream.written();
        let sent = self.stream.write_all(output).and_then(|()| self.stream.flush());
        if self.stream.written() == before {
            return (sent, Taken::Nothing);
        }
        attempt::was_written();
        (sent, Taken::Some)
    }
}

/// How much a connection took of what it was given.
enum Taken {
    Nothing,
    Some,
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn ureq::unversioned::transport::Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.buffers.holds_back(amount) { Ok(()) } else { self.send(timeout) }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.send(timeout)?;
        self.stream.set_deadline(attempt::deadline());
        let broken = |error| broken(&error, timeout);
        loop {
            let room = self.buffers.input_append_buf();
            let mut shown = Shown { room, filled: 0, masking: &mut self.masking };
            let handed = self.replies.hand_on(&mut shown);
            let filled = shown.filled;
            if handed.map_err(|error| Error::Other(Box::new(error)))? {
                self.buffers.input_appended(filled);
                return Ok(true);
            }
            let ahead = self.replies.body_ahead().min(room.len());
            if let Some(room @ [_, ..]) = room.get_mut(..ahead) {
                let read = self.masking.mask().read(&mut self.stream, room).map_err(broken)?;
                self.replies.passed(read);
                self.buffers.input_appended(read);
                return Ok(read > 0);
            }
            if room.is_empty() {
                return Ok(false);
            }
            let read = self.stream.read(self.replies.space()).map_err(broken)?;
            if read == 0 {
                return Ok(false);
            }
            self.replies.came(read);
        }
    }

    fn is_open(&mut self) -> bool {
        self.is_open_at(SystemClock.coarse())
    }

    fn is_tls(&self) -> bool {
        self.stream.is_tls()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

/// Returns how a connection broke. ureq takes some I/O errors for the end of a body that has no
/// length. It does not take an error of this crate's own type for such an end.
fn broken(error: &io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => Error::Other(Box::new(Reason::of(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::{Duration, Instant};

    use imts_core::Now;
    use imts_core::time::{Mono, Wall};
    use socket2::{Domain, SockRef, Socket, Type};
    use ureq::unversioned::transport::{Buffers as _, NextTimeout, Transport as _};

    use super::Link;
    use crate::transport::Bounds;
    use crate::ureq::attempt::Attempt;
    use crate::ureq::mask::Masks;
    use crate::ureq::stream::Stream;
    use crate::ureq::wire::Wire;

    const MAX_AGE: Duration = Duration::from_secs(30);

    fn begin(time_limit: Duration) -> Attempt {
        Attempt::begin(Bounds { reply_limit: 1, time_limit })
    }

    fn over(stream: TcpStream) -> Link {
        let wire = Wire::new(stream, Instant::now());
        let reopen = || panic!("no other connection is asked for");
        Link::new(Stream::Tcp(wire), Box::new(reopen), Masks::default(), MAX_AGE)
    }

    /// Returns a connection, and its other end.
    fn connected() -> (Link, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (over(stream), listener.accept().unwrap().0)
    }

    fn transmit(link: &mut Link, bytes: &[u8]) -> Result<(), ureq::Error> {
        link.buffers.output()[..bytes.len()].copy_from_slice(bytes);
        link.transmit_output(bytes.len(), NextTimeout::default())?;
        link.send(NextTimeout::default())
    }

    /// Seconds by each clock.
    fn at(mono: u64, wall: i64) -> Now {
        let (mono, wall) = (mono * 1_000_000, wall * 1_000_000);
        Now { mono: Mono::from_micros(mono), wall: Wall::from_unix_micros(wall) }
    }

    #[test]
    fn an_idle_connection_is_as_old_as_the_clock_says_that_went_on() {
        let is_open = |later| {
            let (mut link, _peer) = connected();
            assert!(link.is_open_at(at(1_000, 1_000)));
            link.is_open_at(later)
        };
        assert!(is_open(at(1_029, 1_029)));
        assert!(!is_open(at(1_030, 1_029)), "the monotonic clock");
        assert!(!is_open(at(1_001, 1_030)), "the wall clock: the machine was suspended");
        assert!(is_open(at(1_029, 0)), "a wall clock that was set back says nothing");
    }

    #[test]
    fn an_idle_time_ends_with_the_next_request() {
        let _attempt = begin(Duration::from_secs(60));
        let (mut link, mut peer) = connected();
        assert!(link.is_open_at(at(1_000, 1_000)));
        transmit(&mut link, b"GET / HTTP/1.1\r\n\r\n").unwrap();
        peer.read_exact(&mut [0; 18]).unwrap();
        assert!(!link.is_open_at(at(1_020, 1_020)), "a reply is under way");
        peer.write_all(b"HTTP/1.1 204 \r\n\r\n").unwrap();
        assert!(link.await_input(NextTimeout::default()).unwrap());
        assert!(link.is_open_at(at(1_040, 1_040)));
    }

    #[test]
    fn a_connection_with_something_left_over_is_not_open() {
        let (mut link, _peer) = connected();
        assert!(link.is_open());
        link.replies.space()[..4].copy_from_slice(b"HTTP");
        link.replies.came(4);
        assert!(!link.is_open());
    }

    /// Returns a connection that takes little at once, and the socket that accepts its other end.
    fn narrow() -> (Link, Socket) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.set_recv_buffer_size(4_096).unwrap();
        listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(1).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        SockRef::from(&stream).set_send_buffer_size(4_096).unwrap();
        (over(stream), listener)
    }

    #[test]
    fn a_connection_that_took_some_of_a_request_is_not_replaced_when_it_breaks() {
        let (mut link, listener) = narrow();
        let breaking = thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            peer.read_exact(&mut [0]).unwrap();
            peer.set_linger(Some(Duration::ZERO)).unwrap();
        });
        assert!(link.is_open());
        let attempt = begin(Duration::from_secs(60));
        let sent = transmit(&mut link, &[b' '; 32_768]);
        assert!(matches!(sent, Err(ureq::Error::Other(_))), "{sent:?}");
        assert!(!attempt.is_held());
        breaking.join().unwrap();
    }

    #[test]
    fn a_request_that_was_written_in_part_is_not_untouched() {
        let (mut link, _listener) = narrow();
        let attempt = begin(Duration::from_millis(100));
        // No one reads it.
        let sent = transmit(&mut link, &[b' '; 32_768]);
        assert!(matches!(sent, Err(ureq::Error::Timeout(_))), "{sent:?}");
        assert!(!attempt.is_held());
    }

    #[test]
    fn a_request_that_finds_its_time_over_is_held() {
        let attempt = begin(Duration::ZERO);
        let (mut link, _peer) = connected();
        assert!(transmit(&mut link, b"GET / HTTP/1.1\r\n\r\n").is_err());
        assert!(attempt.is_held());
    }
}
