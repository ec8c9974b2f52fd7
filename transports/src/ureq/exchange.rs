//! One exchange over ureq: what a failure proves, and the response within its bounds.
//!
//! Owns the decision whether a request may have been sent. Does not know about connections.

use std::io::{self, Read};

use http::Response;
use imts_core::TransportError;
use imts_core::transport_error::NotSent;
use ureq::{Body, Error};

use super::attempt::Attempt;
use super::mask::Covered;
use crate::connect::ConnectError;
use crate::reason::Reason;

/// Returns what a failed request proves.
///
/// The request was not sent if no byte of it was given to a connection: the attempt knows, whatever
/// the error says. A caller's own agent has no attempt. Then the request was not sent if ureq
/// refused the URL before it asked for a connection.
pub(super) fn failure(error: &Error, attempt: Option<&Attempt>) -> TransportError {
    let is_not_sent = match attempt {
        Some(attempt) => attempt.is_held(),
        None => {
            matches!(error, Error::BadUri(_) | Error::RequireHttpsOnly(_) | Error::HostNotFound)
        }
    };
    let failure = if is_not_sent {
        TransportError::not_sent(NotSent::vouch())
    } else {
        TransportError::unknown()
    };
    because(failure, error)
}

/// Adds its reason to a failure.
fn because(failure: TransportError, error: &Error) -> TransportError {
    match error {
        Error::Timeout(_) => failure.timed_out(),
        // These errors are printed as what they hold, without a prefix.
        Error::Io(error) => failure.because(Reason::of(error)),
        Error::Other(error) => match error.downcast_ref() {
            Some(ConnectError::TimedOut(late)) => failure.timed_out().because(Reason::of(late)),
            _ => failure.because(Reason::of(&**error)),
        },
        error => failure.because(Reason::of(error)),
    }
}

/// Returns the failure for a response that broke off: its request was sent.
fn lost(error: io::Error) -> TransportError {
    because(TransportError::unknown(), &Error::from(error))
}

/// Reads a response's body, at most one byte more than the limit. If a mask covers the body, reads
/// it from under the mask.
pub(super) fn read(
    response: Response<Body>,
    limit: usize,
    cover: Cover,
) -> Result<Response<Vec<u8>>, TransportError> {
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
            // Zeroed memory that is not needed would cost a short response a tenth of its time.
            let bytes = match length {
                Some(..=2_048) => uncover::<2_048>(reader, covered),
                _ => uncover::<16_384>(reader, covered),
            };
            bytes.map(|bytes| Response::from_parts(head, bytes))
        }
    }
}

/// Returns how much memory is allocated for a body before it is received. It is allocated once, if
/// the length is known and sensible. A buffer that has become too small leaves a copy of the tokens
/// behind, or must be wiped.
pub(super) fn room(length: Option<u64>, limit: usize) -> usize {
    let length = length.map_or(USUAL, |length| usize::try_from(length).unwrap_or(usize::MAX));
    length.min(limit.saturating_add(1)).min(AT_ONCE)
}

/// What covers the body of a response.
pub(super) enum Cover {
    None,
    /// The inner value is `None` if this thread saw no head.
    Mask(Option<Covered>),
}

/// Reads a mask to its end, and returns what it covers. `N` is how much is read at once.
fn uncover<const N: usize>(
    mut reader: impl Read,
    mut covered: Covered,
) -> Result<Vec<u8>, TransportError> {
    let mut shown = [0; N];
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

/// Returns the failure if the beginning or end of a body was read in two ways: neither is believed.
fn misread() -> TransportError {
    TransportError::unknown().because(Misread)
}

#[derive(Debug, thiserror::Error)]
#[error("the reply's length is ambiguous")]
struct Misread;

/// The memory, in bytes, that is enough for most bodies whose length is not known.
const USUAL: usize = 4_096;

/// The longest body, in bytes, for which memory is allocated before it is received.
const AT_ONCE: usize = 1 << 20;
