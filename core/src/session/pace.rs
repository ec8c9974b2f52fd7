//! What a failure leaves behind: how long a session waits, which secret it does not try again, and
//! which token it does not hand out again.
//!
//! Owns the count of failed renewals and the last one's error, the count of refusals for each
//! secret, and the bounded list of rejected tokens. A secret is identified by a hash, so that a
//! refused one need not be kept. Does not read replies: [`judge`](super::judge) decides which reply
//! refuses a secret, and which only forbids its use.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use crate::policy::Policy;
use crate::renewal_error::RenewalError;
use crate::secret::Bearer;
use crate::time::Mono;

#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Failed renewals since a token last settled.
    failures: u32,
    /// No renewal may begin before this time.
    not_before: Option<Mono>,
    /// Since when there has been a grant and no failure.
    good_since: Option<Mono>,
    /// Whether a token was rejected while it was young, and none has settled since.
    on_probation: bool,
    /// Why the last renewal failed, and when.
    last: Option<(Arc<RenewalError>, Mono)>,
}

impl Pace {
    /// A renewal failed. The next one waits for the longest of the back-off, the wait that the
    /// service asks for, and the wait that it asked for before.
    pub(crate) fn failed(&mut self, failure: Arc<RenewalError>, now: Mono, policy: &Policy) {
        self.failures = self.failures.saturating_add(1);
        let backoff = policy.backoff(self.failures, now.as_micros());
        let wait: Duration = backoff.max(policy.obeyed(failure.retry_after()));
        self.wait_until(now.after(wait));
        self.good_since = None;
        self.last = Some((failure, now));
    }

    /// The service rejected a token while it was young. The first such token may have been revoked:
    /// its renewal follows at once. If the token that replaced it is rejected too, the renewal
    /// counts as failed.
    pub(crate) fn rejected(&mut self, failure: RenewalError, now: Mono, policy: &Policy) {
        if std::mem::replace(&mut self.on_probation, true) {
            self.failed(failure.into(), now, policy);
        } else {
            self.good_since = None;
            self.last = Some((failure.into(), now));
        }
    }

    /// The token that came into use replaces one that was rejected, as another process saw.
    pub(crate) fn is_put_on_probation(&mut self, now: Mono) {
        self.on_probation = true;
        self.good_since = self.good_since.map(|_| now);
    }

    /// Whether the present token, or the next one, replaces one that was rejected while it was young.
    pub(crate) fn is_on_probation(&self, now: Mono, policy: &Policy) -> bool {
        self.on_probation && !self.has_settled(now, policy)
    }

    /// A sibling's count of failed renewals holds for all.
    pub(crate) fn counts(&mut self, failures: u32) {
        self.failures = failures;
        if failures > 0 {
            self.good_since = None;
        }
    }

    /// A renewal was forbidden. `Slow` decides the wait, unless the service asks for a longer one.
    pub(crate) fn forbidden(&mut self, failure: Arc<RenewalError>, now: Mono, policy: &Policy) {
        self.wait_until(now.after(policy.obeyed(failure.retry_after())));
        self.good_since = None;
        self.last = Some((failure, now));
    }

    /// A renewal failed, and waiting does not help.
    pub(crate) fn noted(&mut self, failure: Arc<RenewalError>, now: Mono) {
        self.last = Some((failure, now));
    }

    /// A grant came in whose lifetime is too short for the next renewal to follow at once.
    pub(crate) fn rests(&mut self, until: Mono, failure: Arc<RenewalError>, now: Mono) {
        self.wait_until(until);
        self.last = Some((failure, now));
    }

    /// A grant came in. The failures before it are cleared once it has settled.
    pub(crate) fn succeeded(&mut self, now: Mono) {
        self.not_before = None;
        self.good_since.get_or_insert(now);
        self.last = None;
    }

    /// Clears the failures if nothing has failed for long enough.
    pub(crate) fn settle(&mut self, now: Mono, policy: &Policy) {
        if self.has_settled(now, policy) {
            self.failures = 0;
            self.on_probation = false;
        }
    }

    fn has_settled(&self, now: Mono, policy: &Policy) -> bool {
        self.good_since.is_some_and(|since| now.since(since) >= policy.settle)
    }

    /// Until when no renewal may begin, and why. `None` if one may begin now.
    pub(crate) fn back_off(&self, now: Mono) -> Option<(Mono, Arc<RenewalError>)> {
        Some((self.not_before(now)?, self.last.clone()?.0))
    }

    pub(crate) fn not_before(&self, now: Mono) -> Option<Mono> {
        self.not_before.filter(|until| now < *until)
    }

    fn wait_until(&mut self, until: Mono) {
        self.not_before = self.not_before.max(Some(until));
    }

    pub(crate) fn last(&self) -> Option<&Arc<RenewalError>> {
        self.last.as_ref().map(|(failure, _)| failure)
    }

    pub(crate) fn last_at(&self) -> Option<(&Arc<RenewalError>, Mono)> {
        self.last.as_ref().map(|(failure, at)| (failure, *at))
    }

    /// Failed renewals since a token last settled.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

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

/// The latest rejected tokens. The service may grant one of them again, or a sibling may bring it
/// back.
#[derive(Debug, Default)]
pub(super) struct Rejected(VecDeque<HeaderValue>);

/// How many are remembered. Sessions that share a store can bring back as many tokens as there are
/// sessions.
const REJECTED: usize = 16;

impl Rejected {
    pub(super) fn add(&mut self, bearer: &Bearer) {
        if self.0.len() >= REJECTED {
            self.0.pop_front();
        }
        self.0.push_back(bearer.header().clone());
    }

    pub(super) fn has(&self, bearer: &Bearer) -> bool {
        self.0.iter().any(|header| bearer.has_token_of(header))
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
