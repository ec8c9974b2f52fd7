//! What is to be handed to an HTTP client, of what came on a connection.
//!
//! Owns the bytes in between, tokens among them, and wipes them.

use zeroize::Zeroizing;

use super::{Piece, Replies, Unreadable};
use crate::hub::wipe;

/// Sees the replies of a connection before they are handed on.
pub(crate) trait Watch {
    /// A head was read: what follows is the body of another reply.
    fn head(&mut self);

    /// Some of a body.
    fn body(&mut self, bytes: &mut [u8]);
}

/// Nobody watches.
impl Watch for () {
    fn head(&mut self) {}

    fn body(&mut self, _: &mut [u8]) {}
}

/// The replies of one connection, on their way to an HTTP client.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    replies: Replies,
    ready: Zeroizing<Vec<u8>>,
    handed: usize,
}

impl Reading {
    /// These bytes of a request went out.
    pub(crate) fn on_request(&mut self, bytes: &[u8]) {
        self.replies.on_request(bytes);
    }

    /// Whether each request has had its reply, and nothing waits to be handed on.
    #[cfg(feature = "ureq")]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.replies.is_at_rest() && self.ready.is_empty()
    }

    /// Takes what came. Each part is shown before it can be handed on.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]: the connection is of no more use.
    pub(crate) fn take(
        &mut self,
        mut bytes: &mut [u8],
        watch: &mut impl Watch,
    ) -> Result<(), Unreadable> {
        while !bytes.is_empty() {
            let (taken, piece) = self.replies.take(bytes)?;
            let (now, later) = std::mem::take(&mut bytes).split_at_mut(taken);
            bytes = later;
            match piece {
                Piece::Nothing => {}
                Piece::Head(text) => {
                    watch.head();
                    append(&mut self.ready, text);
                }
                Piece::Framing(text) => append(&mut self.ready, &text),
                Piece::Body => {
                    watch.body(now);
                    append(&mut self.ready, now);
                }
            }
        }
        Ok(())
    }

    /// Hands on what is ready, as much as there is room for; how much that was.
    pub(crate) fn hand_on(&mut self, room: &mut [u8]) -> usize {
        let ready = self.ready.get(self.handed..).unwrap_or_default();
        let amount = ready.len().min(room.len());
        let (Some(room), Some(ready)) = (room.get_mut(..amount), ready.get(..amount)) else {
            return 0;
        };
        room.copy_from_slice(ready);
        self.handed += amount;
        if self.handed == self.ready.len() {
            wipe(&mut self.ready);
            self.handed = 0;
        }
        amount
    }
}

/// Appends without leaving a copy behind where memory is outgrown.
fn append(ready: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let length = ready.len().saturating_add(bytes.len());
    if length > ready.capacity() {
        let mut more = Zeroizing::new(Vec::with_capacity(length.saturating_mul(2)));
        more.extend_from_slice(ready);
        *ready = more;
    }
    ready.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::{Reading, Watch};

    /// Hides each body, and counts heads.
    #[derive(Default)]
    struct Hiding(usize);

    impl Watch for Hiding {
        fn head(&mut self) {
            self.0 += 1;
        }

        fn body(&mut self, bytes: &mut [u8]) {
            bytes.fill(b'*');
        }
    }

    /// What is handed on of replies that come in pieces of this size, each to a request.
    fn handed_on(replies: &[&str], piece: usize) -> String {
        let (mut reading, mut hiding) = (Reading::default(), Hiding::default());
        let (mut text, mut room) = (Vec::new(), [0; 3]);
        for reply in replies {
            reading.on_request(b"POST / HTTP/1.1\r\n\r\n");
            for piece in reply.as_bytes().to_vec().chunks_mut(piece) {
                reading.take(piece, &mut hiding).unwrap();
                // A request's body that goes out meanwhile changes nothing.
                reading.on_request(b"{}");
                loop {
                    let handed = reading.hand_on(&mut room);
                    if handed == 0 {
                        break;
                    }
                    text.extend_from_slice(&room[..handed]);
                }
            }
        }
        assert_eq!(hiding.0, replies.len());
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_reply_is_the_same_however_it_is_cut_and_what_is_no_body_is_seen() {
        let sized = "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n\
                     HTTP/1.1 200 OK\nX-Broken : a\nX-Folded:a\n\tb\nContent-Length: 06\n\nsecret";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding:Chunked\r\n\r\n\
                       0006;a=b\r\nsecret\r\n0\r\nt: r\r\n\r\n";
        let open = "HTTP/1.0 200 OK\r\n\r\nsecret";
        for piece in [1, 2, 3, 7, 1_000] {
            assert_eq!(
                handed_on(&[sized, chunked, open], piece),
                "HTTP/1.1 200 \r\nX-Folded: a b\r\ncontent-length: 6\r\n\r\n******\
                 HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n6\r\n******\r\n0\r\n\r\n\
                 HTTP/1.0 200 \r\n\r\n******",
                "pieces of {piece}"
            );
        }
    }

    #[test]
    fn what_nobody_asked_for_is_passed_on() {
        let mut reading = Reading::default();
        reading.take(&mut b"HTTP/1.1 200".to_vec(), &mut ()).unwrap();
        let mut room = [0; 64];
        assert_eq!(reading.hand_on(&mut room), 12);
    }
}
