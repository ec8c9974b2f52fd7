//! What a journal knows of its calls, and what it must permit: a second opinion, from the rules
//! alone.
//!
//! Learns of each record as it becomes durable, and of its meaning from the faults that the call
//! has met. Asks neither the book nor the call.

use std::time::Duration;

use imts_core::call::Ending;
use imts_core::journal::{CallState, Despite, Entry, IntentError, Resolution};
use imts_core::time::Wall;

use super::asks::Ask;

/// How much longer than it says a sender counts as alive.
const MARGIN: Duration = Duration::from_secs(10);

/// One call in one journal.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: u64,
    /// Its place among all calls that were ever admitted anywhere.
    pub(super) number: u64,
    pub(super) ask: Ask,
    pub(super) version: Version,
    pub(super) state: State,
    /// When it was last about to be sent.
    pub(super) sent_at: Option<Wall>,
    /// Until when its sender may be alive, as far as the journal knows.
    pub(super) sending_until: Option<Wall>,
    /// The same as it is written down.
    pub(super) written_until: Option<Wall>,
    pub(super) ended_at: Option<Wall>,
    pub(super) resolution: Option<Resolution>,
    /// Whether the journal does not know its number any more.
    pub(super) is_forgotten: bool,
}

/// Which version of the journal's form wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Present,
    /// The first one, with a reference.
    FirstNamed,
    /// The first one, without a reference.
    FirstNameless,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing of it may have left.
    Intended,
    /// It may have left.
    Doubt,
    Done,
    Refused,
    NotSent,
}

impl State {
    pub(super) fn after(ending: Ending) -> Self {
        match ending {
            Ending::Done => Self::Done,
            Ending::Refused => Self::Refused,
            Ending::Unknown => Self::Doubt,
            Ending::NotSent => Self::NotSent,
        }
    }

    pub(super) fn is(self, state: CallState) -> bool {
        matches!(
            (self, state),
            (Self::Intended, CallState::Intended)
                | (Self::Doubt, CallState::InDoubt)
                | (Self::Done, CallState::Done)
                | (Self::Refused, CallState::Refused)
                | (Self::NotSent, CallState::NotSent)
        )
    }
}

/// The answer that a caller must get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Admitted,
    InProgress(u64),
    Conflict(u64),
    InDoubt(u64),
    AlreadyDone(u64, Wall),
}

impl Known {
    /// Whether it may stand against what is asked for.
    pub(super) fn is_of(&self, ask: &Ask) -> bool {
        match self.version {
            Version::Present => self.ask.key == ask.key,
            Version::FirstNamed => {
                self.ask.name == ask.name && self.ask.key.reference() == ask.key.reference()
            }
            Version::FirstNameless => self.ask.name == ask.name && self.ask.body == ask.body,
        }
    }

    /// Whether this may be written down after what is known of it.
    pub(super) fn takes(&self, entry: &Entry, at: Wall) -> bool {
        let is_open = matches!(self.state, State::Intended | State::Doubt);
        match entry {
            Entry::Intent(_) => false,
            Entry::Sending { .. } => is_open,
            // A sender that is not dead after all corrects what was found out too early.
            Entry::Ended { ending, .. } if self.resolution.is_some() => {
                matches!(ending, Ending::Done | Ending::Unknown) && self.state != State::Done
            }
            Entry::Ended { .. } => is_open,
            Entry::Resolved { .. } => self.state == State::Doubt && self.alive_until(at).is_none(),
        }
    }

    /// Until when its sender counts as alive.
    pub(super) fn alive_until(&self, at: Wall) -> Option<Wall> {
        self.sending_until.map(|until| until.after(MARGIN)).filter(|until| at < *until)
    }

    /// Whether this is the call that a decision names.
    pub(super) fn has_number(&self, id: u64) -> bool {
        self.id == id && !self.is_forgotten
    }

    fn means(&self, ask: &Ask) -> bool {
        match self.version {
            Version::Present => self.ask.amount == ask.amount && self.ask.key == ask.key,
            Version::FirstNamed | Version::FirstNameless => self.ask.body == ask.body,
        }
    }

    fn stands(&self) -> bool {
        match self.state {
            State::Doubt => true,
            State::Done => self.version != Version::FirstNameless,
            State::Intended | State::Refused | State::NotSent => false,
        }
    }
}

/// The newest call that stands against what is asked for, whatever is decided of it.
pub(super) fn standing<'a>(known: &'a [Known], ask: &Ask) -> Option<&'a Known> {
    known.iter().rev().find(|call| call.is_of(ask) && call.stands())
}

/// The answer that a caller must get from a journal that knows these calls.
pub(super) fn answer(known: &[Known], ask: &Ask) -> Answer {
    let decided = ask.despite.as_ref().map(|despite| despite.id);
    let decided = decided.filter(|id| known.iter().any(|it| it.has_number(*id) && it.is_of(ask)));
    match standing(known, ask).filter(|call| decided.is_none_or(|id| call.id > id)) {
        None => Answer::Admitted,
        Some(call) if !call.means(ask) => Answer::Conflict(call.id),
        Some(call) if call.state == State::Done => {
            Answer::AlreadyDone(call.id, call.ended_at.expect("it has ended"))
        }
        Some(call) => Answer::InDoubt(call.id),
    }
}

/// The answer that a caller must get while another caller sends the same intent, as call `id`.
pub(super) fn beside(other: &Ask, id: u64, ask: &Ask) -> Answer {
    match other.amount == ask.amount {
        true => Answer::InProgress(id),
        false => Answer::Conflict(id),
    }
}

/// The answer that a caller got. The error must name what was asked for.
pub(super) fn told(error: &IntentError, ask: &Ask) -> Answer {
    match error {
        IntentError::InProgress { id, operation, reference }
        | IntentError::Conflict { id, operation, reference }
        | IntentError::InDoubt { id, operation, reference }
        | IntentError::AlreadyDone { id, operation, reference, .. } => {
            assert_eq!((&**operation, &**reference), (ask.name, ask.key.reference()), "{error}");
            match error {
                IntentError::InProgress { .. } => Answer::InProgress(*id),
                IntentError::Conflict { .. } => Answer::Conflict(*id),
                IntentError::AlreadyDone { at, .. } => Answer::AlreadyDone(*id, *at),
                _ => Answer::InDoubt(*id),
            }
        }
        other => panic!("there is a reference: {other}"),
    }
}

/// A decision to send it in spite of this record.
pub(super) fn despite(id: u64) -> Despite {
    Despite { id, reason: format!("call {id} is lost"), by: Some("an auditor".to_owned()) }
}

/// The answer that a caller must get whose call is about to leave, if another call of the same intent has
/// left before, by another client of the same journal.
pub(super) fn outrun(known: &[Known], id: u64, ask: &Ask) -> Option<Answer> {
    let others = known.iter().filter(|it| it.version == Version::Present && it.ask.key == ask.key);
    let despite = ask
        .despite
        .as_ref()
        .map(|despite| despite.id)
        .filter(|decided| *decided < id && others.clone().any(|it| it.has_number(*decided)));
    let stands = |it: &&Known| it.id != id && despite.is_none_or(|of| it.id > of) && it.stands();
    let other = others.filter(stands).max_by_key(|it| it.id)?;
    Some(match other.state {
        _ if other.ask.amount != ask.amount => Answer::Conflict(other.id),
        State::Done => Answer::AlreadyDone(other.id, other.ended_at.expect("it has ended")),
        _ => Answer::InProgress(other.id),
    })
}
