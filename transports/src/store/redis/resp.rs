//! Commands and replies in Redis' protocol (RESP, version 2).
//!
//! Owns the bounds of a reply, which are checked before the codec sees a byte, and the memory of
//! both: it is wiped. Does no I/O, and does not know what a command means.

use std::fmt;

use redis_protocol::resp2::decode::decode_range;
use redis_protocol::resp2::encode::encode_borrowed;
use redis_protocol::resp2::types::{BorrowedFrame, RangeFrame};
use zeroize::Zeroizing;

use super::error::RedisError;

/// A reply of a Redis server. `Debug` prints no byte of it, since a reply may hold tokens.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedisValue {
    /// Nothing: a null of either kind.
    Nil,
    /// A whole number.
    Integer(i64),
    /// A string, of either kind. It is wiped from memory on drop.
    Bytes(Zeroizing<Vec<u8>>),
    /// The server's error, such as `NOSCRIPT No matching script.`
    Error(String),
    /// A list.
    Array(Vec<RedisValue>),
}

impl RedisValue {
    /// Makes a string of bytes.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(Zeroizing::new(bytes.into()))
    }

    /// Reads the reply at the start of these bytes, and returns its length too; `None` if more bytes
    /// must come. A reply has at most 262,144 bytes. A list has at most 64 items, and none of them
    /// is a list.
    ///
    /// # Errors
    ///
    /// Returns [`RedisError::NotAReply`] or [`RedisError::TooLarge`].
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, RedisError> {
        let Some(length) = measure(bytes)? else { return Ok(None) };
        let reply = bytes.get(..length).ok_or(RedisError::NotAReply)?;
        match decode_range(reply) {
            Ok(Some((frame, read))) if read == length => Ok(Some((Self::of(&frame, reply)?, read))),
            _ => Err(RedisError::NotAReply),
        }
    }

    fn of(frame: &RangeFrame, reply: &[u8]) -> Result<Self, RedisError> {
        let of = |(from, to): (usize, usize)| reply.get(from..to).ok_or(RedisError::NotAReply);
        Ok(match frame {
            RangeFrame::Null => Self::Nil,
            RangeFrame::Integer(number) => Self::Integer(*number),
            RangeFrame::SimpleString(range) | RangeFrame::BulkString(range) => {
                Self::bytes(of(*range)?)
            }
            RangeFrame::Error(range) => {
                Self::Error(String::from_utf8_lossy(of(*range)?).into_owned())
            }
            RangeFrame::Array(items) => {
                let items = items.iter().map(|item| Self::of(item, reply));
                Self::Array(items.collect::<Result<_, _>>()?)
            }
        })
    }

    /// Returns the text of a string, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

impl fmt::Debug for RedisValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("Nil"),
            Self::Integer(_) => f.write_str("Integer(..)"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Error(_) => f.write_str("Error(..)"),
            Self::Array(items) => f.debug_tuple("Array").field(items).finish(),
        }
    }
}

/// Writes a command as the protocol has it. The memory is wiped on drop.
pub(super) fn command(parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, RedisError> {
    let parts: Vec<_> = parts.iter().map(|part| BorrowedFrame::BulkString(part)).collect();
    let frame = BorrowedFrame::Array(&parts);
    let mut bytes = Zeroizing::new(vec![0; frame.encode_len(false)]);
    match encode_borrowed(&mut bytes, &frame, false) {
        Ok(written) if written == bytes.len() => Ok(bytes),
        _ => Err(RedisError::TooLarge),
    }
}

/// Returns how long the reply at the start of these bytes is, once all of it is there.
fn measure(bytes: &[u8]) -> Result<Option<usize>, RedisError> {
    let (mut at, mut left, mut is_in_list) = (0_usize, 1_u64, false);
    while left > 0 {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(line) = rest.windows(2).position(|pair| pair == b"\r\n") else {
            return if bytes.len() > LONGEST { Err(RedisError::TooLarge) } else { Ok(None) };
        };
        let (kind, text) = match rest.get(..line) {
            Some([kind, text @ ..]) => (*kind, text),
            _ => return Err(RedisError::NotAReply),
        };
        at = at.saturating_add(line).saturating_add(2);
        left -= 1;
        match kind {
            b'+' | b'-' => {}
            b':' => _ = number(text)?,
            b'$' => {
                if let Some(length) = length(text)? {
                    let end = at.saturating_add(length);
                    match bytes.get(end..end.saturating_add(2)) {
                        _ if length > LONGEST => return Err(RedisError::TooLarge),
                        Some(b"\r\n") => {}
                        Some(_) => return Err(RedisError::NotAReply),
                        None if end > LONGEST => return Err(RedisError::TooLarge),
                        None => return Ok(None),
                    }
                    at = end.saturating_add(2);
                }
            }
            b'*' if is_in_list => return Err(RedisError::TooLarge),
            b'*' => {
                is_in_list = true;
                let items = length(text)?.unwrap_or_default();
                if items > MOST_ITEMS {
                    return Err(RedisError::TooLarge);
                }
                left = items as u64;
            }
            _ => return Err(RedisError::NotAReply),
        }
    }
    if at > LONGEST { Err(RedisError::TooLarge) } else { Ok(Some(at)) }
}

/// Reads the length of a string or a list; `None` for nothing.
fn length(text: &[u8]) -> Result<Option<usize>, RedisError> {
    match number(text)? {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| RedisError::NotAReply),
    }
}

fn number(text: &[u8]) -> Result<i64, RedisError> {
    let text = str::from_utf8(text).map_err(|_| RedisError::NotAReply)?;
    text.parse().map_err(|_| RedisError::NotAReply)
}

/// The longest reply, in bytes.
pub(super) const LONGEST: usize = 262_144;

/// The most items of a list.
const MOST_ITEMS: usize = 64;

#[cfg(test)]
mod tests {
    use super::{LONGEST, RedisError, RedisValue, command};

    fn read(bytes: &[u8]) -> Result<Option<(RedisValue, usize)>, RedisError> {
        RedisValue::read(bytes)
    }

    #[test]
    fn each_kind_of_reply_is_read_and_its_length_is_known() {
        let nil = RedisValue::Nil;
        let list = RedisValue::Array(vec![RedisValue::bytes("a\r\nb"), nil.clone()]);
        for (bytes, value) in [
            ("+OK\r\n", RedisValue::bytes("OK")),
            ("-ERR no\r\n", RedisValue::Error("ERR no".to_owned())),
            (":-7\r\n", RedisValue::Integer(-7)),
            ("$0\r\n\r\n", RedisValue::bytes("")),
            ("$-1\r\n", nil.clone()),
            ("*-1\r\n", nil),
            ("*0\r\n", RedisValue::Array(Vec::new())),
            ("*2\r\n$4\r\na\r\nb\r\n$-1\r\n", list),
        ] {
            let more = format!("{bytes}+more");
            assert_eq!(read(more.as_bytes()), Ok(Some((value, bytes.len()))), "{bytes:?}");
            for length in 0..bytes.len() {
                assert_eq!(
                    read(&bytes.as_bytes()[..length]),
                    Ok(None),
                    "{bytes:?}, cut at {length}"
                );
            }
        }
    }

    #[test]
    fn a_reply_that_is_too_long_too_wide_or_too_deep_is_refused_before_it_has_come() {
        let line = format!("+{}", "x".repeat(LONGEST));
        let whole = format!("${LONGEST}\r\n{}\r\n", "x".repeat(LONGEST));
        for bytes in [
            "$262145\r\n",
            "$9223372036854775807\r\n",
            "*65\r\n",
            "*9223372036854775807\r\n",
            "*1\r\n*1\r\n",
            &line,
            &whole,
            &format!("*2\r\n$262100\r\n{}\r\n$100\r\n", "x".repeat(262_100)),
        ] {
            assert_eq!(read(bytes.as_bytes()), Err(RedisError::TooLarge), "{bytes:.30}");
        }
    }

    #[test]
    fn what_is_not_a_reply_is_refused() {
        for bytes in [
            "HTTP/1.1 400 Bad Request\r\n",
            "\r\n",
            ":1x\r\n",
            "$-2\r\n",
            "$1\r\nxyz",
            "*-2\r\n",
            "%1\r\n",
        ] {
            assert_eq!(read(bytes.as_bytes()), Err(RedisError::NotAReply), "{bytes:?}");
        }
    }

    #[test]
    fn a_command_is_a_list_of_strings_with_any_bytes() {
        let bytes = command(&[b"SET", b"", b"\r\n\0\xff"]).unwrap();
        assert_eq!(&bytes[..], b"*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\0\xff\r\n");
    }

    #[test]
    fn debug_prints_nothing_of_a_reply() {
        let values = [RedisValue::bytes("canary"), RedisValue::Error("canary".to_owned())];
        let text = format!("{:?}", RedisValue::Array(values.into()));
        assert_eq!(text, "Array([Bytes(6), Error(..)])");
    }
}
