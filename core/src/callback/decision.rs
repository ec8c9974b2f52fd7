//! What the merchant decides about a message.
//!
//! Owns which answers a message admits: a rejection only as long as the gateway takes one. Does not
//! know how an answer is signed.

use std::fmt;

use super::key::AnswerKey;
use crate::sign::pg_sig::{OwnUrl, Salt};

/// A decision about one message. Its answer is made by
/// [`Receiver::answer`](super::Receiver::answer). Only the message itself makes one, so it always
/// belongs to that message.
#[derive(Clone, Debug)]
#[must_use]
pub struct Decision {
    pub(super) url: OwnUrl,
    pub(super) word: Word,
    pub(super) description: String,
    /// That of the message.
    pub(super) salt: Option<Salt>,
    key: Option<AnswerKey>,
    alarm: Option<Alarm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Ok,
    Rejected,
    Error,
}

impl Word {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Error => "error",
        }
    }
}

impl Decision {
    pub(super) fn new(url: OwnUrl, word: Word, description: &str) -> Self {
        let description = plain(description);
        Self { url, word, description, salt: None, key: None, alarm: None }
    }

    pub(super) fn for_message(self, salt: Option<Salt>, key: Option<AnswerKey>) -> Self {
        Self { salt, key, ..self }
    }

    pub(super) fn with_alarm(self, alarm: Alarm) -> Self {
        Self { alarm: Some(alarm), ..self }
    }

    /// Returns the key of the message; a check has none, because its answers are not kept.
    #[must_use]
    pub fn key(&self) -> Option<&AnswerKey> {
        self.key.as_ref()
    }

    /// Returns what a person must do, if there is something.
    #[must_use]
    pub fn alarm(&self) -> Option<&Alarm> {
        self.alarm.as_ref()
    }

    /// Returns the status that the answer has: `ok`, `rejected` or `error`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        self.word.as_str()
    }
}

/// A description that cannot make the answer another message: control characters become spaces, `;`
/// becomes a comma, and 255 characters are kept.
fn plain(text: &str) -> String {
    let plain = |character: char| match character {
        ';' => ',',
        character if character.is_control() => ' ',
        '\u{fffe}' | '\u{ffff}' => ' ',
        character => character,
    };
    text.trim().chars().map(plain).take(LONGEST).collect::<String>().trim_end().to_owned()
}

/// Whether a message may be the first of its kind.
///
/// Only the keeper of the answers knows. It gives a [`FirstDelivery`] once for each key.
#[derive(Debug)]
pub enum Delivery {
    /// No delivery of this message was decided before.
    First(FirstDelivery),
    /// An earlier delivery failed, or may have: the gateway no longer takes a rejection.
    Again,
}

/// Says that a message has not been delivered before. It can be used once.
#[derive(Debug)]
#[must_use]
pub struct FirstDelivery(());

impl FirstDelivery {
    /// Vouches for it. Do so only if an answer to this key was neither stored nor begun before, and
    /// this is now on record.
    pub fn vouch() -> Self {
        Self(())
    }
}

/// The right to reject a payment: `pg_can_reject` is 1, and it is the first delivery. The gateway
/// ignores any other rejection (published): the money is then taken, and the order is lost.
#[derive(Debug)]
#[must_use]
pub struct Rejection {
    pub(super) _first: FirstDelivery,
    pub(super) salt: Option<Salt>,
    pub(super) key: AnswerKey,
}

impl Rejection {
    /// Rejects the payment. The payer sees the description (published).
    pub fn reject(self, description: &str) -> Decision {
        Decision::new(OwnUrl::Result, Word::Rejected, description)
            .for_message(self.salt, Some(self.key))
    }
}

/// What a person must look into.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alarm {
    /// A payment is not wanted and can no longer be rejected: the money was taken. Refund it by
    /// hand.
    RefundByHand {
        /// The key of the message, which has the payment's id.
        key: AnswerKey,
    },
    /// A message has the key of an answered one, and other contents. It got the first answer.
    Contradiction {
        /// The key of both messages.
        key: AnswerKey,
    },
    /// The merchant's own code could not decide. The gateway will deliver the message again, and
    /// will take no rejection then.
    Undecided {
        /// The key of the message; `None` for a check.
        key: Option<AnswerKey>,
    },
    /// Answers cannot be kept, so nothing was decided.
    Store {
        /// The key of the message.
        key: AnswerKey,
    },
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RefundByHand { key } => {
                write!(f, "{key}: a payment that is not wanted was taken: refund it by hand")
            }
            Self::Contradiction { key } => write!(
                f,
                "{key}: a repeated message says something else than the first: ask for the status"
            ),
            Self::Undecided { key: Some(key) } => write!(f, "{key}: no decision was made"),
            Self::Undecided { key: None } => f.write_str("no decision was made about a check"),
            Self::Store { key } => {
                write!(f, "{key}: the answers cannot be kept, so nothing was decided")
            }
        }
    }
}

/// The longest description, in characters.
const LONGEST: usize = 255;
