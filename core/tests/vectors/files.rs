//! The vectors' files, and what their fields have in common.

use serde_json::Value;

/// The files of one folder, each with its name.
macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        [$(($name, include_str!(concat!($folder, "/", $name, ".json")))),*]
    };
}

/// Known-good and known-bad JSON, by group.
pub(crate) fn json() -> [(&'static str, &'static str); 8] {
    files!("json": "depth" "duplicates" "encoding" "escapes" "numbers" "strings" "structure"
        "surrogates")
}

/// Where each of those is put.
pub(crate) const POSITIONS: &str = include_str!("json/positions.json");

/// Whole replies, by group.
pub(crate) fn replies() -> [(&'static str, &'static str); 5] {
    files!("replies": "grants" "malformed" "refusals" "retry-after" "unexpected")
}

/// The list of this name in a file.
pub(crate) fn list(file: &str, name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    file[name].as_array().unwrap().clone()
}

/// A field that is a text.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

/// The bytes that `text`, `hex` or `parts` stand for: exactly one of them is there.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let there = ["text", "hex", "parts"].map(|field| value.get(field));
    match there {
        [Some(text), None, None] => text.as_str().unwrap().as_bytes().to_vec(),
        [None, Some(hex), None] => {
            let digits = hex.as_str().unwrap().as_bytes();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
            digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
        }
        [None, None, Some(parts)] => {
            let part = |part: &Value| {
                let times = usize::try_from(part[1].as_u64().unwrap()).unwrap();
                part[0].as_str().unwrap().repeat(times).into_bytes()
            };
            parts.as_array().unwrap().iter().flat_map(part).collect()
        }
        _ => panic!("not one of text, hex and parts: {value}"),
    }
}
