//! One call of a journal: as recorded, or reduced to what the guard must still know.
//!
//! Calls that were done long ago are kept in 40 bytes each. A key is then kept as a hash of 128
//! bits (FNV-1a). The hash identifies and does not authenticate. If two keys had one hash, the guard
//! would refuse a call; it would never send one twice.

use std::collections::BTreeMap;

use super::{CLOCK_MARGIN, Despite, Digest, Intent, IntentKey, Resolution, Scope};
use crate::time::Wall;

/// One call, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRecord {
    /// Its number in the journal, counted from 1.
    pub id: u64,
    /// The operation's name.
    pub operation: String,
    /// Where it went and for which agent. `None` in journals of the first version.
    pub scope: Option<Scope>,
    /// The caller's own name for what was asked for.
    pub reference: Option<String>,
    /// The digest of the request's bytes.
    pub digest: Digest,
    /// The digest of the meaning of those bytes. `None` in journals of the first version.
    pub meaning: Option<Digest>,
    /// When its intent was recorded.
    pub intended_at: Wall,
    /// When its request was last about to leave.
    pub sent_at: Option<Wall>,
    /// When its sender gives up at the latest, by the sender's clock. `None` once no sender is
    /// known to work on it.
    pub sending_until: Option<Wall>,
    /// When it ended, or was resolved.
    pub ended_at: Option<Wall>,
    /// What is known about it.
    pub state: CallState,
    /// The decision to send it in spite of a record.
    pub despite: Option<Despite>,
    /// What was found out about it by other means.
    pub resolution: Option<Resolution>,
}

/// The state of a call, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Its intent was recorded, and its request did not leave.
    Intended,
    /// Its request may have left, and its outcome is not known: ask the service.
    InDoubt,
    /// It was done.
    Done,
    /// It was refused, or was later found not to have been done.
    Refused,
    /// Its request did not leave, or was not processed.
    NotSent,
}

impl CallState {
    /// Returns the name in lower case, as outputs show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::InDoubt => "in_doubt",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
        }
    }

    /// Whether a call in this state may still get an end.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::InDoubt)
    }
}

impl CallRecord {
    /// Returns whether the service must be asked for its outcome.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.state == CallState::InDoubt
    }

    /// Returns the time from which no sender can still work on it, [`CLOCK_MARGIN`] included.
    /// `None` if none can at time `at`. Until then it cannot be resolved: what was found out about
    /// it could soon be out of date.
    ///
    /// The times are those of wall clocks. If a clock was set back meanwhile, the wait is longer by
    /// that amount.
    #[must_use]
    pub fn under_way_until(&self, at: Wall) -> Option<Wall> {
        self.sending_until.map(|until| until.after(CLOCK_MARGIN)).filter(|until| at < *until)
    }

    /// When its outcome became known, if it did.
    pub(super) fn known_at(&self) -> Wall {
        self.ended_at.unwrap_or(self.intended_at)
    }

    /// Whether its request has the same meaning as the intent.
    pub(super) fn means(&self, intent: &Intent) -> bool {
        match (self.meaning, intent.meaning) {
            (Some(one), Some(other)) => one == other,
            _ => self.digest == intent.digest,
        }
    }
}

impl CallRecord {
    /// The key that identifies its intent.
    pub(super) fn key(&self) -> IntentKey {
        IntentKey::of(&self.operation, self.scope.as_ref(), self.reference.as_deref(), self.digest)
    }

    /// Returns what was asked for.
    #[must_use]
    pub fn intent(&self) -> Intent {
        Intent {
            operation: self.operation.clone(),
            scope: self.scope.clone(),
            reference: self.reference.clone(),
            digest: self.digest,
            meaning: self.meaning,
            at: self.intended_at,
            despite: self.despite.clone(),
        }
    }

    /// Makes the record of a call with this intent, under the number that the journal gave it.
    #[must_use]
    pub fn new(id: u64, intent: &Intent) -> Self {
        Self {
            id,
            operation: intent.operation.clone(),
            scope: intent.scope.clone(),
            reference: intent.reference.clone(),
            digest: intent.digest,
            meaning: intent.meaning,
            intended_at: intent.at,
            sent_at: None,
            sending_until: None,
            ended_at: None,
            state: CallState::Intended,
            despite: intent.despite.clone(),
            resolution: None,
        }
    }
}

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
