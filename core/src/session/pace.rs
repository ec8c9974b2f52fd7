//! How often a session may send to the service: back-off, enforced waits, and when they end.
//!
//! Owns the count of failed renewals and the error of the last one. Does not know what failed.

use std::sync::Arc;
use std::time::Duration;

use crate::policy::Policy;
use crate::renewal_error::RenewalError;
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
