//! How often a session may bother the service: back-off, quiet times, and when they are over.
//!
//! Owns the count of failed renewals and the last one's trouble. Knows nothing of what failed.

use std::sync::Arc;
use std::time::Duration;

use crate::policy::Policy;
use crate::time::Mono;
use crate::trouble::Trouble;

#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Failed renewals since one settled.
    failures: u32,
    /// No renewal before this.
    quiet_until: Option<Mono>,
    /// Since when there was a grant and no failure.
    good_since: Option<Mono>,
    /// Whether a token was rejected while it was young, and none has settled since.
    on_probation: bool,
    /// Why the last renewal failed, and when.
    last: Option<(Arc<Trouble>, Mono)>,
}

impl Pace {
    /// A renewal failed: the next one waits for the longest of back-off, what the service asks, and
    /// what it asked for before.
    pub(crate) fn failed(&mut self, trouble: Arc<Trouble>, now: Mono, policy: &Policy) {
        self.failures = self.failures.saturating_add(1);
        let backoff = policy.backoff(self.failures, now.as_micros());
        let wait: Duration = backoff.max(policy.obeyed(trouble.retry_after()));
        self.be_quiet_until(now.after(wait));
        self.good_since = None;
        self.last = Some((trouble, now));
    }

    /// The service rejected a token while it was young. The first one may have been revoked: its
    /// renewal follows at once. If the token that replaced it is rejected too, that renewal failed.
    pub(crate) fn rejected(&mut self, trouble: Trouble, now: Mono, policy: &Policy) {
        if std::mem::replace(&mut self.on_probation, true) {
            self.failed(trouble.into(), now, policy);
        } else {
            self.good_since = None;
            self.last = Some((trouble.into(), now));
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

    /// A renewal was forbidden: how long to wait is its own matter, unless the service asks for more.
    pub(crate) fn forbidden(&mut self, trouble: Arc<Trouble>, now: Mono, policy: &Policy) {
        self.be_quiet_until(now.after(policy.obeyed(trouble.retry_after())));
        self.good_since = None;
        self.last = Some((trouble, now));
    }

    /// A renewal failed in a way that waiting does not mend.
    pub(crate) fn noted(&mut self, trouble: Arc<Trouble>, now: Mono) {
        self.last = Some((trouble, now));
    }

    /// A grant came in that lives too short a time for the next renewal to follow at once.
    pub(crate) fn rests(&mut self, until: Mono, trouble: Arc<Trouble>, now: Mono) {
        self.be_quiet_until(until);
        self.last = Some((trouble, now));
    }

    /// A grant came in. The failures before it are forgiven once it has settled.
    pub(crate) fn succeeded(&mut self, now: Mono) {
        self.quiet_until = None;
        self.good_since.get_or_insert(now);
        self.last = None;
    }

    /// Forgives the failures where all has been well for long enough.
    pub(crate) fn settle(&mut self, now: Mono, policy: &Policy) {
        if self.has_settled(now, policy) {
            self.failures = 0;
            self.on_probation = false;
        }
    }

    fn has_settled(&self, now: Mono, policy: &Policy) -> bool {
        self.good_since.is_some_and(|since| now.since(since) >= policy.settle)
    }

    /// Until when to be quiet, and why; `None` when a renewal is welcome.
    pub(crate) fn quiet(&self, now: Mono) -> Option<(Mono, Arc<Trouble>)> {
        Some((self.quiet_until(now)?, self.last.clone()?.0))
    }

    pub(crate) fn quiet_until(&self, now: Mono) -> Option<Mono> {
        self.quiet_until.filter(|until| now < *until)
    }

    fn be_quiet_until(&mut self, until: Mono) {
        self.quiet_until = self.quiet_until.max(Some(until));
    }

    pub(crate) fn last(&self) -> Option<&Arc<Trouble>> {
        self.last.as_ref().map(|(trouble, _)| trouble)
    }

    pub(crate) fn last_at(&self) -> Option<(&Arc<Trouble>, Mono)> {
        self.last.as_ref().map(|(trouble, at)| (trouble, *at))
    }

    /// Failed renewals since one settled.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}
