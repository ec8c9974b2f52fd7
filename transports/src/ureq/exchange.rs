//! One exchange over ureq: what a failure proves, and the reply within its bounds.
//!
//! Owns the question whether a request may have left. Knows nothing of connections.

use std::io::{self, Read};

use http::Response;
use imts_core::{Failure, NotSent};
use ureq::{Body, Error};

use super::mask::Covered;
use crate::connect::ConnectError;
use crate::reason::Reason;

/// What a failed request proves.
///
/// It did not leave where our connector brought no connection (nothing else makes a
/// [`ConnectError`], and ureq tries once), or where ureq refused the URL before it asked for one.
/// Whatever happens on a connection proves nothing, however idle it was before.
pub(super) fn failure(error: Error) -> Failure {
    let not_sent = || Failure::not_sent(NotSent::vouch());
    match error {
        Error::Other(error) => match error.downcast::<ConnectError>() {
            Ok(error) if matches!(*error, ConnectError::TimedOut(_)) => {
                not_sent().timed_out().because(Reason::of(&*error))
            }
            Ok(error) => not_sent().because(Reason::of(&*error)),
            Err(error) => Failure::unknown().because(Reason::of(&*error)),
        },
        Error::BadUri(_) | Error::RequireHttpsOnly(_) | Error::HostNotFound => {
            not_sent().because(Reason::of(&error))
        }
        error => lost(&error),
    }
}

/// A failure on a connection.
fn lost(error: &Error) -> Failure {
    match error {
        Error::Timeout(_) => Failure::unknown().timed_out(),
        // Printed as what they hold, without a prefix.
        Error::Io(error) => Failure::unknown().because(Reason::of(error)),
        Error::Other(error) => Failure::unknown().because(Reason::of(&**error)),
        error => Failure::unknown().because(Reason::of(error)),
    }
}

/// Reads a reply's body, at most one byte more than the limit; one that is covered, from under its mask.
pub(super) fn read(
    response: Response<Body>,
    limit: usize,
    cover: Cover,
) -> Result<Response<Vec<u8>>, Failure> {
    let (head, body) = response.into_parts();
    let enough = limit.saturating_add(1);
    // In one piece, as far as the length is known and sensible: a piece that is outgrown leaves
    // a copy of the tokens behind, or has to be wiped.
    let length = body.content_length().and_then(|length| usize::try_from(length).ok());
    let length = length.unwrap_or(USUAL).min(enough).min(AT_ONCE);
    let mut reader = body.into_reader().take(u64::try_from(enough).unwrap_or(u64::MAX));
    match cover {
        Cover::None => {
            let mut bytes = Vec::with_capacity(length);
            match reader.read_to_end(&mut bytes) {
                Ok(_) => Ok(Response::from_parts(head, bytes)),
                Err(error) => Err(lost(&Error::from(error))),
            }
        }
        Cover::Mask(covered) => {
            let covered = covered.ok_or_else(misread)?;
            covered.make_room(length);
            uncover(reader, covered).map(|bytes| Response::from_parts(head, bytes))
        }
    }
}

/// What lies over the body of a reply.
pub(super) enum Cover {
    None,
    /// `None` within, where this thread saw no head.
    Mask(Option<Covered>),
}

fn uncover(mut reader: impl Read, mut covered: Covered) -> Result<Vec<u8>, Failure> {
    let mut shown = [0; 8_192];
    loop {
        match reader.read(&mut shown) {
            Ok(0) => return covered.uncover().ok_or_else(misread),
            Ok(read) => {
                if !shown.get(..read).is_some_and(|bytes| covered.goes_on(bytes)) {
                    return Err(misread());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(lost(&Error::from(error))),
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
