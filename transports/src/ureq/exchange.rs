//! One exchange over ureq: what a failure proves, and the reply within its bounds.
//!
//! Owns the question whether a request may have left. Knows nothing of connections.

use std::io::{self, Read};

use http::Response;
use imts_core::{Failure, NotSent};
use ureq::{Body, Error};

use super::attempt::Attempt;
use super::mask::Covered;
use crate::connect::ConnectError;
use crate::reason::Reason;

/// What a request that failed proves.
///
/// It was not sent if no byte of it was given to a connection: the attempt knows, whatever the error says.
/// An agent of the caller's own has no attempt: there it was not sent if ureq refused the URL before it asked for
/// a connection.
pub(super) fn failure(error: &Error, attempt: Option<&Attempt>) -> Failure {
    let is_not_sent = match attempt {
        Some(attempt) => attempt.is_held(),
        None => {
            matches!(error, Error::BadUri(_) | Error::RequireHttpsOnly(_) | Error::HostNotFound)
        }
    };
    let failure =
        if is_not_sent { Failure::not_sent(NotSent::vouch()) } else { Failure::unknown() };
    because(failure, error)
}

/// A failure, and its reason.
fn because(failure: Failure, error: &Error) -> Failure {
    match error {
        Error::Timeout(_) => failure.timed_out(),
        // Printed as what they hold, without a prefix.
        Error::Io(error) => failure.because(Reason::of(error)),
        Error::Other(error) => match error.downcast_ref() {
            Some(ConnectError::TimedOut(late)) => failure.timed_out().because(Reason::of(late)),
            _ => failure.because(Reason::of(&**error)),
        },
        error => failure.because(Reason::of(error)),
    }
}

/// A reply that broke off: its request has left.
fn lost(error: io::Error) -> Failure {
    because(Failure::unknown(), &Error::from(error))
}

/// Reads a reply's body, at most one byte more than the limit; one that is covered, from under its mask.
pub(super) fn read(
    response: Response<Body>,
    limit: usize,
    cover: Cover,
) -> Result<Response<Vec<u8>>, Failure> {
    let (head, body) = response.into_parts();
    let (enough, length) = (limit.saturating_add(1), body.content_length());
    let mut reader = body.into_reader().take(u64::try_from(enough).unwrap_or(u64::MAX));
    match cover {
        Cover::None => {
            let mut bytes = Vec::with_capacity(room(length, limit));
            match reader.read_to_end(&mut bytes) {
                Ok(_) => Ok(Response::from_parts(head, bytes)),
                Err(error) => Err(lost(error)),
            }
        }
        Cover::Mask(covered) => {
            let covered = covered.ok_or_else(misread)?;
            uncover(reader, covered).map(|bytes| Response::from_parts(head, bytes))
        }
    }
}

/// How much memory is taken for a body before it comes. In one piece, as far as the length is known and
/// sensible: a piece that is outgrown leaves a copy of the tokens behind, or has to be wiped.
pub(super) fn room(length: Option<u64>, limit: usize) -> usize {
    let length = length.map_or(USUAL, |length| usize::try_from(length).unwrap_or(usize::MAX));
    length.min(limit.saturating_add(1)).min(AT_ONCE)
}

/// What lies over the body of a reply.
pub(super) enum Cover {
    None,
    /// `None` within, where this thread saw no head.
    Mask(Option<Covered>),
}

fn uncover(mut reader: impl Read, mut covered: Covered) -> Result<Vec<u8>, Failure> {
    let mut shown = [0; 16_384];
    loop {
        match reader.read(&mut shown) {
            Ok(0) => return covered.uncover().ok_or_else(misread),
            Ok(read) => {
                if !shown.get(..read).is_some_and(|bytes| covered.goes_on(bytes)) {
                    return Err(misread());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(lost(error)),
        }
    }
}

/// Where a body begins or ends was read in two ways: neither is believed.
fn misread() -> Failure {
    Failure::unknown().because(Misread)
}

#[derive(Debug, thiserror::Error)]
#[error("the reply's framing is ambiguous")]
struct Misread;

/// Room for most bodies whose length is not known.
const USUAL: usize = 4_096;

/// The longest body for which memory is taken before it comes.
const AT_ONCE: usize = 1 << 20;
