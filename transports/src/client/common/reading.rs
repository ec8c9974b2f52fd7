//! When the credentials callback may be called.
//!
//! Owns the pace. Does not know what the session needs, and calls nothing.

use std::sync::Arc;
use std::time::Duration;

use imts_core::time::Mono;
use imts_core::transport_error::Source;
use imts_core::{Now, Policy};

/// When the callback was called, and what came of it.
#[derive(Default)]
pub(crate) struct Reading {
    /// Until when the flight that is reading now should have read.
    pub(super) until: Option<Mono>,
    /// The number of the last reading that counts.
    pub(super) serial: u64,
    /// Readings in a row after which no sign-in has worked.
    in_vain: u32,
    not_before: Option<Mono>,
    /// Why the last reading failed.
    pub(super) failure: Option<Arc<Source>>,
    /// Whether the caller has signed out.
    pub(super) is_off: bool,
}

impl Reading {
    /// The caller gave credentials.
    pub(super) fn signed_in(&mut self) {
        self.is_off = false;
        self.failure = None;
        self.abandon();
    }

    /// The caller wants no session any more.
    pub(super) fn signed_out(&mut self) {
        *self = Self { is_off: true, serial: self.serial, ..Self::default() };
        self.abandon();
    }

    /// A grant came in.
    pub(super) fn succeeded(&mut self) {
        (self.in_vain, self.not_before, self.failure) = (0, None, None);
    }

    /// No flight is under way, so no reading is.
    pub(super) fn without_flight(&mut self) {
        self.until = None;
    }

    /// What is being read now does not count any more.
    pub(super) fn abandon(&mut self) {
        self.until = None;
        self.serial += 1;
    }

    pub(super) fn begin(&mut self, until: Mono) -> u64 {
        self.until = Some(until);
        self.serial += 1;
        self.serial
    }

    pub(super) fn may_begin(&self, now: Now) -> bool {
        self.until.is_none() && self.wait(now).is_zero()
    }

    pub(super) fn wait(&self, now: Now) -> Duration {
        self.not_before.map_or(Duration::ZERO, |at| at.since(now.mono))
    }

    /// The reading has ended. The next one waits: if this one brought nothing new, as long as a
    /// renewal that failed. If it brought a secret that the service may refuse too, the next one is
    /// at the pace of forbidden sign-ins, because accounts get locked.
    pub(super) fn ended(&mut self, read: &Result<News, Arc<Source>>, policy: &Policy, now: Now) {
        self.in_vain = self.in_vain.saturating_add(1);
        let wait = match read {
            Ok(News::NewSecret) => policy.slow_retry(self.in_vain),
            Ok(News::Nothing) | Err(_) => policy.backoff(self.in_vain, now.mono.as_micros()),
        };
        self.not_before = Some(now.mono.after(wait));
        self.failure = read.as_ref().err().cloned();
    }
}

/// What a reading brought.
pub(super) enum News {
    NewSecret,
    /// The session knows the secret already, and needs another one.
    Nothing,
}
