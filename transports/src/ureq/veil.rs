//! Keeps the bodies of replies out of the log.
//!
//! At its level TRACE, ureq's parser hands every byte that it reads to the application's `log`:
//! tokens too. So a body is masked before ureq sees it, and unmasked when ureq gives it back; what
//! is logged in between is noise. What frames a body (heads, sizes of chunks) stays as it is. Were
//! this module ever to read a framing otherwise than ureq, a reply would come out as noise, never as
//! another reply.
//!
//! Owns the place where a body begins. Knows nothing of what a mask is.

use std::mem;

use super::mask::{Mask, Masks};

/// Follows what comes on one connection, and masks what is body.
#[derive(Debug)]
pub(super) struct Veil {
    masks: Masks,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// A head, as far as it has come.
    Head(Vec<u8>),
    /// A body whose end does not show in it.
    Body(Mask),
    Chunked(Mask, Chunk),
}

#[derive(Debug)]
enum Chunk {
    /// The line with its size, as far as it has come.
    Size(Vec<u8>),
    /// So many bytes of it are still to come.
    Data(u64),
    /// The end of its last line.
    End,
    /// What comes after all chunks.
    Trailer,
}

impl Veil {
    pub(super) fn new(masks: Masks) -> Self {
        Self { masks, stage: Stage::Head(Vec::new()) }
    }

    /// A request goes out: what comes next is the head of its reply.
    pub(super) fn restart(&mut self) {
        self.stage = Stage::Head(Vec::new());
    }

    /// Masks what is body in the bytes that came.
    pub(super) fn draw(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let taken = self.step(bytes);
            bytes = mem::take(&mut bytes).get_mut(taken..).unwrap_or_default();
        }
    }

    /// Takes some of the bytes, at least one.
    fn step(&mut self, bytes: &mut [u8]) -> usize {
        match &mut self.stage {
            Stage::Head(head) => {
                let taken = line(head, bytes);
                if is_end(head) {
                    self.stage = after(head, &self.masks);
                } else if head.len() > LONGEST {
                    self.stage = Stage::Body(self.masks.next());
                }
                taken
            }
            Stage::Body(mask) => {
                mask.apply(bytes);
                bytes.len()
            }
            Stage::Chunked(mask, chunk) => chunk.step(mask, bytes),
        }
    }
}

impl Chunk {
    fn step(&mut self, mask: &mut Mask, bytes: &mut [u8]) -> usize {
        match self {
            Self::Size(text) => {
                let taken = line(text, bytes);
                if text.ends_with(b"\n") {
                    *self = match size(text) {
                        Some(0) => Self::Trailer,
                        Some(size) => Self::Data(size),
                        // No size at all: whatever it is, it is not to be read.
                        None => Self::Data(u64::MAX),
                    };
                } else if text.len() > LONGEST {
                    *self = Self::Data(u64::MAX);
                }
                taken
            }
            Self::Data(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                mask.apply(&mut bytes[..taken]);
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::End;
                }
                taken
            }
            Self::End => {
                if bytes[0] == b'\n' {
                    *self = Self::Size(Vec::new());
                }
                1
            }
            Self::Trailer => bytes.len(),
        }
    }
}

/// Takes bytes up to the end of a line.
fn line(into: &mut Vec<u8>, bytes: &[u8]) -> usize {
    let taken = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    into.extend_from_slice(&bytes[..taken]);
    taken
}

/// Whether a head is whole: its last line is empty.
fn is_end(head: &[u8]) -> bool {
    head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n")
}

/// What comes after a whole head.
fn after(head: &[u8], masks: &Masks) -> Stage {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let is_hint = first.split(' ').nth(1).is_some_and(|it| it.starts_with('1') && it != "101");
    let is_chunked = lines.filter_map(|line| line.strip_prefix("transfer-encoding:"));
    let is_chunked = is_chunked.flat_map(|it| it.split(',')).any(|it| it.trim() == "chunked");
    match (is_hint, is_chunked && !first.starts_with("http/1.0")) {
        (true, _) => Stage::Head(Vec::new()),
        (_, true) => Stage::Chunked(masks.next(), Chunk::Size(Vec::new())),
        _ => Stage::Body(masks.next()),
    }
}

fn size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.split(';').next()?;
    u64::from_str_radix(text.trim(), 16).ok()
}

/// The longest head, and the longest line with a size, that are followed.
const LONGEST: usize = super::HEAD + 1;

#[cfg(test)]
mod tests {
    use super::{Masks, Veil};

    /// What is seen of a reply that comes in pieces of this size.
    fn seen(reply: &str, piece: usize) -> String {
        let mut veil = Veil::new(Masks::default());
        let mut bytes = reply.as_bytes().to_vec();
        for piece in bytes.chunks_mut(piece) {
            veil.draw(piece);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn a_body_is_noise_and_its_framing_is_not() {
        let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
        let hint = "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n";
        for piece in [1, 2, 3, 7, 1_000] {
            for head in ["HTTP/1.1 200 OK\r\ncontent-length: 36\r\n\r\n", "HTTP/1.1 200 OK\n\n"] {
                for hints in ["", hint] {
                    let seen = seen(&format!("{hints}{head}{secret}"), piece);
                    assert!(seen.starts_with(&format!("{hints}{head}")), "{piece}: {seen}");
                    assert!(!seen.contains("0123") && !seen.contains("wxyz"), "{piece}: {seen}");
                }
            }
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n";
            let seen = seen(&format!("{head}24;a=b\r\n{secret}\r\n0\r\nt: r\r\n\r\n"), piece);
            assert!(seen.starts_with(&format!("{head}24;a=b\r\n")), "{piece}: {seen}");
            assert!(seen.ends_with("\r\n0\r\nt: r\r\n\r\n"), "{piece}: {seen}");
            assert!(!seen.contains("0123") && !seen.contains("wxyz"), "{piece}: {seen}");
        }
    }
}
