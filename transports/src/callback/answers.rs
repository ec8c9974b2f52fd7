//! Where the first answer to each message is kept, for all processes that receive callbacks.
//!
//! Owns the two traits, for threads and for tasks, and their error. Does not know what an answer
//! says.

mod file;
mod memory;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use imts_core::callback::AnswerKey;
use imts_core::transport_error::Source;

pub use self::file::FileAnswers;
pub use self::memory::MemoryAnswers;
use crate::store::StoreError;
use crate::transport::BoxFuture;

/// Keeps the first answer to each message, by its [`AnswerKey`].
///
/// A message goes through it in two steps: it is claimed before it is decided, and its answer is
/// settled before it is sent. An implementation must do this, each step so that no other can
/// interrupt it:
///
/// - [`claim`](Answers::claim): if there is an answer, return it. If another claim of the key is
///   open, wait for [`Claim::within`] at most, and return [`AnswersError::Busy`] then. Otherwise
///   open this claim and make it durable. It is [`Claimed::First`] if no claim of this key was ever
///   opened, and otherwise [`Claimed::Again`].
/// - [`settle`](Answers::settle): if there is no answer, make this one durable. Return the answer
///   that is there now. It may be another one, if this claim was no longer open.
/// - [`release`](Answers::release): close the claim without an answer.
///
/// A claim whose process died must not stay open: it ends with the process, or once
/// [`Claim::lease`] is over by the store's own clock. A store that cannot answer must say so: a
/// claim that was not made durable must not be returned.
pub trait Answers: Send + Sync {
    /// Claims a message, or returns its answer. It may block the thread for [`Claim::within`].
    ///
    /// # Errors
    ///
    /// [`AnswersError`]: nothing may be decided.
    fn claim(&self, claim: &Claim) -> Result<Claimed, AnswersError>;

    /// Keeps an answer, unless there is one; returns the one that is to be sent.
    ///
    /// # Errors
    ///
    /// [`AnswersError`]: nothing may be sent, and the answer may be kept or not.
    fn settle(&self, claim: &Claim, answer: &[u8]) -> Result<Kept, AnswersError>;

    /// Closes a claim without an answer, if it is still open.
    fn release(&self, claim: &Claim);
}

impl<A: Answers + ?Sized> Answers for Arc<A> {
    fn claim(&self, claim: &Claim) -> Result<Claimed, AnswersError> {
        (**self).claim(claim)
    }

    fn settle(&self, claim: &Claim, answer: &[u8]) -> Result<Kept, AnswersError> {
        (**self).settle(claim, answer)
    }

    fn release(&self, claim: &Claim) {
        (**self).release(claim);
    }
}

/// [`Answers`] over an async client of the caller's own. The same rules hold here.
///
/// [`OnThreads`](super::OnThreads) makes one of any [`Answers`].
pub trait AsyncAnswers: Send + Sync {
    /// Claims a message, or returns its answer. If the future is dropped, the claim must not stay
    /// open.
    fn claim<'a>(&'a self, claim: &'a Claim) -> BoxFuture<'a, Result<Claimed, AnswersError>>;

    /// Keeps an answer, unless there is one; returns the one that is to be sent.
    fn settle<'a>(
        &'a self,
        claim: &'a Claim,
        answer: &'a [u8],
    ) -> BoxFuture<'a, Result<Kept, AnswersError>>;

    /// Closes a claim without an answer, if it is still open. It must not block: it is called when
    /// a task is dropped. If it does nothing, the claim ends with its [lease](Claim::lease).
    fn release(&self, claim: &Claim);
}

/// One attempt to decide about a message.
#[derive(Clone, Debug)]
pub struct Claim {
    key: AnswerKey,
    holder: u64,
    fingerprint: String,
    within: Duration,
    lease: Duration,
}

impl Claim {
    /// Makes a claim. The holder is a number that no other claim has, in any process. The
    /// fingerprint is that of the message, and is kept with the answer.
    #[must_use]
    pub fn new(key: AnswerKey, holder: u64, fingerprint: impl Into<String>) -> Self {
        let (within, lease) = (WITHIN, LEASE);
        Self { key, holder, fingerprint: fingerprint.into(), within, lease }
    }

    /// Sets how long a store waits for another claim of the same key, and how long a claim may be
    /// open after its process died.
    #[must_use]
    pub fn with_times(self, within: Duration, lease: Duration) -> Self {
        Self { within, lease, ..self }
    }

    /// Returns the key of the message.
    #[must_use]
    pub fn key(&self) -> &AnswerKey {
        &self.key
    }

    /// Returns the number of this claim.
    #[must_use]
    pub fn holder(&self) -> u64 {
        self.holder
    }

    /// Returns the fingerprint of the message: hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns how long a store waits for another claim of the same key.
    #[must_use]
    pub fn within(&self) -> Duration {
        self.within
    }

    /// Returns how long a claim may stay open after its process died, for a store that does not
    /// notice that.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease
    }
}

/// What is known about a message that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It was never claimed before. This claim is open.
    First,
    /// It was claimed before, and not settled: that process died, or could not decide. This claim
    /// is open.
    Again,
    /// It was answered before.
    Answered(Kept),
}

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The fingerprint of the message that was answered.
    pub fingerprint: String,
    /// The bytes of the answer.
    pub answer: Vec<u8>,
}

/// Why answers cannot be kept or read. Nothing may be decided or sent then.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnswersError {
    /// Another claim of the same message was open all the time.
    Busy,
    /// The answers cannot be read or written. The source says why.
    Unreachable(Source),
}

impl AnswersError {
    /// Returns an error for answers that cannot be read or written, for this reason.
    #[must_use]
    pub fn unreachable(why: impl StdError + Send + Sync + 'static) -> Self {
        Self::Unreachable(Arc::new(why))
    }
}

impl From<StoreError> for AnswersError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TimedOut => Self::Busy,
            other => Self::unreachable(other),
        }
    }
}

impl fmt::Display for AnswersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the same message is being decided at this moment"),
            Self::Unreachable(_) => f.write_str("the answers to callbacks cannot be kept"),
        }
    }
}

impl StdError for AnswersError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Busy => None,
            Self::Unreachable(why) => Some(why.as_ref()),
        }
    }
}

/// How long a delivery waits for another one of the same message.
const WITHIN: Duration = Duration::from_secs(10);

/// How long a claim may stay open after its process died.
const LEASE: Duration = Duration::from_secs(120);
