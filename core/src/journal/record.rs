//! One call of a journal, as far as it was written down.

use super::{CLOCK_MARGIN, Despite, Digest, Intent, IntentKey, Resolution, Scope};
use crate::time::Wall;

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
    pub(super) fn is_open(self) -> bool {
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

    /// When what became of it was known, if anything was.
    pub(super) fn known_at(&self) -> Wall {
        self.ended_at.unwrap_or(self.intended_at)
    }

    /// Whether its request means what the intent's does.
    pub(super) fn means(&self, intent: &Intent) -> bool {
        match (self.meaning, intent.meaning) {
            (Some(one), Some(other)) => one == other,
            _ => self.digest == intent.digest,
        }
    }
}

impl CallRecord {
    /// The key under which its intent is found again.
    pub(super) fn key(&self) -> IntentKey {
        IntentKey::of(&self.operation, self.scope.as_ref(), self.reference.as_deref(), self.digest)
    }

    /// What was asked for.
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

    /// A call that was intended, under the number that the journal gave it.
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
