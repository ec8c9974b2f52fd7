//! Reads a body in chunks (RFC 9112, section 7.1). Extensions and trailers are left out.

use super::{Piece, Unreadable};

#[derive(Debug)]
pub(super) enum Chunks {
    /// The line with the size of a chunk, as far as it was received.
    Size(Vec<u8>),
    /// This many bytes of the chunk are still to come.
    Data(u64),
    /// The end of the line after it, as far as it was received.
    End(Vec<u8>),
    /// The lines after the last chunk: the one that has begun, and the length of all of them.
    Trailer(Vec<u8>, usize),
    Over,
}

impl Default for Chunks {
    fn default() -> Self {
        Self::Size(Vec::new())
    }
}

impl Chunks {
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Piece<'static>), Unreadable> {
        match self {
            Self::Size(line) => {
                let (taken, is_whole) = line_of(line, bytes)?;
                if !is_whole {
                    return Ok((taken, Piece::Nothing));
                }
                let size = size(line)?;
                if size == 0 {
                    *self = Self::Trailer(Vec::new(), 0);
                    return Ok((taken, Piece::Nothing));
                }
                *self = Self::Data(size);
                Ok((taken, Piece::Framing(format!("{size:x}\r\n").into_bytes())))
            }
            Self::Data(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                if *left == 0 {
                    *self = Self::End(Vec::new());
                }
                Ok((taken, Piece::Body))
            }
            Self::End(line) => {
                let (taken, is_whole) = line_of(line, bytes)?;
                if line.len() > 2 || (is_whole && !content(line).is_empty()) {
                    return Err(Unreadable::Framing);
                }
                if !is_whole {
                    return Ok((taken, Piece::Nothing));
                }
                *self = Self::default();
                Ok((taken, Piece::Framing(b"\r\n".to_vec())))
            }
            Self::Trailer(line, length) => {
                let (taken, is_whole) = line_of(line, bytes)?;
                *length += taken;
                if *length > LONGEST {
                    return Err(Unreadable::TooLong);
                }
                if !is_whole {
                    return Ok((taken, Piece::Nothing));
                }
                if !content(line).is_empty() {
                    line.clear();
                    return Ok((taken, Piece::Nothing));
                }
                *self = Self::Over;
                Ok((taken, Piece::Framing(b"0\r\n\r\n".to_vec())))
            }
            Self::Over => Err(Unreadable::Framing),
        }
    }
}

/// Takes bytes up to the end of a line. Returns how many, and whether the line is whole.
fn line_of(line: &mut Vec<u8>, bytes: &[u8]) -> Result<(usize, bool), Unreadable> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let taken = end.map_or(bytes.len(), |at| at + 1);
    line.extend(bytes.iter().take(taken));
    if line.len() > LONGEST { Err(Unreadable::TooLong) } else { Ok((taken, end.is_some())) }
}

/// Returns a line without its end.
pub(super) fn content(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Reads the size in a line: hexadecimal digits, then only blanks or an extension.
fn size(line: &[u8]) -> Result<u64, Unreadable> {
    let line = content(line);
    if line.contains(&b'\r') {
        return Err(Unreadable::Framing);
    }
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    if size.is_empty() || size.len() > 15 || !size.iter().all(u8::is_ascii_hexdigit) {
        return Err(Unreadable::Framing);
    }
    let size = std::str::from_utf8(size).map_err(|_| Unreadable::Framing)?;
    u64::from_str_radix(size, 16).map_err(|_| Unreadable::Framing)
}

/// The longest line with a size, and the longest trailer, in bytes.
const LONGEST: usize = 16_384;
