//! The name of an agent's entry in a store.
//!
//! Owns its text: no two pairs of endpoint and agent have the same. Does not know where it is kept.

use imts_core::swap::Swap;

/// Returns the name of the entry of a swap's endpoint and agent.
pub(super) fn name(swap: &Swap) -> String {
    format!("{}:{}", escaped(swap.endpoint()), escaped(swap.agent_id()))
}

/// Writes everything but letters, digits, `-`, `.` and `_` as percent-escapes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
