//! Follows the framing of responses below both HTTP clients, so that both read the same (RFC 9112).
//!
//! Each client parses a head in its own way: one accepts what the other refuses. So the head is
//! read once, here. A well-formed head is passed on in one canonical form. A malformed line that
//! frames nothing is left out. Interim responses are skipped. A response without a certain end is
//! an error. Bodies pass through unchanged.
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

/// Why a response cannot be read. The request was sent: this error proves nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Unreadable {
    #[error("the reply is not HTTP/1.1")]
    Status,
    #[error("the reply's length is malformed or contradictory")]
    Framing,
    #[error("the head of the reply is too long")]
    TooLong,
    #[error("the server switched to another protocol without being asked")]
    Upgrade,
}

/// The responses on one connection.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    stage: Stage,
    head: Head,
}

#[derive(Debug, Default)]
enum Stage {
    /// No request is under way.
    #[default]
    Idle,
    Head,
    /// This many bytes of a body are still to come.
    Body(u64),
    /// A body that ends with the connection.
    Rest,
    Chunks(Chunks),
}

/// What the taken bytes are.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// Part of what is held back or left out.
    Nothing,
    /// A whole head in its canonical form, and the length of the body, if it is known. It replaces
    /// all that was held back.
    Head(&'a [u8], Option<u64>),
    /// Framing in its canonical form.
    Framing(Vec<u8>),
    /// Bytes of a body, to be passed on as they are.
    Body,
}

impl Replies {
    /// Reports that these bytes of a request are being sent. While a response is under way, this
    /// changes nothing.
    pub(crate) fn on_request(&mut self, bytes: &[u8]) {
        if matches!(self.stage, Stage::Idle) && !bytes.is_empty() {
            self.stage = Stage::Head;
            self.head.begin(bytes.starts_with(b"HEAD "));
        }
    }

    /// Returns whether no request is under way.
    #[cfg(feature = "ureq")]
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// Returns how much is still to come of a body of known length.
    #[cfg(feature = "ureq")]
    pub(crate) fn body_left(&self) -> Option<u64> {
        match self.stage {
            Stage::Body(left) => Some(left),
            _ => None,
        }
    }

    /// Reports that this much of that body was received.
    pub(crate) fn body_came(&mut self, amount: usize) {
        if let Stage::Body(left) = &mut self.stage {
            *left = left.saturating_sub(amount as u64);
            if *left == 0 {
                self.stage = Stage::Idle;
            }
        }
    }

    /// Takes some of the received bytes, at least one. Returns how many it took, and what they are.
    ///
    /// # Errors
    ///
    /// Returns [`Unreadable`]: the connection can then no longer be used.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Piece<'_>), Unreadable> {
        match &mut self.stage {
            // Bytes that no request asked for are passed on too: the HTTP client then closes the
            // connection.
            Stage::Idle | Stage::Rest => Ok((bytes.len(), Piece::Body)),
            Stage::Body(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                self.body_came(taken);
                Ok((taken, Piece::Body))
            }
            Stage::Head => {
                let (taken, framing) = self.head.take(bytes)?;
                let Some(framing) = framing else { return Ok((taken, Piece::Nothing)) };
                let (stage, length) = match framing {
                    Framing::Length(0) => (Stage::Idle, None),
                    Framing::Length(length) => (Stage::Body(length), Some(length)),
                    Framing::Chunked => (Stage::Chunks(Chunks::default()), None),
                    Framing::Close => (Stage::Rest, None),
                };
                self.stage = stage;
                Ok((taken, Piece::Head(self.head.text(), length)))
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

#[cfg(test)]
mod tests {
    use super::{Piece, Replies, Unreadable};

    /// Returns the canonical form of one response to a request, or why it cannot be read.
    fn canonical(replies: &mut Replies, reply: &str) -> Result<String, Unreadable> {
        replies.on_request(b"POST / HTTP/1.1\r\n\r\n");
        let (mut bytes, mut text) = (reply.as_bytes(), Vec::new());
        while !bytes.is_empty() {
            let (taken, piece) = replies.take(bytes)?;
            match piece {
                Piece::Nothing => {}
                Piece::Head(head, _) => text.extend_from_slice(head),
                Piece::Framing(framing) => text.extend_from_slice(&framing),
                Piece::Body => text.extend_from_slice(&bytes[..taken]),
            }
            bytes = &bytes[taken..];
        }
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_connection_has_any_number_of_replies_each_with_limits_of_its_own() {
        let mut replies = Replies::default();
        let reply = format!("HTTP/1.1 204 \r\nx: {}\r\n\r\n", "y".repeat(1_000));
        for number in 0..1_000 {
            assert_eq!(canonical(&mut replies, &reply).as_ref(), Ok(&reply), "{number}");
        }
    }

    #[test]
    fn what_has_no_certain_end_is_unreadable() {
        let chunked = |version: u8, rest: &str| {
            format!("HTTP/1.{version} 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{rest}")
        };
        let fifteen = chunked(1, "000000000000001\r\nx\r\n0\r\n\r\n");
        assert!(canonical(&mut Replies::default(), &fifteen).is_ok());
        let trailer = format!("0\r\n{}", "a: b\r\n".repeat(3_000));
        for (reply, why) in [
            (chunked(0, "1\r\nx\r\n0\r\n\r\n"), Unreadable::Framing),
            (chunked(1, "0000000000000001\r\nx\r\n0\r\n\r\n"), Unreadable::Framing),
            (chunked(1, "1;a\rb\r\nx\r\n0\r\n\r\n"), Unreadable::Framing),
            (chunked(1, &trailer), Unreadable::TooLong),
            ("HTTP/1.1 099 \r\n\r\n".to_owned(), Unreadable::Status),
        ] {
            assert_eq!(canonical(&mut Replies::default(), &reply), Err(why), "{reply:.80}");
        }
    }

    #[test]
    fn a_304_has_no_body_whatever_its_length_says() {
        let mut replies = Replies::default();
        let reply = "HTTP/1.1 304 \r\n\r\n";
        let with_length = "HTTP/1.1 304 \r\ncontent-length: 5\r\n\r\n";
        for written in [with_length, reply] {
            assert_eq!(canonical(&mut replies, written).as_deref(), Ok(reply));
        }
    }

    #[test]
    #[cfg(feature = "ureq")]
    fn no_request_is_out_while_nothing_of_it_was_written() {
        let mut replies = Replies::default();
        for (written, is_at_rest) in [("", true), ("POST", false)] {
            replies.on_request(written.as_bytes());
            assert_eq!(replies.is_at_rest(), is_at_rest);
        }
    }
}
