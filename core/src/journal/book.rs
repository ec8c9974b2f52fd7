//! What is known about the calls of a journal, and which call that permits.
//!
//! Owns the one rule of which call may be sent, what each entry changes, and which calls are in
//! doubt. Does not know about files: it takes entries and answers questions.

mod kept;
mod shared;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use self::kept::Kept;
use super::record::{CallRecord, CallState, DoneCall, DoneCalls};
use super::{Entry, EntryError, Finding, Intent, IntentError, IntentKey};
use crate::call::Ending;
use crate::time::Wall;

/// The calls of a journal, in the order of their intents.
///
/// A book keeps whole records of calls without an end, of calls in doubt, and of
/// [resolved](crate::journal::Resolution) calls. Of the other calls it keeps whole the last
/// [`Book::RECENT`] that ended. Of older ones it keeps a hash if the call was done; otherwise it
/// forgets the call, and the same intent may be sent again. A call that was not done also stays
/// whole if another call of its intent stands against it, or may do so later. The reason is that a
/// decision may name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    calls: BTreeMap<u64, CallRecord>,
    /// The calls of each intent, oldest first.
    intents: BTreeMap<IntentKey, Vec<u64>>,
    /// The calls whose intent has other calls too.
    repeated: BTreeSet<u64>,
    /// The highest number that was ever given. No number is given twice.
    last: u64,
    /// Calls that have ended and are kept whole, in the order of their ends.
    ended: VecDeque<u64>,
    /// How many of them are kept whole.
    recent: usize,
    /// The calls that were done before those.
    done: DoneCalls,
}

impl Default for Book {
    fn default() -> Self {
        Self::keeping(Self::RECENT)
    }
}

impl Book {
    /// How many calls that have ended are kept whole: 1,000.
    pub const RECENT: usize = 1_000;

    /// Makes a book that keeps this many ended calls whole.
    #[must_use]
    pub fn keeping(recent: usize) -> Self {
        Self {
            calls: BTreeMap::new(),
            intents: BTreeMap::new(),
            repeated: BTreeSet::new(),
            last: 0,
            ended: VecDeque::new(),
            recent,
            done: DoneCalls::default(),
        }
    }

    /// Iterates over all calls that are kept whole.
    pub fn calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.calls.values()
    }

    /// Iterates over the calls whose outcome the service must be asked for.
    pub fn in_doubt(&self) -> impl Iterator<Item = &CallRecord> {
        self.calls().filter(|call| call.is_in_doubt())
    }

    /// Returns the call of this number.
    #[must_use]
    pub fn call(&self, id: u64) -> Option<&CallRecord> {
        self.calls.get(&id)
    }

    /// Returns the number of the next call.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Checks whether the records of the intent permit to send it.
    ///
    /// A call in doubt and a call that was done stand against it. A call that was refused or not
    /// sent does not. The newest record that stands against it decides. If the intent is sent
    /// [in spite](Intent::despite) of one of its own records, that record and the earlier ones do
    /// not count.
    ///
    /// # Errors
    ///
    /// [`IntentError`] of any kind except [`IntentError::InProgress`].
    pub fn admit(&self, intent: &Intent) -> Result<(), IntentError> {
        let operation = || intent.operation.clone();
        let Some(reference) = &intent.reference else {
            return Err(IntentError::NoReference { operation: operation() });
        };
        let mut records: Vec<_> = intent.keys().iter().flat_map(|key| self.of(key)).collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.id));
        let despite = intent.despite.as_ref().map(|despite| despite.id);
        let key = intent.key();
        let is_own = |id: &u64| records.iter().any(|it| it.id == *id) || self.done.has(&key, *id);
        let despite = despite.filter(is_own);
        let stands = |record: &&&CallRecord| {
            let is_bytes_alone = record.reference.is_none();
            match record.state {
                CallState::InDoubt => true,
                CallState::Done => !is_bytes_alone,
                CallState::Intended | CallState::Refused | CallState::NotSent => false,
            }
        };
        let counts = |id: u64| despite.is_none_or(|despite| id > despite);
        let record = records.iter().filter(|record| counts(record.id)).find(stands);
        let done = self.done.newest(&key).filter(|done| counts(done.id));
        let names = (operation(), reference.clone());
        if let Some(done) = done.filter(|done| record.is_none_or(|record| record.id < done.id)) {
            return Err(done_before(done.id, done.at, done.meant(intent.meaning), names));
        }
        let Some(record) = record else { return Ok(()) };
        let (id, is_same) = (record.id, record.means(intent));
        if record.state == CallState::Done || !is_same {
            return Err(done_before(id, record.known_at(), is_same, names));
        }
        let (operation, reference) = names;
        Err(IntentError::InDoubt { id, operation, reference })
    }

    /// Returns the number under which an entry may be recorded now.
    ///
    /// Several calls of one intent may be admitted before one of them leaves: two clients that
    /// share a journal do not see each other's calls. Only the first of them that leaves is sent.
    ///
    /// If a call was resolved as refused, its sender's own end may still say that it was done, or
    /// that its outcome is unknown. The book accepts that end: the resolution was too early.
    ///
    /// # Errors
    ///
    /// [`EntryError`] if the entry does not fit the records.
    pub fn check(&self, entry: &Entry) -> Result<u64, EntryError> {
        if let Entry::Intent(intent) = entry {
            self.admit(intent)?;
            return Ok(self.next_id());
        }
        let call = self.fits(entry)?;
        if let Entry::Resolved { id, at, .. } = entry
            && let Some(until) = call.under_way_until(*at)
        {
            return Err(EntryError::UnderWay { id: *id, until });
        }
        if let Entry::Sending { .. } = entry {
            self.is_free(call)?;
        }
        Ok(call.id)
    }

    /// Checks that no other call of the same intent stands against this one by now. Two clients
    /// that share a journal may both have been admitted before either was sent.
    fn is_free(&self, call: &CallRecord) -> Result<(), IntentError> {
        if !self.repeated.contains(&call.id) {
            return Ok(());
        }
        let key = call.key();
        let despite = call.despite.as_ref().map(|despite| despite.id);
        // A decision counts if it names an earlier call of this intent, as at admission.
        let is_own = |id: u64| self.of(&key).any(|it| it.id == id) || self.done.has(&key, id);
        let despite = despite.filter(|id| *id < call.id && is_own(*id));
        let is_newer = |other: &&CallRecord| {
            other.id != call.id && despite.is_none_or(|despite| other.id > despite)
        };
        let stands =
            |other: &&CallRecord| matches!(other.state, CallState::InDoubt | CallState::Done);
        let names = (call.operation.clone(), call.reference.clone().unwrap_or_default());
        // The newest call decides, as at admission, whether it is kept whole or not.
        let other = self.of(&key).filter(is_newer).filter(stands).max_by_key(|other| other.id);
        let done = self.done.newest(&key);
        let done = done.filter(|done| despite.is_none_or(|despite| done.id > despite));
        if let Some(done) = done.filter(|done| other.is_none_or(|other| other.id < done.id)) {
            return Err(done_before(done.id, done.at, done.meant(call.meaning), names));
        }
        let Some(other) = other else { return Ok(()) };
        let (id, is_same) = (other.id, other.meaning == call.meaning);
        if other.state == CallState::Done || !is_same {
            return Err(done_before(id, other.known_at(), is_same, names));
        }
        let (operation, reference) = names;
        Err(IntentError::InProgress { id, operation, reference })
    }

    /// The call of an entry, if the entry may follow what is known about the call.
    fn fits(&self, entry: &Entry) -> Result<&CallRecord, EntryError> {
        let id = entry.id().unwrap_or_default();
        let Some(call) = self.call(id) else {
            let is_forgotten = (1..=self.last).contains(&id);
            let (ended, none) = (EntryError::Ended { id }, EntryError::NoSuchCall { id });
            return Err(if is_forgotten { ended } else { none });
        };
        let fits = match entry {
            Entry::Intent(_) => false,
            Entry::Sending { .. } => call.state.is_open(),
            Entry::Ended { ending: Ending::Done | Ending::Unknown, .. }
                if call.resolution.is_some() =>
            {
                call.state != CallState::Done
            }
            Entry::Ended { .. } => call.state.is_open(),
            Entry::Resolved { .. } => call.is_in_doubt(),
        };
        if fits { Ok(call) } else { Err(EntryError::Ended { id }) }
    }

    /// Returns whether a record of this number could have been written here, regardless of the
    /// guard. A record that an earlier version admitted is still read. A number may be missing, if
    /// its intent could not be written.
    #[must_use]
    pub fn takes(&self, id: u64, entry: &Entry) -> bool {
        match entry {
            Entry::Intent(_) => id > self.last,
            _ => self.fits(entry).is_ok_and(|call| call.id == id),
        }
    }

    /// Applies an entry under the number that it was recorded with.
    pub fn apply(&mut self, id: u64, entry: &Entry) {
        if let Entry::Intent(intent) = entry {
            self.put(CallRecord::new(id, intent));
            self.last = self.last.max(id);
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        match entry {
            Entry::Intent(_) => {}
            Entry::Sending { at, until, .. } => {
                call.sent_at = Some(*at);
                call.sending_until = *until;
                call.state = CallState::InDoubt;
            }
            Entry::Ended { at, ending, .. } => {
                call.sending_until = None;
                call.ended_at = Some(*at);
                call.state = match ending {
                    Ending::Done => CallState::Done,
                    Ending::Refused => CallState::Refused,
                    Ending::NotSent => CallState::NotSent,
                    Ending::Unknown => CallState::InDoubt,
                };
            }
            Entry::Resolved { at, resolution, .. } => {
                call.sending_until = None;
                call.ended_at = Some(*at);
                call.resolution = Some(resolution.clone());
                call.state = match resolution.finding {
                    Finding::Done => CallState::Done,
                    Finding::Refused => CallState::Refused,
                };
            }
        }
        if !call.state.is_open() {
            self.ended.push_back(id);
        }
        self.forget_all_but(self.recent);
    }

    /// Keeps this many ended calls whole.
    pub(super) fn forget_all_but(&mut self, recent: usize) {
        while self.ended.len() > recent {
            let Some(id) = self.ended.pop_front() else { return };
            self.forget(id);
        }
    }

    /// Keeps only what the guard must know about a call that has ended.
    fn forget(&mut self, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        let (key, is_done) = (call.key(), call.state == CallState::Done);
        let done = DoneCall::of(call, &key);
        if call.state.is_open() || call.resolution.is_some() || is_done && done.is_none() {
            return;
        }
        if !is_done && self.has_another(id, &key) {
            return;
        }
        self.remove(id, &key);
        if let Some(done) = done.filter(|_| is_done) {
            self.done.insert(done);
        }
    }

    /// Whether another call of this intent stands against it, or may do so later.
    fn has_another(&self, id: u64, key: &IntentKey) -> bool {
        let may_stand = |state| !matches!(state, CallState::Refused | CallState::NotSent);
        let mut others = self.of(key).filter(|other| other.id != id);
        self.done.newest(key).is_some() || others.any(|other| may_stand(other.state))
    }

    fn remove(&mut self, id: u64, key: &IntentKey) {
        self.calls.remove(&id);
        self.repeated.remove(&id);
        let Some(calls) = self.intents.get_mut(key) else { return };
        calls.retain(|call| *call != id);
        if calls.is_empty() {
            self.intents.remove(key);
        }
    }

    /// Takes back an entry of this call that could not be written. The call is again what it was
    /// before, or is removed. Of several entries, take back the last one first. The call's number
    /// is not given to another call.
    pub fn take_back(&mut self, id: u64, before: Option<CallRecord>) {
        let Some(before) = before else {
            let Some(key) = self.call(id).map(CallRecord::key) else { return };
            return self.remove(id, &key);
        };
        let key = before.key();
        if self.put(before) {
            self.done.remove(&key, id);
        }
    }

    /// Keeps a call whole. Returns whether it was not there before.
    fn put(&mut self, call: CallRecord) -> bool {
        let (id, key) = (call.id, call.key());
        let is_new = self.calls.insert(id, call).is_none();
        if is_new {
            let calls = self.intents.entry(key).or_default();
            calls.push(id);
            if calls.len() > 1 {
                self.repeated.extend(calls.iter());
            }
        }
        is_new
    }

    /// Puts every call without an end in doubt. Another copy of the journal may have sent it since.
    pub fn doubt_all(&mut self) {
        for call in self.calls.values_mut().filter(|call| call.state == CallState::Intended) {
            call.state = CallState::InDoubt;
        }
    }

    /// Records that no sender works on the calls from this number on. A file lock that only a
    /// sender holds can show this. Calls in doubt may then be resolved at once.
    pub fn senders_are_gone(&mut self, from: u64) {
        for call in self.calls.range_mut(from..).map(|(_, call)| call) {
            call.sending_until = None;
        }
    }

    fn of(&self, key: &IntentKey) -> impl Iterator<Item = &CallRecord> {
        self.intents.get(key).into_iter().flatten().filter_map(|id| self.call(*id))
    }
}

/// The error for an intent that this call has done, or whose reference this call used for another
/// body.
fn done_before(
    id: u64,
    at: Wall,
    is_same: bool,
    (operation, reference): (String, String),
) -> IntentError {
    if is_same {
        IntentError::AlreadyDone { id, at, operation, reference }
    } else {
        IntentError::Conflict { id, operation, reference }
    }
}
