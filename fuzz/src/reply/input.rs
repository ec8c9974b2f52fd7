//! An input of `reply`: a reply's bytes, or the fields of a valid one, changed.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use imts_core::exchange::Purpose;

use crate::changes::{apply, changes, field, object, raw};

/// A reply, and to which exchange.
pub(super) struct Input {
    pub(super) purpose: Purpose,
    pub(super) response: Response<Vec<u8>>,
    pub(super) structured: bool,
}

impl Input {
    /// Reads any bytes; see [`reply`](super) for the forms.
    pub(super) fn parse(data: &[u8]) -> Self {
        if let Some(lines) = data.strip_prefix(b"=") {
            return changed(lines);
        }
        with_head(data).unwrap_or_else(|| {
            let response = json(data.to_vec());
            Self { purpose: Purpose::SignIn, response, structured: false }
        })
    }
}

/// A 200 with a JSON body.
pub(super) fn json(body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn with_head(data: &[u8]) -> Option<Input> {
    let end = data.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, body) = (data.get(..end)?, data.get(end + 2..)?);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (purpose, status) = first.split_once(' ')?;
    let purpose = match purpose {
        "sign-in" => Purpose::SignIn,
        "refresh" => Purpose::Refresh,
        _ => return None,
    };
    let mut response = Response::new(body.to_vec());
    *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).ok()?;
    for line in lines {
        add_header(response.headers_mut(), line)?;
    }
    Some(Input { purpose, response, structured: false })
}

fn add_header(headers: &mut HeaderMap, line: &[u8]) -> Option<()> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(line.get(..colon)?).ok()?;
    let value = HeaderValue::from_bytes(line.get(colon + 1..)?.trim_ascii()).ok()?;
    headers.try_append(name, value).ok().map(drop)
}

fn changed(lines: &[u8]) -> Input {
    let mut outer =
        [raw(b's', "state", &true), field(b't', "response_time", "2025-07-23T11:17:31.577745Z")];
    let mut inner = [
        field(b'a', "access_token", "a.b.c"),
        field(b'r', "refresh_token", "d.e.f"),
        field(b'e', "access_expire_at", "2025-07-23T11:32:31+00:00"),
        field(b'f', "refresh_expire_at", "2025-08-22T11:17:31+00:00"),
    ];
    let (mut more_outer, mut more_inner) = (Vec::new(), Vec::new());
    let mut response = json(Vec::new());
    let mut purpose = Purpose::SignIn;
    for change in changes(lines) {
        match change.letter {
            b'p' => purpose = Purpose::Refresh,
            b'S' => {
                let status = StatusCode::from_bytes(change.rest);
                *response.status_mut() = status.unwrap_or(response.status());
            }
            b'h' => {
                // A content type takes the place of the one that is there.
                if change.rest.to_ascii_lowercase().starts_with(b"content-type:") {
                    response.headers_mut().remove(CONTENT_TYPE);
                }
                let _ = add_header(response.headers_mut(), change.rest);
            }
            b'X' => more_outer.push(change.rest.to_vec()),
            b'x' => more_inner.push(change.rest.to_vec()),
            _ => {
                apply(&mut outer, &change);
                apply(&mut inner, &change);
            }
        }
    }
    let payload = object(&inner, &more_inner);
    more_outer.push([b"\"payload\":", payload.as_slice()].concat());
    *response.body_mut() = object(&outer, &more_outer);
    Input { purpose, response, structured: true }
}
