//! A line of an input: one event.

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};

/// What happens to a call.
pub(super) enum Line {
    Reply {
        response: Response<Vec<u8>>,
        in_turn: bool,
    },
    TransportError {
        not_sent: bool,
        in_turn: bool,
    },
    Bearer,
    NoBearer,
    Recorded(bool),
    Poll,
    /// Both clocks go on, by milliseconds.
    Pass(u32),
    /// The wall clock alone is set, by milliseconds.
    Set(i64),
    Retry,
}

/// A header that waits for its reply.
pub(super) type Header = (HeaderName, HeaderValue);

const SUCCESS: &[u8] = br#"{"state":true,"payload":{"id":17}}"#;

impl Line {
    /// Reads a line; `None` where it is no event. See [`call`](super) for the forms.
    pub(super) fn parse(line: &[u8], headers: &mut Vec<Header>) -> Option<Self> {
        let (letter, rest) = line.split_first()?;
        let in_turn = letter.is_ascii_lowercase();
        Some(match letter {
            b'r' | b'R' => Self::Reply { response: response(rest, headers), in_turn },
            b'f' | b'F' => Self::TransportError { not_sent: true, in_turn },
            b'u' | b'U' => Self::TransportError { not_sent: false, in_turn },
            b'h' => {
                headers.extend(header(rest));
                return None;
            }
            b'b' => Self::Bearer,
            b'n' => Self::NoBearer,
            b'k' => Self::Recorded(true),
            b'x' => Self::Recorded(false),
            b'p' => Self::Poll,
            b'+' => Self::Pass(number(rest)?),
            b'>' => Self::Set(i64::from(number(rest)?)),
            b'<' => Self::Set(-i64::from(number(rest)?)),
            b'y' => Self::Retry,
            _ => return None,
        })
    }
}

fn response(rest: &[u8], headers: &mut Vec<Header>) -> Response<Vec<u8>> {
    let status = rest.get(..3).and_then(|status| StatusCode::from_bytes(status).ok());
    let body = rest.get(4..).filter(|body| !body.is_empty()).unwrap_or(SUCCESS);
    let mut response = Response::new(body.to_vec());
    *response.status_mut() = status.unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in headers.drain(..) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn header(line: &[u8]) -> Option<Header> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
    let value = HeaderValue::from_bytes(line.get(colon + 1..)?.trim_ascii()).ok()?;
    Some((name, value))
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
