//! How a renewal is made: who does it, by which exchange, with which token.
//!
//! Owns the order of the checks (busy, route, wait, mark, send), the time limit of an exchange, and what is known about the refresh
//! token's use when it is sent. Does not judge replies: [`judge`](super::judge) does.

use std::sync::Arc;

use http::Request;

use super::grant;
use super::pace::Standing;
use super::store::Saving;
use super::{Flight, Keep, Session, Step, Ticket};
use crate::exchange::{Exchange, Purpose};
use crate::policy::{Replay, UnhandledRefresh};
use crate::renewal_error::RenewalError;
use crate::saved::RefreshUse;
use crate::secret::Body;
use crate::time::{Mono, Now};

impl Session {
    /// Starts the ticket's time limit again, because nobody drove its exchange until now. The time
    /// that a stopped runtime or a frozen process loses does not count against the service.
    ///
    /// Returns whether the limit starts again. It does not if the time limit has not passed yet,
    /// nor more than three times for one ticket. The session therefore gives up in the end an
    /// exchange that nobody drives.
    pub fn postpone(&mut self, ticket: Ticket, now: Now) -> bool {
        let now = self.observe(now);
        let time_limit = self.policy.time_limit;
        let flight = self.flight.as_mut().filter(|flight| flight.is_of(ticket));
        let Some(flight) = flight.filter(|it| now.mono >= it.deadline) else { return false };
        let Some(left) = flight.postponable.checked_sub(1) else { return false };
        let latest = self.share.as_ref().and_then(|share| share.lease());
        let deadline = now.mono.after(time_limit);
        let deadline = latest.map_or(deadline, |latest| deadline.min(latest));
        if deadline <= now.mono {
            return false;
        }
        flight.postponable = left;
        flight.deadline = deadline;
        true
    }

    pub(super) fn renew(&mut self, now: Now) -> Step {
        if let Some(until) = self.busy_until() {
            return Step::Busy { until };
        }
        if self.share.is_some()
            && let Some(step) = self.asks_store(now)
        {
            return step;
        }
        let Some(purpose) = self.route(now) else {
            return Step::SignIn { last: self.pace.last().cloned() };
        };
        if let Some((until, last)) = self.waits(purpose, now) {
            return Step::Wait { until, last };
        }
        if purpose == Purpose::Refresh
            && let Some(save) = self.save_of_mark(now)
        {
            return save;
        }
        match self.request(purpose) {
            Some(request) => self.send(purpose, request, now),
            None => Step::SignIn { last: self.pace.last().cloned() },
        }
    }

    /// Until when no renewal by this exchange may begin, and why.
    pub(super) fn waits(&self, purpose: Purpose, now: Now) -> Option<(Mono, Arc<RenewalError>)> {
        let slow = match purpose {
            Purpose::SignIn => self.held.as_ref().map(|held| &held.standing.slow),
            Purpose::Refresh => Some(&self.refresh_slow),
        };
        let waits = [slow.and_then(|slow| slow.until(now.mono)), self.pace.back_off(now.mono)];
        waits.into_iter().flatten().max_by_key(|(until, _)| *until)
    }

    fn busy_until(&self) -> Option<Mono> {
        let saving = self.store.as_ref().and_then(|store| store.saving.as_ref());
        let saved_by = saving.map(|Saving { deadline, .. }| *deadline);
        let swapped_by = self.share.as_ref().and_then(|share| share.asked_until());
        self.flight.map(|flight| flight.deadline).or(saved_by).or(swapped_by)
    }

    /// Which exchange a renewal would use: refresh first, then sign-in.
    pub(super) fn route(&self, now: Now) -> Option<Purpose> {
        let can_sign_in = self.can_sign_in();
        if can_sign_in && self.held.as_ref().is_some_and(|held| held.keep == Keep::Once) {
            return Some(Purpose::SignIn);
        }
        let is_forbidden = || self.refresh_slow.until(now.mono).is_some();
        if self.can_refresh(now) && !(can_sign_in && is_forbidden()) {
            Some(Purpose::Refresh)
        } else if can_sign_in {
            Some(Purpose::SignIn)
        } else {
            None
        }
    }

    pub(super) fn can_sign_in(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.standing.is_dead())
    }

    /// The code of a sign-in without a way back may have left: it is never sent again. Returns
    /// whether there was one.
    pub(super) fn use_up_code(&mut self) -> bool {
        if self.has_way_back() {
            return false;
        }
        if let Some(held) = self.held.take() {
            self.standings.note(held.fingerprint, Standing::used_up());
        }
        true
    }

    /// Whether any reply to a refresh uses its token up, because nothing but a new code would help
    /// if the service took a second use for theft.
    pub(super) fn uses_up_refresh(&self) -> bool {
        !self.has_way_back() && self.policy.unhandled_refresh == UnhandledRefresh::UsesUp
    }

    fn can_refresh(&self, now: Now) -> bool {
        let there = self.refresh_aside_until.is_none_or(|until| now.mono >= until);
        let Some(grant) = self.grant.as_ref().filter(|_| there && self.refresh_uri.is_some())
        else {
            return false;
        };
        grant.usable_refresh(now).is_some_and(|refresh| match refresh.usage {
            RefreshUse::Unspent => true,
            RefreshUse::InDoubt => {
                self.has_way_back()
                    && self.held.is_none()
                    && grant.usable_access(now).is_none()
                    && self.policy.replay == Replay::Once
            }
            RefreshUse::Replayed => false,
        })
    }

    pub(super) fn request(&self, purpose: Purpose) -> Option<Request<Body>> {
        let tokens = self.service.tokens()?;
        match purpose {
            Purpose::SignIn => {
                let credentials = &self.held.as_ref()?.credentials;
                tokens.sign_in().request(self.sign_in_uri.as_ref()?, credentials)
            }
            Purpose::Refresh => {
                let token = &self.grant.as_ref()?.refresh.as_ref()?.token;
                tokens.refresh()?.request(self.refresh_uri.as_ref()?, token)
            }
        }
    }

    pub(super) fn send(&mut self, purpose: Purpose, request: Request<Body>, now: Now) -> Step {
        if purpose == Purpose::Refresh {
            self.with_refresh(|refresh| {
                if refresh.usage == RefreshUse::InDoubt {
                    refresh.usage = RefreshUse::Replayed;
                }
            });
        }
        self.serial = self.serial.saturating_add(1);
        let ticket = Ticket { serial: self.serial, purpose, sent: now };
        let limit = self.policy.time_limit;
        let lease = self.share.as_ref().and_then(|share| share.lease());
        let time_limit = lease.map_or(limit, |until| until.since(now.mono).min(limit));
        let deadline = now.mono.after(time_limit);
        self.flight = Some(Flight { ticket, deadline, postponable: POSTPONED });
        let reply_limit = self.policy.reply_limit;
        Step::Send(ticket, Exchange { request, reply_limit, time_limit })
    }

    /// The refresh token was sent, and is known not to be spent by that.
    pub(super) fn spare_refresh(&mut self) {
        self.with_refresh(|refresh| {
            if refresh.usage == RefreshUse::Replayed {
                refresh.usage = RefreshUse::InDoubt;
            }
        });
    }

    /// The refresh token was sent, and may be spent.
    pub(super) fn doubt_refresh(&mut self) {
        self.with_refresh(|refresh| {
            if refresh.usage == RefreshUse::Unspent {
                refresh.usage = RefreshUse::InDoubt;
            }
        });
    }

    pub(super) fn with_refresh(&mut self, change: impl FnOnce(&mut grant::Refresh)) {
        if let Some(refresh) = self.grant.as_mut().and_then(|grant| grant.refresh.as_mut()) {
            change(refresh);
        }
    }
}

/// How many times the time limit of one exchange may start again.
const POSTPONED: u8 = 3;
