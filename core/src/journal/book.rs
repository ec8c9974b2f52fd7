//! What is known of the calls of a journal, and which call it permits.
//!
//! Owns the one rule of who may send, what each entry changes, and which calls are in doubt. Knows
//! nothing of files: entries in, answers out.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CLOCK_MARGIN, Despite, Digest, Entry, EntryError, Finding, Intent, IntentError, IntentKey,
    Resolution, Scope,
};
use crate::call::Ending;
use crate::time::Wall;

/// The calls of a journal, in the order in which they were intended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    calls: BTreeMap<u64, CallRecord>,
    /// The calls of each intent, oldest first.
    intents: BTreeMap<IntentKey, Vec<u64>>,
    /// The calls that are not the only one of their intent.
    repeated: BTreeSet<u64>,
    /// The highest number that was ever given: none is given twice.
    last: u64,
}

/// One call, as far as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRecord {
    /// Its number in the journal, counted from 1.
    pub id: u64,
    /// The operation's name.
    pub operation: String,
    /// Where it went and for whom; `None` in journals of the first version.
    pub scope: Option<Scope>,
    /// The caller's own name for what was asked for.
    pub reference: Option<String>,
    /// The digest of the request's bytes.
    pub digest: Digest,
    /// The digest of what they mean; `None` in journals of the first version.
    pub meaning: Option<Digest>,
    /// When it was intended.
    pub intended_at: Wall,
    /// When its request was about to leave, the last time.
    pub sent_at: Option<Wall>,
    /// When its sender gives it up at the latest, by its clock; `None` once it is known that no
    /// sender is at work on it.
    pub sending_until: Option<Wall>,
    /// When it ended, or was resolved.
    pub ended_at: Option<Wall>,
    /// What is known of it.
    pub state: CallState,
    /// The decision by which it was sent in spite of a record.
    pub despite: Option<Despite>,
    /// What was found out of it by other means.
    pub resolution: Option<Resolution>,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// It was intended, and its request did not leave.
    Intended,
    /// Its request may have left, and what became of it is not known: ask the service.
    InDoubt,
    /// It was done.
    Done,
    /// It was refused, or found out not to have been done.
    Refused,
    /// Its request did not leave, or was not processed.
    NotSent,
}

impl CallState {
    /// The name in lower case, as it stands in outputs.
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
    fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::InDoubt)
    }
}

impl CallRecord {
    /// Whether the service must be asked what became of it.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.state == CallState::InDoubt
    }

    /// When no sender can be at work on it any more, [`CLOCK_MARGIN`] included; `None` if none can be
    /// at this time. Until then it cannot be resolved: what was found out of it could be out of date
    /// at once.
    ///
    /// The times are those of wall clocks. If one was set back meanwhile, the wait is longer by as
    /// much.
    #[must_use]
    pub fn under_way_until(&self, at: Wall) -> Option<Wall> {
        self.sending_until.map(|until| until.after(CLOCK_MARGIN)).filter(|until| at < *until)
    }

    /// Whether its request means what the intent's does.
    fn means(&self, intent: &Intent) -> bool {
        match (self.meaning, intent.meaning) {
            (Some(one), Some(other)) => one == other,
            _ => self.digest == intent.digest,
        }
    }
}

impl Book {
    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.calls.values()
    }

    /// The calls of which the service must be asked what became.
    pub fn in_doubt(&self) -> impl Iterator<Item = &CallRecord> {
        self.calls().filter(|call| call.is_in_doubt())
    }

    /// The call of this number.
    #[must_use]
    pub fn call(&self, id: u64) -> Option<&CallRecord> {
        self.calls.get(&id)
    }

    /// The number of the next call.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.last.saturating_add(1)
    }

    /// Whether the intent may be sent, as far as its records say.
    ///
    /// A call in doubt and a call that was done stand against it; one that was refused or not sent
    /// does not. The newest record that stands against it decides. Where the intent is sent
    /// [in spite](Intent::despite) of one of its own records, that record and those before it do
    /// not count.
    ///
    /// # Errors
    ///
    /// [`IntentError`], of any kind but [`IntentError::InProgress`].
    pub fn admit(&self, intent: &Intent) -> Result<(), IntentError> {
        let operation = || intent.operation.clone();
        let Some(reference) = &intent.reference else {
            return Err(IntentError::NoReference { operation: operation() });
        };
        let mut records: Vec<_> = intent.keys().iter().flat_map(|key| self.of(key)).collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.id));
        let despite = intent.despite.as_ref().map(|despite| despite.id);
        let despite = despite.filter(|id| records.iter().any(|record| record.id == *id));
        let stands = |record: &&&CallRecord| {
            let is_bytes_alone = record.reference.is_none();
            match record.state {
                CallState::InDoubt => true,
                CallState::Done => !is_bytes_alone,
                CallState::Intended | CallState::Refused | CallState::NotSent => false,
            }
        };
        let counts = |record: &&&CallRecord| despite.is_none_or(|id| record.id > id);
        let Some(record) = records.iter().filter(counts).find(stands) else { return Ok(()) };
        let (id, operation, reference) = (record.id, operation(), reference.clone());
        Err(match record.state {
            _ if !record.means(intent) => IntentError::Conflict { id, operation, reference },
            CallState::Done => {
                let at = record.ended_at.unwrap_or(record.intended_at);
                IntentError::AlreadyDone { id, at, operation, reference }
            }
            _ => IntentError::InDoubt { id, operation, reference },
        })
    }

    /// The number under which an entry may be recorded now.
    ///
    /// Of several calls of one intent that were admitted before one of them left, the first to leave
    /// is the only one: two clients that share a journal do not see each other's calls.
    ///
    /// A call that was resolved as refused takes its sender's own end all the same, if that says that
    /// it was done, or that nobody knows: whoever resolved it was too early.
    ///
    /// # Errors
    ///
    /// [`EntryError`], where the entry has no place here.
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

    /// Whether no other call of the same intent stands against this one by now: two clients that
    /// share a journal may both have been admitted before either was sent.
    fn is_free(&self, call: &CallRecord) -> Result<(), IntentError> {
        if !self.repeated.contains(&call.id) {
            return Ok(());
        }
        let key = call.key();
        let despite = call.despite.as_ref().map(|despite| despite.id);
        // A decision counts if it was made of an earlier call of this intent, as when it was admitted.
        let despite = despite.filter(|id| *id < call.id && self.of(&key).any(|it| it.id == *id));
        let is_newer = |other: &&CallRecord| {
            other.id != call.id && despite.is_none_or(|despite| other.id > despite)
        };
        let stands =
            |other: &&CallRecord| matches!(other.state, CallState::InDoubt | CallState::Done);
        let Some(other) = self.of(&key).filter(is_newer).find(stands) else { return Ok(()) };
        let (id, operation) = (other.id, call.operation.clone());
        let reference = call.reference.clone().unwrap_or_default();
        Err(match other.state {
            _ if other.meaning != call.meaning => {
                IntentError::Conflict { id, operation, reference }
            }
            CallState::Done => {
                let at = other.ended_at.unwrap_or(other.intended_at);
                IntentError::AlreadyDone { id, at, operation, reference }
            }
            _ => IntentError::InProgress { id, operation, reference },
        })
    }

    /// The call of an entry, if that may follow what is known of it.
    fn fits(&self, entry: &Entry) -> Result<&CallRecord, EntryError> {
        let id = entry.id().unwrap_or_default();
        let call = self.call(id).ok_or(EntryError::NoSuchCall { id })?;
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

    /// Whether a record of this number could have been written here, whatever the guard says of it:
    /// what an earlier version admitted is read all the same. A number may be missing: its intent
    /// could not be written.
    #[must_use]
    pub fn takes(&self, id: u64, entry: &Entry) -> bool {
        match entry {
            Entry::Intent(_) => id > self.last,
            _ => self.fits(entry).is_ok_and(|call| call.id == id),
        }
    }

    /// Takes an entry in, under the number that it was recorded with.
    pub fn apply(&mut self, id: u64, entry: &Entry) {
        if let Entry::Intent(intent) = entry {
            let calls = self.intents.entry(intent.key()).or_default();
            calls.push(id);
            if calls.len() > 1 {
                self.repeated.extend(calls.iter());
            }
            self.calls.insert(id, CallRecord::new(id, intent));
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
    }

    /// Takes an entry of this call back that could not be written: the call is again what it was
    /// before, or is not there. Of several, the last one is taken back first. The call's number is not
    /// given to another one.
    pub fn take_back(&mut self, id: u64, before: Option<CallRecord>) {
        if let Some(before) = before {
            self.calls.insert(id, before);
            return;
        }
        let Some(call) = self.calls.remove(&id) else { return };
        let key = call.key();
        let Some(calls) = self.intents.get_mut(&key) else { return };
        calls.retain(|call| *call != id);
        self.repeated.remove(&id);
        if let [only] = calls.as_slice() {
            self.repeated.remove(only);
        }
        if calls.is_empty() {
            self.intents.remove(&key);
        }
    }

    /// Puts every call that has no end in doubt: another copy of the journal may have sent it since.
    pub fn doubt_all(&mut self) {
        for call in self.calls.values_mut().filter(|call| call.state == CallState::Intended) {
            call.state = CallState::InDoubt;
        }
    }

    /// It is known that no sender is at work on the calls from this number on, as by the lock of a
    /// file that only a sender holds: what is in doubt may be resolved at once.
    pub fn senders_are_gone(&mut self, from: u64) {
        for call in self.calls.range_mut(from..).map(|(_, call)| call) {
            call.sending_until = None;
        }
    }

    fn of(&self, key: &IntentKey) -> impl Iterator<Item = &CallRecord> {
        self.intents.get(key).into_iter().flatten().filter_map(|id| self.call(*id))
    }
}

impl CallRecord {
    /// The key under which its intent is found again.
    fn key(&self) -> IntentKey {
        IntentKey::of(&self.operation, self.scope.as_ref(), self.reference.as_deref(), self.digest)
    }

    fn new(id: u64, intent: &Intent) -> Self {
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
