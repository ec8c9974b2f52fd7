//! The statement that does a swap in the server, its parameters, and its answer.
//!
//! Owns the key, and the form of both. The statement is the rule of
//! [`imts_core::swap::Register`] in the server's language. Does no I/O.

use std::fmt::Write;
use std::time::Duration;

use imts_core::swap::{Held, Stamp, StoreTime, Swap};
use zeroize::Zeroizing;

use super::error::PostgresStoreError;
use crate::store::raw::{RawFound, RawSwapped};
use crate::store::{StoreError, entry};

/// Answers a look.
pub(super) const LOOK: &str = include_str!("look.sql");

/// Creates the table, once.
pub(super) const SCHEMA: &str = include_str!("schema.sql");

/// What is known of the server's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// Whether the role may read the server's identifier.
    pub(super) has_system: bool,
    /// Whether each restart counts as another life.
    pub(super) by_restart: bool,
}

/// Returns the statement of a swap that puts a state.
pub(super) fn swap(life: Life) -> String {
    // The name of the log's file begins with its timeline: another one after each failover.
    let mut incarnation = "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)".to_owned();
    if life.has_system {
        incarnation.push_str(" || (SELECT '-' || system_identifier FROM pg_control_system())");
    }
    if life.by_restart {
        incarnation.push_str(" || '-' || extract(epoch FROM pg_postmaster_start_time())");
    }
    format!(include_str!("swap.sql"), incarnation = incarnation)
}

/// Returns the key of an agent's row, form 1. No two pairs of endpoint and agent have the same.
pub(super) fn key(swap: &Swap) -> String {
    format!("1:{}", entry::name(swap))
}

/// The parameters of a swap that puts this state.
pub(super) fn parameters(swap: &Swap, puts: Stamp, state: &[u8]) -> [Zeroizing<String>; 14] {
    let expects = swap.expects();
    let made = swap.at().map(|at| at.as_micros().to_string());
    let last = swap.at().map(|at| at.after(swap.within()).as_micros().to_string());
    [
        key(swap),
        swap.holder().to_string(),
        expects.generation.to_string(),
        expects.holder.to_string(),
        expects.serial.to_string(),
        puts.generation.to_string(),
        puts.holder.to_string(),
        puts.serial.to_string(),
        micros(swap.lease()),
        if swap.is_resting() { "1" } else { "0" }.to_owned(),
        made.unwrap_or_default(),
        last.unwrap_or_default(),
        micros(entry::life(swap)),
        hex(state),
    ]
    .map(Zeroizing::new)
}

/// A length of time that the server can add to its own.
fn micros(time: Duration) -> String {
    time.min(LONGEST).as_micros().to_string()
}

const LONGEST: Duration = Duration::from_secs(3_650 * 86_400);

/// The state in hexadecimal digits: whatever the connection's encoding is, they stay as they are.
fn hex(bytes: &[u8]) -> String {
    // Reserved at once: a text that grows leaves copies of the tokens behind.
    let mut digits = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn bytes(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.as_bytes().chunks(2) {
        let [high, low] = pair else { return None };
        bytes.push(digit(high)? * 16 + digit(low)?);
    }
    Some(bytes)
}

/// Reads an answer. `None` if the statement is to be sent again.
pub(super) fn answer(text: &str) -> Result<Option<RawSwapped>, StoreError> {
    read(text).ok_or_else(|| StoreError::unreachable(PostgresStoreError::NotAnAnswer))?
}

fn read(text: &str) -> Option<Result<Option<RawSwapped>, StoreError>> {
    let mut words = text.split(' ');
    let number = |words: &mut std::str::Split<'_, char>| words.next()?.parse::<u64>().ok();
    let swapped = match words.next()? {
        "again" => return Some(Ok(None)),
        "standby" => return Some(Err(StoreError::unreachable(PostgresStoreError::Standby))),
        "done" => {
            let moved = number(&mut words)? == 1;
            RawSwapped::Done { moved, at: time(&mut words)? }
        }
        "other" => {
            let stamp = Stamp {
                generation: number(&mut words)?,
                holder: number(&mut words)?,
                serial: number(&mut words)?,
            };
            let age = Duration::from_micros(number(&mut words)?);
            let moved = number(&mut words)? == 1;
            let left = Duration::from_micros(number(&mut words)?);
            let held = Held::new(left, number(&mut words)? == 1);
            let at = time(&mut words)?;
            let state = match words.next() {
                Some(digits) => Some(bytes(digits)?).filter(|state| !state.is_empty()),
                None => None,
            };
            let held = Some(held).filter(|held| !held.left().is_zero());
            RawSwapped::Other(RawFound { stamp, state, age, held, moved, at })
        }
        _ => return None,
    };
    words.next().is_none().then_some(Ok(Some(swapped)))
}

fn time(words: &mut std::str::Split<'_, char>) -> Option<StoreTime> {
    Some(StoreTime::from_micros(words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{answer, bytes, hex};

    #[test]
    fn what_is_written_in_digits_is_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(*bytes(&hex(&all)).unwrap(), all);
        for text in ["0", "0g", "é"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_that_the_statement_never_gives_is_an_error_that_quotes_nothing() {
        let good = "other 1 2 3 4 0 5 0 6 6869";
        assert!(answer(good).unwrap().is_some() && answer("done 0 7").unwrap().is_some());
        assert!(answer("again").unwrap().is_none());
        let canary = "63616e617279";
        for text in [
            "",
            "done",
            "done 0",
            "done 0 x",
            "done 0 7 8",
            &format!("other 1 2 3 4 0 5 0 6 {canary}0"),
            &format!("other 1 2 3 4 0 5 0 6 {canary} 7"),
            &format!("other 1 2 3 -4 0 5 0 6 {canary}"),
            "nothing",
        ] {
            let error = answer(text).unwrap_err().to_string();
            assert!(error.contains("not one of this library's statement"), "{text}: {error}");
            assert!(!error.contains("6361"), "{error}");
        }
    }
}
