//! Calls that were done long ago, reduced to what the guard must still know: 40 bytes each.
//!
//! A key is kept as a hash of 128 bits (FNV-1a). The hash identifies and does not authenticate. If
//! two keys had one hash, the guard would refuse a call; it would never send one twice.

use std::collections::BTreeMap;

use super::{CallRecord, Digest, IntentKey};
use crate::time::Wall;

/// The calls, grouped by the first bits of their hash. Within a group they are in parts that never
/// grow. Moving calls to a larger part would leave as much memory unused as they take.
#[derive(Clone, Debug, Default)]
pub(super) struct DoneCalls(BTreeMap<u16, Vec<Vec<DoneCall>>>);

/// How many calls a part holds.
const PART: usize = 16;

impl PartialEq for DoneCalls {
    /// Compares without regard to the order in which the calls ended.
    fn eq(&self, other: &Self) -> bool {
        self.in_order() == other.in_order()
    }
}

impl Eq for DoneCalls {}

/// A call that was done long ago, reduced to what the guard must still know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoneCall {
    /// The hash of URL, agent and reference (FNV-1a, 128 bits): its upper half, then its lower
    /// half.
    pub key: (u64, u64),
    /// The digest of the meaning of its body.
    pub meaning: Digest,
    /// Its number in the journal.
    pub id: u64,
    /// When it became known that it was done.
    pub at: Wall,
}

impl DoneCall {
    /// What is kept of a call. `None` for a call of the first version, which is found by other
    /// means.
    pub(super) fn of(call: &CallRecord, key: &IntentKey) -> Option<Self> {
        let (id, at) = (call.id, call.known_at());
        Some(Self { key: hash(key)?, meaning: call.meaning?, id, at })
    }

    /// Whether its request had this meaning.
    pub(super) fn meant(&self, meaning: Option<Digest>) -> bool {
        meaning == Some(self.meaning)
    }
}

impl DoneCalls {
    pub(super) fn insert(&mut self, call: DoneCall) {
        let parts = self.0.entry(place(call.key)).or_default();
        match parts.last_mut().filter(|part| part.len() < PART) {
            Some(part) => part.push(call),
            None => {
                let mut part = Vec::with_capacity(PART);
                part.push(call);
                parts.push(part);
            }
        }
    }

    /// How many calls there are.
    pub(super) fn len(&self) -> usize {
        self.0.values().flatten().map(Vec::len).sum()
    }

    /// The calls, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &DoneCall> {
        self.0.values().flatten().flatten()
    }

    /// The calls in the order of their numbers.
    pub(super) fn in_order(&self) -> Vec<&DoneCall> {
        let mut calls: Vec<_> = self.iter().collect();
        calls.sort_unstable_by_key(|call| call.id);
        calls
    }

    /// Removes the calls that were certainly done before this time.
    ///
    /// A clock may have been set back while calls were recorded, so the order of the numbers
    /// counts. If a call has the latest time so far in that order, all calls before it are at least
    /// as old.
    pub(super) fn forget_before(&mut self, since: Wall) {
        let mut times: Vec<_> = self.iter().map(|call| (call.id, call.at)).collect();
        times.sort_unstable();
        let mut oldest = (0, Wall::from_unix_micros(i64::MIN));
        for (id, at) in times.into_iter().take_while(|(_, at)| *at < since) {
            if at >= oldest.1 {
                oldest = (id, at);
            }
        }
        for parts in self.0.values_mut() {
            parts.iter_mut().for_each(|part| part.retain(|call| call.id > oldest.0));
            parts.retain(|part| !part.is_empty());
        }
    }

    /// The newest call of this key.
    pub(super) fn newest(&self, key: &IntentKey) -> Option<&DoneCall> {
        let hash = hash(key)?;
        let calls = self.0.get(&place(hash))?.iter().flatten();
        calls.filter(|call| call.key == hash).max_by_key(|call| call.id)
    }

    /// Whether a call of this key has this number.
    pub(super) fn has(&self, key: &IntentKey, id: u64) -> bool {
        let Some(hash) = hash(key) else { return false };
        let mut calls = self.0.get(&place(hash)).into_iter().flatten().flatten();
        calls.any(|call| call.key == hash && call.id == id)
    }

    /// Removes a call.
    pub(super) fn remove(&mut self, key: &IntentKey, id: u64) {
        let Some(hash) = hash(key) else { return };
        for part in self.0.get_mut(&place(hash)).into_iter().flatten() {
            part.retain(|call| call.key != hash || call.id != id);
        }
    }
}

fn place((first, _): (u64, u64)) -> u16 {
    u16::try_from(first >> 52).unwrap_or_default()
}

/// The hash of a key. `None` for a key of the first version.
fn hash(key: &IntentKey) -> Option<(u64, u64)> {
    let IntentKey::Of { url, agent, reference } = key else { return None };
    let step = |hash: u128, byte: &u8| (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
    let text = |hash: u128, text: &str| {
        // Adds the length first, so that no text can contain the end of another.
        let hash = text.len().to_le_bytes().iter().fold(hash, step);
        text.as_bytes().iter().fold(hash, step)
    };
    let hash = [url, agent, reference].into_iter().fold(START, |hash, part| text(hash, part));
    let low = hash & u128::from(u64::MAX);
    Some((u64::try_from(hash >> 64).ok()?, u64::try_from(low).ok()?))
}

const START: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
