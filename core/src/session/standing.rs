//! What the service has said about the secrets that a session was given.
//!
//! Owns the count of refusals for each secret, and the pace at which a forbidden request is
//! retried. A secret is identified by a hash, so that a refused one need not be kept. Does not read
//! replies: [`judge`](super::judge) decides which reply refuses a secret, and which only forbids
//! its use.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::policy::Policy;
use crate::renewal_error::RenewalError;
use crate::time::Mono;

/// What the service has said about one secret.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    /// Whether it ever worked.
    worked: bool,
    /// Refusals in a row since it last worked.
    refusals: u32,
    /// Whether it was refused and is not retried. Only another secret helps then.
    is_dead: bool,
    pub(super) slow: Slow,
}

/// What follows a refusal of a secret.
pub(super) enum Next {
    /// Nothing: the secret is dead.
    Nothing,
    /// Another try after a back-off.
    BackOff,
    /// Another try after minutes.
    Slow,
}

impl Standing {
    /// The service refused the secret. If the secret has worked before, the refusal may be
    /// temporary. If it never worked, it is wrong, and more tries may lock the account.
    pub(super) fn is_refused(
        &mut self,
        failure: &Arc<RenewalError>,
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
            self.slow.again(failure, now, policy);
            Next::Slow
        }
    }

    /// The standing of a secret that works only once, and may have been used.
    pub(super) fn used_up() -> Self {
        Self { is_dead: true, ..Self::default() }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.is_dead
    }

    /// Whether it was refused and may be retried.
    pub(super) fn is_doubted(&self) -> bool {
        self.refusals > 0
    }

    pub(super) fn worked(&self) -> bool {
        self.worked
    }
}

/// How many times a secret that never worked is tried at most, even if the policy allows more.
const MOST_TRIES: u32 = 3;

/// The pace of a request that was forbidden: after minutes, then hourly.
#[derive(Clone, Debug, Default)]
pub(super) struct Slow {
    times: u32,
    until: Option<(Mono, Arc<RenewalError>)>,
}

impl Slow {
    /// The request was forbidden again.
    pub(super) fn again(&mut self, failure: &Arc<RenewalError>, now: Mono, policy: &Policy) {
        self.times = self.times.saturating_add(1);
        self.until = Some((now.after(policy.slow_retry(self.times)), Arc::clone(failure)));
    }

    /// Until when not to send it, and why.
    pub(super) fn until(&self, now: Mono) -> Option<(Mono, Arc<RenewalError>)> {
        self.until.clone().filter(|(until, _)| now < *until)
    }
}

/// What the service said about the latest secrets. A secret that is given again does not count as
/// new.
#[derive(Default)]
pub(super) struct Standings {
    known: VecDeque<(u64, Standing)>,
    /// The secret that was given last, even if the session has dropped it.
    last: Option<u64>,
}

/// How many are remembered.
const KEPT: usize = 16;

impl Standings {
    /// The standing of the secret with this fingerprint. If the secret is not known, it is the
    /// standing of a new one. It reserves memory now, so that noting a grant later allocates
    /// nothing.
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

    /// The secret that was given last has worked, whether or not it is still held. Its success may
    /// come after another request with it was refused.
    pub(super) fn last_has_worked(&mut self) -> Standing {
        let standing = Standing { worked: true, ..Standing::default() };
        if let Some(last) = self.last {
            self.note(last, standing.clone());
        }
        standing
    }

    /// The secret that was given last has worked, and works only once.
    pub(super) fn last_is_used_up(&mut self) {
        if let Some(last) = self.last {
            self.note(last, Standing::used_up());
        }
    }

    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.last = None;
    }
}

impl fmt::Debug for Standings {
    /// Leaves out the fingerprints, which would help to guess a short secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known.iter().map(|(_, standing)| standing)).finish()
    }
}
