//! Any bytes as the reply of a Redis server.
//!
//! An input is the bytes of a reply. What begins with `=` is put together from the lines that follow:
//! each is an item of the script's answer, after its first two, which are right.

use std::time::Duration;

use imts::Store;
use imts::store::StoreError;
use imts::store::redis::{RedisStore, RedisValue};
use imts::swap::{Swap, Swapped};

use crate::{Ran, Target};

/// This target.
pub const TARGET: Target =
    Target { name: "redis_reply", goal: "an answer that a store understands", run };

/// The most bytes and items of a reply, as the documentation has them.
const BYTES: usize = 262_144;
const ITEMS: usize = 64;

/// Runs one input.
///
/// # Panics
///
/// Where an invariant is broken: that is the finding.
pub fn run(data: &[u8]) -> Ran {
    let structured = data.first() == Some(&b'=');
    let bytes = if structured { answer(&data[1..]) } else { data.to_vec() };
    let read = RedisValue::read(&bytes);
    let (items, length) = match (second_opinion(&bytes), &read) {
        (Opinion::Reply(items, length), Ok(Some((value, read)))) => {
            assert_eq!(length, *read, "both say where the reply ends");
            assert_eq!(flat(value), items, "both read the same");
            (items, length)
        }
        (Opinion::Cut, Ok(None)) | (Opinion::Refused, Err(_)) => {
            return Ran { structured, deepest: false };
        }
        (opinion, read) => panic!("{opinion:?}, and {read:?}"),
    };
    assert!(length <= BYTES && items.len() <= ITEMS + 1, "the bounds hold");
    for cut in [0, length / 2, length - 1] {
        assert_eq!(RedisValue::read(&bytes[..cut]), Ok(None), "cut at {cut}");
    }
    let more = [&bytes[..length], b"$-1\r\n"].concat();
    assert_eq!(RedisValue::read(&more), read, "what follows changes nothing");
    let value = read.ok().flatten().map_or(RedisValue::Nil, |(value, _)| value);
    Ran { structured, deepest: is_understood(value) }
}

/// Gives the reply to a store, which must say what it is, or report that it is not an answer.
fn is_understood(value: RedisValue) -> bool {
    let is_script = matches!(&value, RedisValue::Error(_));
    let store = RedisStore::over(move |_: &[&[u8]]| Ok(value.clone()));
    let look = Swap::look("https://sandbox.example", "agent", Duration::from_secs(1));
    match store.swap(&look) {
        Ok(Swapped::Done { .. }) => !is_script,
        Ok(Swapped::Other(found)) => {
            assert!(
                found.held().is_none_or(|held| !held.left().is_zero()),
                "a lease has time left"
            );
            !is_script
        }
        Err(StoreError::NoIncarnation | StoreError::Newer { .. } | StoreError::Foreign) => true,
        Err(error) => {
            assert!(error.to_string().len() < 400, "an error is short");
            false
        }
    }
}

/// The script's answer with these items.
fn answer(lines: &[u8]) -> Vec<u8> {
    let items: Vec<&[u8]> =
        [&b"imts"[..], b"1"].into_iter().chain(lines.split(|it| *it == b'\n')).collect();
    let mut bytes = format!("*{}\r\n", items.len()).into_bytes();
    for item in items {
        bytes.extend_from_slice(format!("${}\r\n", item.len()).as_bytes());
        bytes.extend_from_slice(item);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// One thing in a reply: its kind, and its bytes.
type Item = (char, Vec<u8>);

#[derive(Debug)]
enum Opinion {
    Reply(Vec<Item>, usize),
    /// More must come.
    Cut,
    Refused,
}

/// What a reader that shares no code with the client reads. A list is an item with its length,
/// before its items.
fn second_opinion(bytes: &[u8]) -> Opinion {
    let (mut items, mut rest, mut due, mut in_list) = (Vec::new(), bytes, 1_usize, false);
    while due > 0 {
        due -= 1;
        let Some(end) = (0..rest.len()).find(|at| rest[*at..].starts_with(b"\r\n")) else {
            return if bytes.len() > BYTES { Opinion::Refused } else { Opinion::Cut };
        };
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        let (line_bytes, after) = (&rest[..end], &rest[end + 2..]);
        rest = after;
        let number = line.get(1..).and_then(|text| text.parse::<i64>().ok());
        match (line_bytes.first(), number) {
            (Some(b'+'), _) => items.push(('s', line_bytes[1..].to_vec())),
            (Some(b'-'), _) => items.push(('e', line.as_bytes()[1..].to_vec())),
            (Some(b':'), Some(number)) => items.push(('i', number.to_string().into_bytes())),
            (Some(b'$'), Some(-1)) => items.push(('n', Vec::new())),
            (Some(b'$'), Some(length)) if (0..=BYTES as i64).contains(&length) => {
                let length = usize::try_from(length).expect("it is in the range");
                if rest.len() < length + 2 {
                    let end = bytes.len() - rest.len() + length;
                    return if end > BYTES { Opinion::Refused } else { Opinion::Cut };
                }
                if &rest[length..length + 2] != b"\r\n" {
                    return Opinion::Refused;
                }
                items.push(('s', rest[..length].to_vec()));
                rest = &rest[length + 2..];
            }
            (Some(b'*'), Some(-1)) if !in_list => items.push(('n', Vec::new())),
            (Some(b'*'), Some(count)) if !in_list && (0..=ITEMS as i64).contains(&count) => {
                items.push(('l', count.to_string().into_bytes()));
                (due, in_list) = (usize::try_from(count).expect("it is in the range"), true);
            }
            _ => return Opinion::Refused,
        }
    }
    let length = bytes.len() - rest.len();
    if length > BYTES { Opinion::Refused } else { Opinion::Reply(items, length) }
}

/// The client's value in the form of the second opinion.
fn flat(value: &RedisValue) -> Vec<Item> {
    match value {
        RedisValue::Nil => vec![('n', Vec::new())],
        RedisValue::Integer(number) => vec![('i', number.to_string().into_bytes())],
        RedisValue::Bytes(bytes) => vec![('s', bytes.to_vec())],
        RedisValue::Error(text) => vec![('e', text.as_bytes().to_vec())],
        RedisValue::Array(items) => {
            let list = ('l', items.len().to_string().into_bytes());
            std::iter::once(list).chain(items.iter().flat_map(flat)).collect()
        }
        other => panic!("a kind that this reader does not know: {other:?}"),
    }
}
