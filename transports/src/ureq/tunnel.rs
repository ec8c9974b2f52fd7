//! A tunnel through a proxy: `CONNECT`, and what the proxy says to it (RFC 9110, section 9.3.6).

use std::io::{self, Read, Write};

use http::HeaderValue;
use thiserror::Error;
use zeroize::Zeroizing;

use super::stream::Stream;
use crate::connect::Place;
use crate::proxy::authority;

/// Why a proxy opened no tunnel.
#[derive(Debug, Error)]
pub(super) enum TunnelError {
    #[error("the URL's host cannot be asked for")]
    Host,
    #[error("proxy authorization required: give a user name and a password that it accepts")]
    Authorization,
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer is not HTTP")]
    Malformed,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Asks for a tunnel, on a connection to the proxy.
pub(super) fn open(
    stream: &mut Stream,
    to: Place<'_>,
    authorization: Option<&HeaderValue>,
) -> Result<(), TunnelError> {
    let to = authority(to.host, to.port).ok_or(TunnelError::Host)?;
    let credentials = authorization.map_or(&b""[..], HeaderValue::as_bytes);
    let mut request =
        Zeroizing::new(Vec::with_capacity(2 * to.as_str().len() + credentials.len() + 96));
    write!(request, "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n")?;
    if !credentials.is_empty() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credentials);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request)?;
    stream.flush()?;
    match status(&head(stream)?) {
        Some(200..=299) => Ok(()),
        Some(407) => Err(TunnelError::Authorization),
        Some(status) => Err(TunnelError::Status(status)),
        None => Err(TunnelError::Malformed),
    }
}

/// The head of the proxy's answer, and not a byte of what comes after it.
fn head(stream: &mut Stream) -> Result<Vec<u8>, TunnelError> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST {
            return Err(TunnelError::Malformed);
        }
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    Ok(head)
}

fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ', digits @ ..] = rest else { return None };
    let (status, [b' ' | b'\r', ..]) = digits.split_at_checked(3)? else { return None };
    std::str::from_utf8(status).ok()?.parse().ok()
}

/// The most bytes that the head of a proxy's answer may have.
const LONGEST: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn a_status_line_is_read_strictly() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for head in ["HTTP/1.1 2000 OK\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 20\r\n", "SSH-2.0\r\n"]
        {
            assert_eq!(status(head.as_bytes()), None, "{head}");
        }
    }
}
