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
    /// What came, as it is shown.
    #[error("its answer is not HTTP: {0}")]
    Malformed(String),
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
pub(crate) struct Answer {
    head: Vec<u8>,
    /// How many bytes were received in all, with those of interim responses.
    received: usize,
    /// The credentials that the proxy was sent, which it may quote.
    credentials: Option<HeaderValue>,
}

impl Answer {
    /// Starts the answer of a proxy.
    pub(crate) fn of(proxy: &Proxy) -> Self {
        Self { credentials: proxy.authorization.clone(), ..Self::default() }
    }

    /// Takes the next byte. Once the head is complete, or cannot become one, returns what it means.
    /// After a success, do not read any byte after the head: it belongs to the tunnel.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Result<(), TunnelError>> {
        let last = self.head.last().copied();
        self.head.push(byte);
        self.received += 1;
        let place = self.head.len() - 1;
        if VERSION.get(place).is_some_and(|expected| *expected != byte) {
            return Some(Err(self.malformed("it begins with")));
        }
        if byte == b'\n' && last != Some(b'\r') {
            return Some(Err(self.malformed("a line ends with a bare line feed in")));
        }
        if byte != b'\n' && last == Some(b'\r') {
            return Some(Err(self.malformed("a line has a bare carriage return in")));
        }
        if self.received >= LONGEST {
            return Some(Err(self.malformed("its head has no end; it begins with")));
        }
        // The end of the status line is the first one of the head.
        if byte == b'\n' && status(&self.head).is_none() {
            return Some(Err(self.malformed("its status line cannot be read:")));
        }
        if !self.head.ends_with(b"\r\n\r\n") {
            return None;
        }
        Some(match status(&self.head)? {
            101 => Err(TunnelError::Status(101)),
            // The final response follows (RFC 9110, section 15.2).
            100..=199 => {
                self.head.clear();
                return None;
            }
            200..=299 => Ok(()),
            407 => Err(TunnelError::Authorization),
            status => Err(TunnelError::Status(status)),
        })
    }

    /// Returns the error of an answer that ends before its head is complete.
    pub(crate) fn ended(&self) -> TunnelError {
        if self.head.is_empty() {
            return io::Error::from(io::ErrorKind::UnexpectedEof).into();
        }
        self.malformed("it ends in the middle of its head:")
    }

    /// Adds what else has arrived to what an error shows. Nothing of it is a tunnel's.
    pub(crate) fn showing(&mut self, error: TunnelError, rest: &[u8]) -> TunnelError {
        match error {
            TunnelError::Malformed(shown) => {
                let (before, _) = shown.split_once(" \"").unwrap_or((&shown, ""));
                self.head.extend_from_slice(rest);
                self.malformed(before)
            }
            error => error,
        }
    }

    fn malformed(&self, what: &str) -> TunnelError {
        let hint = match self.head.as_slice() {
            // An alert or a handshake record (RFC 8446, section 5.1).
            [0x15 | 0x16, 3, ..] => ". This is TLS: is the proxy's URL https?",
            _ => "",
        };
        TunnelError::Malformed(format!("{what} {}{hint}", self.shown()))
    }

    /// Shows the first line of what came: its beginning, in quotes and with escapes, or nothing of
    /// it if it quotes the credentials.
    fn shown(&self) -> String {
        let line = self.head.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_quoted = self.credentials.as_ref().is_some_and(|credentials| {
            let credentials = credentials.as_bytes();
            let encoded = credentials.strip_prefix(b"Basic ").unwrap_or(credentials);
            line.windows(encoded.len().max(1)).any(|part| part == encoded)
        });
        let cut = if is_quoted { b"[redacted]" } else { &line[..line.len().min(SHOWN)] };
        format!("\"{}\"", cut.escape_ascii())
    }
}

fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(VERSION)?;
    let [b'0' | b'1', b' ', digits @ ..] = rest else { return None };
    let (status, [b' ' | b'\r', ..]) = digits.split_at_checked(3)? else { return None };
    std::str::from_utf8(status).ok()?.parse().ok()
}

const VERSION: &[u8] = b"HTTP/1.";

/// The maximum length of the head of a proxy's response, in bytes.
const LONGEST: usize = 8_192;

/// How many bytes of an answer that is not HTTP are shown, and how many are read for that.
pub(crate) const SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Answer, TunnelError, status};
    use crate::proxy::Proxy;

    #[test]
    fn a_status_line_is_read_strictly() {
        assert_eq!(status(b"HTTP/1.1 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.0 407\r\n\r\n"), Some(407));
        for head in ["HTTP/1.1 2000 OK\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 20\r\n", "SSH-2.0\r\n"]
        {
            assert_eq!(status(head.as_bytes()), None, "{head}");
        }
    }

    /// What an answer comes to, and how many of its bytes were taken by then.
    fn read(text: &[u8]) -> (usize, Option<Result<(), TunnelError>>) {
        let mut answer = Answer::default();
        let outcomes = text.iter().map(|byte| answer.take(*byte));
        let found = outcomes.enumerate().find_map(|(at, outcome)| Some((at + 1, outcome?)));
        found.map_or((text.len(), None), |(at, outcome)| (at, Some(outcome)))
    }

    #[test]
    fn an_answer_is_whole_at_its_empty_line_and_not_before() {
        let text = b"HTTP/1.1 200 OK\r\nvia: x\r\n\r\n";
        assert!(matches!(read(text), (length, Some(Ok(()))) if length == text.len()));
        assert!(matches!(read(&text[..text.len() - 1]), (_, None)));
        let interim = [&b"HTTP/1.1 100 Continue\r\n\r\n"[..], text].concat();
        assert!(matches!(read(&interim), (length, Some(Ok(()))) if length == interim.len()));
        let endless = [b"HTTP/1.1 200 ", &[b'x'; 8_192][..]].concat();
        assert!(matches!(read(&endless), (8_192, Some(Err(TunnelError::Malformed(_))))));
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1_000);
        assert!(matches!(read(&interim), (8_192, Some(Err(TunnelError::Malformed(_))))));
        let switched = read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        assert!(matches!(switched, (_, Some(Err(TunnelError::Status(101))))));
    }

    #[test]
    fn an_answer_that_is_not_http_is_an_error_at_once_that_shows_what_came() {
        for (text, taken, words) in [
            (&b"HTTP/1.1 200 OK\n\n"[..], 16, r#"bare line feed in "HTTP/1.1 200 OK\n""#),
            (b"HTTP/1.1 200 OK\r\nvia: x\n", 24, r#"bare line feed in "HTTP/1.1 200 OK\r\n""#),
            (b"HTTP/1.1 200 OK\rvia", 17, "bare carriage return"),
            (b"HTTP/2 200 OK\r\n", 6, r#"begins with "HTTP/2""#),
            (b"SSH-2.0-x\r\n", 1, r#"begins with "S""#),
            (b"\x15\x03\x01\x00", 1, r#"begins with "\x15""#),
            (b"HTTP/1.1 OK\r\n", 13, r#"cannot be read: "HTTP/1.1 OK\r\n""#),
        ] {
            let (at, outcome) = read(text);
            let error = outcome.unwrap().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert_eq!(at, taken, "{error}");
        }
        let mut answer = Answer::default();
        let error = answer.take(0x15).unwrap().unwrap_err();
        let shown = answer.showing(error, b"\x03\x01\x00\x02").to_string();
        assert!(
            shown
                .ends_with("\"\\x15\\x03\\x01\\x00\\x02\". This is TLS: is the proxy's URL https?")
        );
    }

    #[test]
    fn credentials_that_an_answer_quotes_are_not_shown() {
        let mut answer = Answer::of(&Proxy::new("http://user:canary@proxy:1").unwrap());
        let text = b"HTTP/1.1 200 dXNlcjpjYW5hcnk=\n";
        let error = text.iter().find_map(|byte| answer.take(*byte)).unwrap().unwrap_err();
        assert!(error.to_string().ends_with("line feed in \"[redacted]\""), "{error}");
    }
}
