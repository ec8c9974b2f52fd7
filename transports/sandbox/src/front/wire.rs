//! HTTP/1.1 as a small strict server speaks it: reads one request after another, writes the
//! responses.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderMap, Method, Request, Response};

use super::delivery::{act, end};
use super::incoming::{End, Incoming};
use super::stop::Stop;
use super::whole::Whole;
use crate::delivery::{Break, Delivery, Position};

/// The function that answers a request.
type Answerer<'a> = dyn Fn(&Request<Vec<u8>>) -> Response<Vec<u8>> + 'a;

/// What a connection is served with.
pub(super) struct Service<'a> {
    /// Decides about a request when only its head is known.
    pub(super) before_read: &'a dyn Fn(&Request<Vec<u8>>) -> Option<Delivery>,
    pub(super) answer: &'a Answerer<'a>,
    /// How long a request may take to come in, from its first byte.
    pub(super) request_within: Duration,
    pub(super) stop: &'a Stop,
}

/// Serves a connection until its peer closes it or makes a mistake.
pub(super) fn serve(mut stream: &TcpStream, service: &Service<'_>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut incoming = Incoming::new(stream, service.request_within);
    let mut next: Option<(Position, Break)> = None;
    loop {
        if let Some((Position::BeforeRead, by)) = next {
            return match incoming.arrives()? {
                true => end(by, stream),
                false => Ok(()),
            };
        }
        let before_read = |request: &_| match next {
            None => (service.before_read)(request),
            Some(_) => None,
        };
        let request = match incoming.request(before_read) {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(End::Silent(error)) => return Err(error),
            Err(End::Unread(delivery)) => {
                return act(delivery, stream, service.stop, &Whole::NONE, "");
            }
            Err(End::Answer(status)) => {
                let mut response = Response::new(Vec::new());
                *response.status_mut() = status;
                stream.write_all(&Whole::new(&response, &Method::POST, true).bytes)?;
                return end(Break::Close, stream);
            }
        };
        if let Some((Position::BeforeApply, by)) = next {
            return end(by, stream);
        }
        let mut close = wants_close(request.headers());
        let response = (service.answer)(&request);
        let delivery = match next {
            Some((at, by)) => Some(Delivery::Broken { at, by }),
            None => response.extensions().get().copied(),
        };
        match delivery {
            Some(Delivery::NextBroken { at, by }) => next = Some((at, by)),
            Some(delivery) => {
                let whole = Whole::new(&response, request.method(), true);
                return act(delivery, stream, service.stop, &whole, request.uri().path());
            }
            None => {}
        }
        close |= service.stop.is_stopped();
        stream.write_all(&Whole::new(&response, request.method(), close).bytes)?;
        if close {
            return end(Break::Close, stream);
        }
    }
}

fn wants_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case("close"))
}
