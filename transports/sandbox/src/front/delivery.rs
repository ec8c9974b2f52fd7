//! How a reply is delivered wrongly, below HTTP.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::fault::Delivery;

/// The length that an endless body promises, where it promises one.
const PROMISED: usize = 64 * 1_048_576;

/// Delivers a reply, `whole` as it should have been, and ends the connection.
///
/// What has no end, ends when the peer has had enough.
pub(super) fn act(delivery: Delivery, mut stream: &TcpStream, whole: &[u8]) -> io::Result<()> {
    let first = |bytes: usize| whole.get(..bytes).unwrap_or(whole);
    match delivery {
        Delivery::Closed => stream.shutdown(Shutdown::Both),
        Delivery::Reset => reset(stream),
        Delivery::Stalled => wait_for_peer(stream),
        Delivery::CutAfter(bytes) => {
            stream.write_all(first(bytes))?;
            stream.shutdown(Shutdown::Both)
        }
        Delivery::ResetAfter(bytes) => {
            stream.write_all(first(bytes))?;
            reset(stream)
        }
        Delivery::Drip(ms) => {
            for byte in whole {
                stream.write_all(&[*byte])?;
                thread::sleep(Duration::from_millis(ms));
            }
            Ok(())
        }
        Delivery::EndlessWithLength => {
            let length = format!("content-length: {PROMISED}\r\n\r\n");
            write_for_ever(stream, &length, &[b' '; 8_192])
        }
        Delivery::EndlessUntilClose => write_for_ever(stream, "\r\n", &[b' '; 8_192]),
        Delivery::EndlessChunked => {
            let mut chunk = b"2000\r\n".to_vec();
            chunk.resize(chunk.len() + 0x2000, b' ');
            chunk.extend_from_slice(b"\r\n");
            write_for_ever(stream, "transfer-encoding: chunked\r\n\r\n", &chunk)
        }
        Delivery::HeaderFlood => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                stream.write_all(b"x-flood: 0123456789012345678901234567890123456789\r\n")?;
            }
        }
    }
}

fn write_for_ever(mut stream: &TcpStream, framing: &str, piece: &[u8]) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")?;
    stream.write_all(framing.as_bytes())?;
    loop {
        stream.write_all(piece)?;
    }
}

/// Ends a connection by RST: what is under way is thrown away.
fn reset(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// Says nothing until the peer has gone.
fn wait_for_peer(mut stream: &TcpStream) -> io::Result<()> {
    let mut ignored = [0; 1_024];
    while stream.read(&mut ignored)? > 0 {}
    Ok(())
}
