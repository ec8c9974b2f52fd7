//! The script that does a swap in the server, its arguments, and its answer.
//!
//! Owns the key, and the form of both. The script is the rule of [`imts_core::swap::Register`] in
//! the server's language. Does no I/O.

use std::time::Duration;

use imts_core::swap::{Held, Stamp, StoreTime, Swap};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::error::RedisError;
use super::resp::RedisValue;
use crate::store::raw::{RawFound, RawSwapped};
use crate::store::{StoreError, entry};

/// The script's text.
pub(super) const SCRIPT: &str = include_str!("script.lua");

/// Returns the name by which the server keeps the script: its SHA-1, which is not used to protect
/// anything.
pub(super) fn name() -> String {
    let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, SCRIPT.as_bytes());
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the key of an agent's entry, form 1. No two pairs of endpoint and agent have the same.
pub(super) fn key(prefix: &str, swap: &Swap) -> String {
    format!("{prefix}:1:{}", entry::name(swap))
}

/// What the script needs besides the key, without the state.
pub(super) fn arguments(swap: &Swap, question: u64, never_loses_a_write: bool) -> [String; 15] {
    let flag = |is: bool| if is { "1" } else { "0" }.to_owned();
    let put = swap.put();
    let [expects, puts] = [swap.expects(), put.map_or(Stamp::NONE, imts_core::Saved::stamp)];
    let made = swap.at().map(|at| at.as_micros().to_string());
    let last = swap.at().map(|at| at.after(swap.within()).as_micros().to_string());
    [
        question.to_string(),
        swap.holder().to_string(),
        expects.generation.to_string(),
        expects.holder.to_string(),
        expects.serial.to_string(),
        flag(put.is_some()),
        puts.generation.to_string(),
        puts.holder.to_string(),
        puts.serial.to_string(),
        swap.lease().as_micros().to_string(),
        flag(swap.is_resting()),
        made.unwrap_or_default(),
        last.unwrap_or_default(),
        entry::life(swap).as_millis().to_string(),
        flag(never_loses_a_write),
    ]
}

/// Reads the script's answer to this question.
pub(super) fn answer(value: RedisValue, question: u64) -> Result<RawSwapped, StoreError> {
    let RedisValue::Array(items) = value else { return Err(misplaced()) };
    let mut items = items.into_iter();
    let mut next = || items.next().ok_or_else(misplaced);
    let (name, asked) = (next()?, next()?);
    let is_own = name.text() == Some("imts") && asked.text() == Some(&question.to_string());
    if !is_own {
        return Err(misplaced());
    }
    match next()?.text() {
        Some("no incarnation") => Err(StoreError::NoIncarnation),
        Some("done") => {
            Ok(RawSwapped::Done { moved: flag(&next()?)?, at: time(number(&next()?)?) })
        }
        Some("other") => {
            let [generation, holder, serial] = [next()?, next()?, next()?];
            let stamp = Stamp {
                generation: number(&generation)?,
                holder: number(&holder)?,
                serial: number(&serial)?,
            };
            let age = Duration::from_micros(number(&next()?)?);
            let moved = flag(&next()?)?;
            let left = Duration::from_micros(number(&next()?)?);
            let held = Held::new(left, flag(&next()?)?);
            let at = time(number(&next()?)?);
            let RedisValue::Bytes(state) = next()? else { return Err(misplaced()) };
            Ok(RawSwapped::Other(RawFound {
                stamp,
                state: Some(state).filter(|state| !state.is_empty()),
                age,
                held: Some(held).filter(|held| !held.left().is_zero()),
                moved,
                at,
            }))
        }
        _ => Err(misplaced()),
    }
}

fn misplaced() -> StoreError {
    StoreError::unreachable(RedisError::Misplaced)
}

fn number<T: std::str::FromStr>(value: &RedisValue) -> Result<T, StoreError> {
    value.text().and_then(|text| text.parse().ok()).ok_or_else(misplaced)
}

fn flag(value: &RedisValue) -> Result<bool, StoreError> {
    number::<u8>(value).map(|flag| flag == 1)
}

fn time(micros: i64) -> StoreTime {
    StoreTime::from_micros(micros)
}
