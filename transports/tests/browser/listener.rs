//! A server of the integrator's: it takes one request after the other and answers as a function says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// One request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) body: String,
}

/// The server's address, and what came in. Its thread ends with the test program.
pub(crate) struct Listener {
    port: u16,
    came: Receiver<Came>,
}

impl Listener {
    /// Answers each request with the status and the body that `answer` returns.
    pub(crate) fn start(answer: impl Fn(&Came) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, came) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A browser opens connections that it does not use.
                let Some(request) = stream.ok().and_then(|stream| serve(&stream, &answer)) else {
                    continue;
                };
                if !request.target.starts_with("/favicon") && sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self { port, came }
    }

    /// A page that only says that the user is back.
    pub(crate) fn welcoming() -> Self {
        Self::start(|_| (200, "<!DOCTYPE html><title>Back</title><h1>Welcome back</h1>".to_owned()))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Waits for the next request.
    pub(crate) fn next(&self) -> Came {
        self.came.recv_timeout(Duration::from_secs(120)).expect("a request comes")
    }

    /// Returns whether no other request has come.
    pub(crate) fn is_empty(&self) -> bool {
        self.came.try_recv().is_err()
    }
}

fn serve(mut stream: &TcpStream, answer: &impl Fn(&Came) -> (u16, String)) -> Option<Came> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (method, rest) = line.split_once(' ')?;
    let (method, target) = (method.to_owned(), rest.split(' ').next()?.to_owned());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let came = Came { method, target, body: String::from_utf8(body).ok()? };
    let (status, body) = answer(&came);
    let kind = if body.starts_with("<?xml") { "text/xml" } else { "text/html; charset=utf-8" };
    let head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    Some(came)
}
