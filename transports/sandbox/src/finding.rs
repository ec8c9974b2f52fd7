//! What a client or a receiver did that it must not do: the sandbox's list in red.
//!
//! Owns the list and the words for its entries. No entry holds a secret, a token or a token's id.

use serde::Serialize;

use crate::time::Time;

/// One thing that a client or a receiver of callbacks must not do, and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// When it was seen, by the time that the sandbox was given, in microseconds since 1970.
    pub at_us: i64,
    /// What was done.
    pub mistake: Mistake,
    /// The number of the payment or payout, if the mistake is about one.
    pub payment_id: Option<u64>,
}

/// A mistake that costs money, or a user's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mistake {
    /// A refresh token of Freedom ID was sent again after it was used.
    RefreshTokenReused,
    /// An authorization code was sent again after it was used.
    CodeReused,
    /// A receiver answered a repeat of a callback with other bytes than the first time.
    AnswerChanged,
    /// A receiver's answer is not one XML element `response` of flat fields.
    AnswerUnreadable,
    /// A receiver's answer has no signature, or a wrong one.
    AnswerUnsigned,
    /// A receiver rejected a result that could not be rejected any more: the money stays taken.
    RejectedTooLate,
    /// A receiver answered `ok` to a message with a wrong signature.
    ForgeryAccepted,
}

impl Mistake {
    /// Describes the mistake in a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RefreshTokenReused => "a refresh token was sent again after it was used",
            Self::CodeReused => "an authorization code was sent again after it was used",
            Self::AnswerChanged => "the answer to a repeated callback differs from the first one",
            Self::AnswerUnreadable => {
                "the answer to a callback is not the XML that the page prints"
            }
            Self::AnswerUnsigned => "the answer to a callback is not signed, or wrongly",
            Self::RejectedTooLate => "a result was rejected that could not be rejected any more",
            Self::ForgeryAccepted => "a callback with a wrong signature was answered with ok",
        }
    }
}

/// The findings, oldest first. Beyond its limit the oldest half is forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    pub(crate) fn push(&mut self, at: Time, mistake: Mistake, payment_id: Option<u64>) {
        if self.list.len() >= MOST {
            self.list.drain(..MOST / 2);
        }
        self.list.push(Finding { at_us: at.micros(), mistake, payment_id });
    }

    pub(crate) fn all(&self) -> &[Finding] {
        &self.list
    }
}

/// How many findings are kept at most.
const MOST: usize = 10_000;
