//! What the service thinks of the secrets that a session was given.
//!
//! Owns the count of refusals for each secret, and how slowly a request is repeated that was
//! forbidden. A secret is known by a hash: one that was refused is not kept for that. Knows nothing of
//! replies: what refuses a secret, and what only forbids its use, is [`judge`](super::judge)'s matter.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::policy::Policy;
use crate::time::Mono;
use crate::trouble::Trouble;

/// What the service thinks of one secret.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Whether it ever worked.
    worked: bool,
    /// Refusals in a row since.
    refusals: u32,
    /// Whether it was refused for good: only another secret helps.
    is_dead: bool,
    pub(super) slow: Slow,
}

/// What is to follow a refusal of a secret.
pub(super) enum Next {
    /// Nothing: it is dead.
    Nothing,
    /// Another try, after a back-off.
    BackOff,
    /// Another try, after minutes.
    Slow,
}

impl Standing {
    /// The service refused the secret. A secret that worked may be refused in passing, one that never
    /// worked is wrong: more tries may lock the account.
    pub(super) fn is_refused(
        &mut self,
        trouble: &Arc<Trouble>,
        now: Mono,
        policy: &Policy,
    ) -> Next {
        self.refusals = self.refusals.saturating_add(1);
        let tries = if self.worked { policy.refusals } else { policy.secret_tries.min(MOST_TRIES) };
        if self.refusals >= tries {
            self.is_dead = true;
            Next::Nothing
        } else if self.worked {
            Next::BackOff
        } else {
            self.slow.again(trouble, now, policy);
            Next::Slow
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// Whether it was refused, and may be tried again.
    pub(super) fn is_doubted(&self) -> bool {
        self.refusals > 0
    }

    pub(super) fn worked(&self) -> bool {
        self.worked
    }
}

/// How often a secret that never worked is tried, whatever the policy says.
const MOST_TRIES: u32 = 3;

/// The pace of a request that was forbidden: after minutes, then hourly.
#[derive(Clone, Debug, Default)]
pub(super) struct Slow {
    times: u32,
    until: Option<(Mono, Arc<Trouble>)>,
}

impl Slow {
    /// The request was forbidden once more.
    pub(super) fn again(&mut self, trouble: &Arc<Trouble>, now: Mono, policy: &Policy) {
        self.times = self.times.saturating_add(1);
        self.until = Some((now.after(policy.slow_retry(self.times)), Arc::clone(trouble)));
    }

    /// Until when not to send it, and why.
    pub(super) fn until(&self, now: Mono) -> Option<(Mono, Arc<Trouble>)> {
        self.until.clone().filter(|(until, _)| now < *until)
    }
}

/// The standings of the latest secrets, so that one that is given again is not taken for a new one.
#[derive(Default)]
pub(super) struct Standings {
    known: VecDeque<(u64, Standing)>,
    /// The secret that was given last, also once it is no longer held.
    last: Option<u64>,
}

/// How many are remembered.
const KEPT: usize = 16;

impl Standings {
    /// The standing of a secret with this fingerprint; that of a new one, if it is not known. There is
    /// room for it from here on: a grant that is noted allocates nothing.
    pub(super) fn of(&mut self, fingerprint: u64) -> Standing {
        self.last = Some(fingerprint);
        self.known.reserve(1);
        let known = self.known.iter().find(|(known, _)| *known == fingerprint);
        known.map(|(_, standing)| standing.clone()).unwrap_or_default()
    }

    pub(super) fn note(&mut self, fingerprint: u64, standing: Standing) {
        self.known.retain(|(known, _)| *known != fingerprint);
        if self.known.len() >= KEPT {
            self.known.pop_front();
        }
        self.known.push_back((fingerprint, standing));
    }

    /// The secret that was given last has worked, whether or not it is still held: its success may come
    /// after the refusal of another request with it.
    pub(super) fn last_has_worked(&mut self) -> Standing {
        let standing = Standing { worked: true, ..Standing::default() };
        if let Some(last) = self.last {
            self.note(last, standing.clone());
        }
        standing
    }

    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.last = None;
    }
}

impl fmt::Debug for Standings {
    /// Without the fingerprints, by which a short secret could be found.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known.iter().map(|(_, standing)| standing)).finish()
    }
}
