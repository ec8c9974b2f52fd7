//! A service that costs as little as it can: whole authenticated requests in, one fixed reply out,
//! over connections that stay open.
//!
//! Owns its sockets, on loopback alone. Knows nothing of what is measured against it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::ready::REPLY;

/// Serves until the process ends, a thread for each connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
}

impl Server {
    /// Serves on a port that the system picks.
    ///
    /// # Errors
    ///
    /// The system's, where it gives no port or no thread.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        thread::Builder::new().spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || serve(&stream));
            }
        })?;
        Ok(Self { address })
    }

    /// The URL that it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/operation", self.address)
    }
}

/// Answers one connection until it closes: 200 with [`REPLY`] to a request with a bearer, else 401.
fn serve(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let (mut line, mut body, mut answer) = (String::new(), Vec::new(), Vec::new());
    loop {
        let (mut length, mut is_authenticated) = (0, false);
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                if line.trim_end().is_empty() { break } else { continue }
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().map_err(io::Error::other)?;
            } else if name.eq_ignore_ascii_case("authorization") {
                is_authenticated = value.starts_with("Bearer ");
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        let status = if is_authenticated { "200 OK" } else { "401 Unauthorized" };
        answer.clear();
        write!(
            answer,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            REPLY.len()
        )?;
        answer.extend_from_slice(REPLY);
        (&mut &*stream).write_all(&answer)?;
    }
}
