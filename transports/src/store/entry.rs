//! The name of an agent's entry in a store, and how long the entry is kept.
//!
//! Owns its text: no two owners have the same. Does not know where it is kept.

#[cfg(any(feature = "store-redis", feature = "store-postgres"))]
use std::time::Duration;

use imts_core::swap::Swap;

/// Returns the name of the entry of a swap's owner: its endpoint and agent, and the service and the
/// user if it has them.
pub(super) fn name(swap: &Swap) -> String {
    let agent = format!("{}:{}", escaped(swap.endpoint()), escaped(swap.agent_id()));
    match (swap.service(), swap.subject()) {
        (None, None) => agent,
        (service, subject) => {
            let [service, subject] = [service, subject].map(|it| escaped(it.unwrap_or_default()));
            format!("{agent}:{service}:{subject}")
        }
    }
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

/// Returns how long an entry is kept: until its last token has ended, and a day. So the tokens of an
/// agent that is not used any more can be removed.
#[cfg(any(feature = "store-redis", feature = "store-postgres"))]
pub(super) fn life(swap: &Swap) -> Duration {
    let left = swap.put().map(imts_core::Saved::left).unwrap_or_default();
    left.saturating_add(DAY).min(LONGEST_LIFE)
}

#[cfg(any(feature = "store-redis", feature = "store-postgres"))]
const DAY: Duration = Duration::from_secs(86_400);

/// A server adds it to its own clock.
#[cfg(any(feature = "store-redis", feature = "store-postgres"))]
const LONGEST_LIFE: Duration = Duration::from_secs(3_650 * 86_400);
