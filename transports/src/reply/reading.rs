//! Passes what was received on a connection on to an HTTP client.
//!
//! Owns the bytes in between, among them tokens, and wipes them.

use std::hint::black_box;

use zeroize::Zeroizing;

use super::{Piece, Replies, Unreadable};
use crate::wipe::wipe;

/// Receives what is passed on.
pub(crate) trait Onward {
    /// Returns how many bytes it still takes.
    fn room(&self) -> usize;

    /// Reports that a head was read: the body of another response follows, of this length if it is
    /// known.
    fn head(&mut self, length: Option<u64>);

    /// Takes a part of a head, or of the framing of a body.
    fn text(&mut self, bytes: &[u8]);

    /// Takes a part of a body.
    fn body(&mut self, bytes: &[u8]);
}

/// The responses of one connection, on their way to an HTTP client.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    replies: Replies,
    /// The bytes that were read from the connection. Its memory is allocated when it is first
    /// needed.
    came: Zeroizing<Vec<u8>>,
    /// Where in `came` the bytes begin that were not read yet.
    at: usize,
    end: usize,
    /// Heads and framing, to be passed on before the bytes in `came`.
    ready: Zeroizing<Vec<u8>>,
    handed: usize,
}

impl Reading {
    /// Reports that these bytes of a request were sent.
    pub(crate) fn on_request(&mut self, bytes: &[u8]) {
        self.replies.on_request(bytes);
    }

    /// Returns whether each request has had its response, and nothing waits to be passed on.
    #[cfg(feature = "ureq")]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.replies.is_at_rest() && self.is_empty()
    }

    /// Returns the buffer to read the next bytes into; report their number to [`came`](Self::came).
    /// All that was read before must have been passed on.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.came.is_empty() {
            self.came.resize(PIECE, 0);
        }
        &mut self.came
    }

    /// Reports that this many bytes were received.
    pub(crate) fn came(&mut self, amount: usize) {
        (self.at, self.end) = (0, amount.min(self.came.len()));
    }

    /// Returns how much may be read past this buffer, as bytes of a body and nothing else. Returns
    /// 0 while something waits to be passed on. Report what is read this way to
    /// [`passed`](Self::passed).
    #[cfg(feature = "ureq")]
    pub(crate) fn body_ahead(&self) -> usize {
        let left = self.replies.body_left().filter(|_| self.is_empty());
        left.map_or(0, |left| usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// Reports that this much of a body was read past this buffer.
    #[cfg(feature = "ureq")]
    pub(crate) fn passed(&mut self, amount: usize) {
        self.replies.body_came(amount);
    }

    /// Passes on what was received, as far as there is room. Returns whether that was anything; if
    /// not, more must be received.
    ///
    /// # Errors
    ///
    /// Returns [`Unreadable`]: the connection can then no longer be used.
    pub(crate) fn hand_on(&mut self, to: &mut impl Onward) -> Result<bool, Unreadable> {
        let before = to.room();
        loop {
            if !self.ready.is_empty() {
                self.hand_on_text(to);
            }
            let end = self.end.min(self.at.saturating_add(to.room()));
            let Some(bytes) = self.came.get_mut(self.at..end).filter(|it| !it.is_empty()) else {
                return Ok(to.room() < before);
            };
            let (taken, piece) = self.replies.take(bytes)?;
            let bytes = bytes.get_mut(..taken).unwrap_or_default();
            match piece {
                Piece::Nothing => {}
                Piece::Head(text, length) => {
                    to.head(length);
                    if self.ready.is_empty() && text.len() <= to.room() {
                        to.text(text);
                    } else {
                        append(&mut self.ready, text);
                    }
                }
                Piece::Framing(text) => append(&mut self.ready, &text),
                Piece::Body => to.body(bytes),
            }
            wipe_in_place(bytes);
            self.at = self.at.saturating_add(taken);
        }
    }

    #[cfg(feature = "ureq")]
    fn is_empty(&self) -> bool {
        self.at == self.end && self.ready.is_empty()
    }

    fn hand_on_text(&mut self, to: &mut impl Onward) {
        let ready = self.ready.get(self.handed..).unwrap_or_default();
        let amount = ready.len().min(to.room());
        to.text(ready.get(..amount).unwrap_or_default());
        self.handed = self.handed.saturating_add(amount);
        if self.handed == self.ready.len() {
            wipe(&mut self.ready);
            self.handed = 0;
        }
    }
}

/// Appends without leaving a copy behind in memory that has become too small.
fn append(ready: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let length = ready.len().saturating_add(bytes.len());
    if length > ready.capacity() {
        let mut more = Zeroizing::new(Vec::with_capacity(length.saturating_mul(2)));
        more.extend_from_slice(ready);
        *ready = more;
    }
    ready.extend_from_slice(bytes);
}

/// Wipes bytes in a buffer that stays in use, at once and not byte by byte. A compiler may not
/// leave out a write to memory that is still to be read.
pub(crate) fn wipe_in_place(bytes: &mut [u8]) {
    black_box(bytes).fill(0);
}

/// How much is read at once: most responses with their head.
const PIECE: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::{Onward, Reading};

    /// Has little room, hides each body, and counts heads.
    struct Hiding<'a> {
        text: &'a mut Vec<u8>,
        lengths: &'a mut Vec<Option<u64>>,
        room: usize,
    }

    impl Onward for Hiding<'_> {
        fn room(&self) -> usize {
            self.room
        }

        fn head(&mut self, length: Option<u64>) {
            self.lengths.push(length);
        }

        fn text(&mut self, bytes: &[u8]) {
            self.room = self.room.checked_sub(bytes.len()).unwrap();
            self.text.extend_from_slice(bytes);
        }

        fn body(&mut self, bytes: &[u8]) {
            self.text(&vec![b'*'; bytes.len()]);
        }
    }

    /// Returns what is passed on of responses that come in pieces of this size, each to a request;
    /// and the lengths of their bodies.
    fn handed_on(replies: &[&str], piece: usize) -> (String, Vec<Option<u64>>) {
        let mut reading = Reading::default();
        let (mut text, mut lengths) = (Vec::new(), Vec::new());
        for reply in replies {
            reading.on_request(b"POST / HTTP/1.1\r\n\r\n");
            for piece in reply.as_bytes().chunks(piece) {
                reading.space()[..piece.len()].copy_from_slice(piece);
                reading.came(piece.len());
                // Sending a request's body meanwhile changes nothing.
                reading.on_request(b"{}");
                let mut hand_on = || {
                    let (text, lengths) = (&mut text, &mut lengths);
                    reading.hand_on(&mut Hiding { text, lengths, room: 3 }).unwrap()
                };
                while hand_on() {}
                assert!(reading.came.iter().all(|byte| *byte == 0), "it is wiped");
            }
        }
        (String::from_utf8(text).unwrap(), lengths)
    }

    #[test]
    fn a_reply_is_the_same_however_it_is_cut_and_what_is_no_body_is_seen() {
        let sized = "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n\
                     HTTP/1.1 200 OK\nX-Broken : a\nX-Folded:a\n\tb\nContent-Length: 06\n\nsecret";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding:Chunked\r\n\r\n\
                       0006;a=b\r\nsecret\r\n0\r\nt: r\r\n\r\n";
        let open = "HTTP/1.0 200 OK\r\n\r\nsecret";
        for piece in [1, 2, 3, 7, 1_000] {
            let (text, lengths) = handed_on(&[sized, chunked, open], piece);
            assert_eq!(
                text,
                "HTTP/1.1 200 \r\nX-Folded: a b\r\ncontent-length: 6\r\n\r\n******\
                 HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n6\r\n******\r\n0\r\n\r\n\
                 HTTP/1.0 200 \r\n\r\n******",
                "pieces of {piece}"
            );
            assert_eq!(lengths, [Some(6), None, None], "pieces of {piece}");
        }
    }

    #[test]
    fn what_nobody_asked_for_is_passed_on() {
        assert_eq!(handed_on(&[], 1).0, "");
        let mut reading = Reading::default();
        reading.space()[..12].copy_from_slice(b"HTTP/1.1 200");
        reading.came(12);
        let (text, lengths) = (&mut Vec::new(), &mut Vec::new());
        assert!(reading.hand_on(&mut Hiding { text, lengths, room: 64 }).unwrap());
        assert_eq!(text, b"************");
    }

    #[test]
    #[cfg(feature = "ureq")]
    fn only_a_body_of_known_length_is_read_past_it_and_only_once_all_before_it_is_handed_on() {
        let (mut text, mut lengths) = (Vec::new(), Vec::new());
        let mut reading = Reading::default();
        assert_eq!(reading.body_ahead(), 0);
        reading.on_request(b"POST / HTTP/1.1\r\n\r\n");
        let came = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabcd";
        reading.space()[..came.len()].copy_from_slice(came);
        reading.came(came.len());
        for room in [20, 17, 3] {
            let (text, lengths) = (&mut text, &mut lengths);
            assert!(reading.hand_on(&mut Hiding { text, lengths, room }).unwrap());
            assert_eq!(reading.body_ahead(), 0, "something waits");
        }
        let (text, lengths) = (&mut text, &mut lengths);
        assert!(reading.hand_on(&mut Hiding { text, lengths, room: 9 }).unwrap());
        assert_eq!(reading.body_ahead(), 6);
        reading.passed(4);
        assert_eq!(reading.body_ahead(), 2);
        assert!(!reading.is_at_rest());
        reading.passed(2);
        assert!(reading.is_at_rest() && reading.body_ahead() == 0);
    }
}
