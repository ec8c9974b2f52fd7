//! Follows the framing of replies below both HTTP clients, so that both read the same (RFC 9112).
//!
//! Each client parses a head in a way of its own: what one forgives, the other refuses. Here a head
//! is read once. What is well-formed is handed on in one canonical form; a malformed line that frames
//! nothing is left out; interim replies are skipped; a reply whose end is not certain is an error.
//! Bodies pass through unchanged.
//!
//! Owns the places where a head, a body and a chunk begin and end. Does no I/O.

mod chunk;
mod head;
mod reading;

use thiserror::Error;

use self::chunk::Chunks;
use self::head::{Framing, Head};
#[cfg(feature = "ureq")]
pub(crate) use self::reading::wipe_in_place;
pub(crate) use self::reading::{Onward, Reading};

/// Why a reply cannot be read. The request has left: this proves nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Unreadable {
    #[error("the reply is not HTTP/1.1")]
    Status,
    #[error("the reply's length is given in a malformed or contradictory way")]
    Framing,
    #[error("the head of the reply is too long")]
    TooLong,
    #[error("the server switched to another protocol, unasked")]
    Upgrade,
}

/// The replies that come on one connection.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    stage: Stage,
    head: Head,
}

#[derive(Debug, Default)]
enum Stage {
    /// No request is out.
    #[default]
    Idle,
    Head,
    /// So many bytes of a body are still to come.
    Body(u64),
    /// A body that ends with the connection.
    Rest,
    Chunks(Chunks),
}

/// What the bytes taken are.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// Part of what is held back or left out.
    Nothing,
    /// A whole head in its canonical form: it replaces all that was held back.
    Head(&'a [u8]),
    /// Framing in its canonical form.
    Framing(Vec<u8>),
    /// Bytes of a body, to be passed on as they are.
    Body,
}

impl Replies {
    /// These bytes of a request go out. While a reply is under way they change nothing.
    pub(crate) fn on_request(&mut self, bytes: &[u8]) {
        if matches!(self.stage, Stage::Idle) && !bytes.is_empty() {
            self.stage = Stage::Head;
            self.head.begin(bytes.starts_with(b"HEAD "));
        }
    }

    /// Whether no request is out.
    #[cfg(feature = "ureq")]
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// How much is still to come of a body of known length.
    pub(crate) fn body_left(&self) -> Option<u64> {
        match self.stage {
            Stage::Body(left) => Some(left),
            _ => None,
        }
    }

    /// So much of that body came.
    pub(crate) fn body_came(&mut self, amount: usize) {
        if let Stage::Body(left) = &mut self.stage {
            *left = left.saturating_sub(amount as u64);
            if *left == 0 {
                self.stage = Stage::Idle;
            }
        }
    }

    /// Takes some of the bytes that came, at least one: how many, and what they are.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]: the connection is of no more use.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Piece<'_>), Unreadable> {
        match &mut self.stage {
            // What nobody asked for is passed on too: the HTTP client closes the connection then.
            Stage::Idle | Stage::Rest => Ok((bytes.len(), Piece::Body)),
            Stage::Body(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                self.body_came(taken);
                Ok((taken, Piece::Body))
            }
            Stage::Head => {
                let (taken, framing) = self.head.take(bytes)?;
                let Some(framing) = framing else { return Ok((taken, Piece::Nothing)) };
                self.stage = match framing {
                    Framing::Length(0) => Stage::Idle,
                    Framing::Length(length) => Stage::Body(length),
                    Framing::Chunked => Stage::Chunks(Chunks::default()),
                    Framing::Close => Stage::Rest,
                };
                Ok((taken, Piece::Head(self.head.text())))
            }
            Stage::Chunks(chunks) => {
                let (taken, piece) = chunks.take(bytes)?;
                if chunks.is_over() {
                    self.stage = Stage::Idle;
                }
                Ok((taken, piece))
            }
        }
    }
}
