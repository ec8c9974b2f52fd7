//! A service that costs as little as it can: whole authenticated requests in, one fixed reply out,
//! over connections that stay open.
//!
//! Owns its sockets, on loopback alone. Knows nothing of what is measured against it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::ready::REPLY;

/// Serves until the process ends, a thread for each connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
}

impl Server {
    /// Answers [`REPLY`] on a port that the system picks.
    ///
    /// # Errors
    ///
    /// The system's error, if it gives no port or no thread.
    pub fn start() -> io::Result<Self> {
        Self::answering(REPLY.to_vec())
    }

    /// Answers this to each request with a bearer; to a sign-in, [`REPLY`].
    ///
    /// # Errors
    ///
    /// The system's error, if it gives no port or no thread.
    pub fn answering(reply: Vec<u8>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let reply = Arc::<[u8]>::from(reply);
        thread::Builder::new().spawn(move || {
            for stream in listener.incoming().flatten() {
                let reply = Arc::clone(&reply);
                thread::spawn(move || serve(&stream, &reply));
            }
        })?;
        Ok(Self { address })
    }

    /// The URL that it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/operation", self.origin())
    }

    /// The URL of its root, without a path.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Answers one connection until it closes: 200 to a request with a bearer and to a sign-in, else 401.
fn serve(stream: &TcpStream, reply: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let (mut line, mut body, mut answer) = (String::new(), Vec::new(), Vec::new());
    loop {
        let (mut length, mut is_authenticated, mut signs_in) = (0, false, false);
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            signs_in |= line.starts_with("POST ") && line.contains("/agent/auth ");
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
        let status = if is_authenticated || signs_in { "200 OK" } else { "401 Unauthorized" };
        let reply = if is_authenticated { reply } else { REPLY };
        answer.clear();
        write!(
            answer,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            reply.len()
        )?;
        answer.extend_from_slice(reply);
        (&mut &*stream).write_all(&answer)?;
    }
}
