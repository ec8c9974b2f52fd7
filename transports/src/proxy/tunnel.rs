//! A tunnel through a proxy: the request to the proxy, and what its response means (RFC 9110,
//! section 9.3.6).
//!
//! Does no I/O: each transport sends and reads in its own way.

use std::io::{self, Write};

use http::HeaderValue;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Proxy, authority};
use crate::connect::Place;

/// Why a proxy opened no tunnel.
#[derive(Debug, Error)]
pub(crate) enum TunnelError {
    #[error("a proxy cannot be asked for the URL's host")]
    Host,
    #[error("proxy authorization required: give a user name and a password that the proxy accepts")]
    Authorization,
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer is not HTTP")]
    Malformed,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Returns the request that asks a proxy for a tunnel.
pub(crate) fn request(proxy: &Proxy, to: Place<'_>) -> Result<Zeroizing<Vec<u8>>, TunnelError> {
    let to = authority(to.host, to.port).ok_or(TunnelError::Host)?;
    let credentials = proxy.authorization.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
    let length = 2 * to.as_str().len() + credentials.len() + 96;
    let mut request = Zeroizing::new(Vec::with_capacity(length));
    write!(request, "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n")?;
    if !credentials.is_empty() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(credentials);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    Ok(request)
}

/// The head of a proxy's response, as far as it was received.
#[derive(Debug, Default)]
pub(crate) struct Answer(Vec<u8>);

impl Answer {
    /// Takes the next byte. Once the head is complete, returns what the response means. Do not read
    /// any byte after the head: it belongs to the tunnel.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Result<(), TunnelError>> {
        self.0.push(byte);
        if !self.0.ends_with(b"\r\n\r\n") {
            return (self.0.len() == LONGEST).then_some(Err(TunnelError::Malformed));
        }
        Some(match status(&self.0) {
            Some(200..=299) => Ok(()),
            Some(407) => Err(TunnelError::Authorization),
            Some(status) => Err(TunnelError::Status(status)),
            None => Err(TunnelError::Malformed),
        })
    }
}

fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ', digits @ ..] = rest else { return None };
    let (status, [b' ' | b'\r', ..]) = digits.split_at_checked(3)? else { return None };
    std::str::from_utf8(status).ok()?.parse().ok()
}

/// The maximum length of the head of a proxy's response, in bytes.
const LONGEST: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::{Answer, status};

    #[test]
    fn a_status_line_is_read_strictly() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for head in ["HTTP/1.1 2000 OK\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 20\r\n", "SSH-2.0\r\n"]
        {
            assert_eq!(status(head.as_bytes()), None, "{head}");
        }
    }

    #[test]
    fn an_answer_is_whole_at_its_empty_line_and_not_before() {
        let (mut answer, text) = (Answer::default(), b"HTTP/1.1 200 OK\r\nvia: x\r\n\r\n");
        let (last, rest) = text.split_last().unwrap();
        assert!(rest.iter().all(|byte| answer.take(*byte).is_none()));
        assert!(answer.take(*last).unwrap().is_ok());
        let mut endless = Answer::default();
        assert!((1..8_192).all(|_| endless.take(b'x').is_none()));
        assert!(endless.take(b'x').unwrap().is_err());
    }
}
