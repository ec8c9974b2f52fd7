//! Uses no HTTP library: a closure over a `TcpStream` is a transport.
//!
//! It is fit for a test and not for production. It has no TLS, and it never knows that a failed
//! request was not sent. Run it with `cargo run -p imts --example by_tcp_stream`.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use http::{Request, Response};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Builder, Credentials, Endpoint, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Front, Sandbox};

fn main() -> Result<(), Box<dyn Error>> {
    let service = Front::start(Sandbox::default())?;
    let client = Builder::new(Endpoint::plain_loopback(&service.url())?)
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
        .blocking(|request: Request<Body>, bounds: Bounds| {
            exchange(&request, bounds).map_err(|error| TransportError::unknown().because(error))
        })?;
    let bearer = client.token()?;
    assert_eq!((bearer.epoch().count(), service.log().len()), (1, 1));
    println!("token {}; the service saw {} request", bearer.epoch().count(), service.log().len());
    Ok(())
}

/// Sends one request on a new connection, and asks the service to close it after its response.
fn exchange(request: &Request<Body>, bounds: Bounds) -> io::Result<Response<Vec<u8>>> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let authority = request.uri().authority().ok_or_else(|| broken("no host"))?;
    let mut stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80)))?;
    stream.set_read_timeout(Some(bounds.time_limit))?;

    let body: &[u8] = request.body().as_ref();
    let (method, path, length) = (request.method(), request.uri().path(), body.len());
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n")?;
    write!(stream, "content-length: {length}\r\n")?;
    for (name, value) in request.headers() {
        stream.write_all(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(body)?;

    let mut reply = Vec::new();
    let head_at_most = 16_384;
    stream.take((bounds.reply_limit + head_at_most) as u64).read_to_end(&mut reply)?;
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, body) = reply.split_at(end.ok_or_else(|| broken("no head"))? + 4);
    let head = std::str::from_utf8(head).map_err(|_| broken("the head is no text"))?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let mut response = Response::builder().status(status.unwrap_or_default());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(body.to_vec()).map_err(io::Error::other)
}
