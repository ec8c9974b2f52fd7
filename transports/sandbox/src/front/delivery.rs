//! Delivers a reply wrongly, below HTTP.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::gzip;
use super::stop::Stop;
use super::whole::Whole;
use crate::delivery::{Break, Delivery};

/// The length that an endless body promises, if it promises one.
const PROMISED: usize = 64 * 1_048_576;
/// How long a closed connection waits for its peer to close.
const LINGER: Duration = Duration::from_secs(1);

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// Delivers a reply to a request for `path`, and ends the connection. `whole` is the reply as it
/// should have been.
///
/// A delivery without end stops when the peer closes or when the front stops.
pub(super) fn act(
    delivery: Delivery,
    stream: &TcpStream,
    stop: &Stop,
    whole: &Whole,
    path: &str,
) -> io::Result<()> {
    let bytes = whole.bytes.as_slice();
    let send = |bytes: &[u8]| { stream }.write_all(bytes);
    let cut = |length: usize, by| {
        send(bytes.get(..length).unwrap_or(bytes))?;
        end(by, stream)
    };
    match delivery {
        Delivery::Closed => end(Break::Close, stream),
        Delivery::Reset => end(Break::Reset, stream),
        Delivery::Stalled => end(Break::Stall, stream),
        Delivery::HalfClosed => end(Break::HalfClose, stream),
        Delivery::Broken { at, by } => cut(whole.until(at), by),
        Delivery::CutAfter(length) => cut(length, Break::Close),
        Delivery::ResetAfter(length) => cut(length, Break::Reset),
        Delivery::StalledAfter(length) => cut(length, Break::Stall),
        Delivery::NextBroken { .. } => cut(bytes.len(), Break::Close),
        Delivery::Drip(ms) => {
            for byte in bytes {
                send(&[*byte])?;
                stop.wait(Duration::from_millis(ms));
            }
            end(Break::Close, stream)
        }
        Delivery::EndlessWithLength => {
            let length = format!("content-length: {PROMISED}\r\n\r\n");
            write_for_ever(stream, &[OK, &length], &[b' '; 8_192])
        }
        Delivery::EndlessUntilClose => write_for_ever(stream, &[OK, "\r\n"], &[b' '; 8_192]),
        Delivery::EndlessChunked => {
            let mut chunk = b"2000\r\n".to_vec();
            chunk.resize(chunk.len() + 0x2000, b' ');
            chunk.extend_from_slice(b"\r\n");
            write_for_ever(stream, &[OK, "transfer-encoding: chunked\r\n\r\n"], &chunk)
        }
        Delivery::BadChunk => {
            send(OK.as_bytes())?;
            send(b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n")?;
            end(Break::Close, stream)
        }
        Delivery::GzipBomb => {
            let bomb = gzip::bomb();
            let framing = format!(
                "{OK}content-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                bomb.len()
            );
            send(framing.as_bytes())?;
            send(&bomb)?;
            end(Break::Close, stream)
        }
        Delivery::HeaderFlood => {
            write_for_ever(stream, &[OK], &b"x-flood: 0123456789\r\n".repeat(99))
        }
        Delivery::Interim(count) => {
            for _ in 0..count {
                send(INTERIM)?;
            }
            cut(bytes.len(), Break::Close)
        }
        Delivery::InterimFlood => write_for_ever(stream, &[], &INTERIM.repeat(99)),
        Delivery::RedirectTo(port) => {
            let reply = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{port}{path}\r\n\
                 content-length: 0\r\nconnection: close\r\n\r\n"
            );
            send(reply.as_bytes())?;
            end(Break::Close, stream)
        }
    }
}

const INTERIM: &[u8] = b"HTTP/1.1 103 Early Hints\r\nlink: </>; rel=preload\r\n\r\n";

/// Ends a connection.
pub(super) fn end(by: Break, stream: &TcpStream) -> io::Result<()> {
    match by {
        Break::Close => close(stream),
        Break::Reset => SockRef::from(stream).set_linger(Some(Duration::ZERO)),
        Break::Stall => wait_for_peer(stream),
        Break::HalfClose => {
            stream.shutdown(Shutdown::Write)?;
            wait_for_peer(stream)
        }
    }
}

/// Closes by FIN. Then reads and discards what the peer still sends, for a while. A socket that is
/// closed over unread bytes answers with RST, and the peer then loses what it has not read yet.
fn close(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    let began = Instant::now();
    let mut ignored = [0; 1_024];
    while let Some(left) = LINGER.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
        stream.set_read_timeout(Some(left))?;
        if stream.read(&mut ignored)? == 0 {
            break;
        }
    }
    Ok(())
}

fn write_for_ever(mut stream: &TcpStream, head: &[&str], piece: &[u8]) -> io::Result<()> {
    for part in head {
        stream.write_all(part.as_bytes())?;
    }
    loop {
        stream.write_all(piece)?;
    }
}

/// Sends nothing until the peer has closed.
fn wait_for_peer(mut stream: &TcpStream) -> io::Result<()> {
    let mut ignored = [0; 1_024];
    while stream.read(&mut ignored)? > 0 {}
    Ok(())
}
