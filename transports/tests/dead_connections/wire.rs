//! The service's end of one connection: TCP, or TLS over it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::{ServerConnection, Stream};
use socket2::SockRef;

/// How an idle connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// It is closed; over TLS, without a word.
    Fin,
    /// It is reset.
    Reset,
    /// No more is sent, and whatever still comes is thrown away.
    Half,
    /// It is closed after a farewell: over TLS a `close_notify`, else a reply that nobody asked for.
    Farewell,
}

pub(crate) struct Wire {
    tcp: TcpStream,
    tls: Option<ServerConnection>,
    read: Vec<u8>,
}

/// What came.
pub(crate) enum Came {
    /// A whole request.
    Request { path: String, body: Vec<u8> },
    /// Nothing in time.
    Nothing,
    /// The peer has closed it, or broken it.
    End,
}

impl Wire {
    pub(crate) fn new(tcp: TcpStream, tls: Option<ServerConnection>) -> Self {
        tcp.set_nodelay(true).unwrap();
        Self { tcp, tls, read: Vec::new() }
    }

    /// The client's address. `None` if it has gone.
    pub(crate) fn client(&self) -> Option<SocketAddr> {
        self.tcp.peer_addr().ok()
    }

    /// Waits so long for a request to begin. One that has begun is read to its end.
    pub(crate) fn request(&mut self, within: Option<Duration>) -> Came {
        let until = within.map(|within| Instant::now() + within);
        loop {
            if let Some(came) = self.whole() {
                return came;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let left = if self.read.is_empty() { left } else { None };
            if left.is_some_and(|left| left.is_zero()) {
                return Came::Nothing;
            }
            self.tcp.set_read_timeout(left).unwrap();
            let mut buffer = [0; 4_096];
            match self.receive(&mut buffer) {
                Ok(0) => return Came::End,
                Ok(read) => self.read.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Came::End,
            }
        }
    }

    fn whole(&mut self) -> Option<Came> {
        let text = std::str::from_utf8(&self.read).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let (_, length) = head.split_once("content-length: ").expect("a length");
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if body.len() < length {
            return None;
        }
        assert_eq!(body.len(), length, "requests are not pipelined");
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let came = Came::Request { path, body: body.as_bytes().to_vec() };
        self.read.clear();
        Some(came)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.tcp).read(buffer),
            None => self.tcp.read(buffer),
        }
    }

    pub(crate) fn say(&mut self, reply: &[u8]) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => Stream::new(tls, &mut self.tcp).write_all(reply),
            None => self.tcp.write_all(reply),
        }
    }

    /// Whether a request, or the connection's end, is there already.
    pub(crate) fn has_come(&self) -> bool {
        self.tcp.set_nonblocking(true).unwrap();
        let peeked = self.tcp.peek(&mut [0]);
        let came = !peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.tcp.set_nonblocking(false).unwrap();
        came
    }

    /// Ends the connection. What is returned, if anything, is still to be read to its end.
    pub(crate) fn close(mut self, by: Close) -> Option<TcpStream> {
        match by {
            Close::Fin => {}
            Close::Reset => SockRef::from(&self.tcp).set_linger(Some(Duration::ZERO)).unwrap(),
            Close::Half => {
                drop(self.tcp.shutdown(Shutdown::Write));
                return Some(self.tcp);
            }
            Close::Farewell => match &mut self.tls {
                Some(tls) => {
                    tls.send_close_notify();
                    drop(tls.write_tls(&mut self.tcp));
                }
                None => drop(self.tcp.write_all(FAREWELL)),
            },
        }
        None
    }
}

const FAREWELL: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
