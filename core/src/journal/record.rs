//! One call of a journal, as recorded.

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

/// What is known about a call.
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
