//! What the answer to a swap means.
//!
//! Owns what is taken over from a sibling, what is doubted, and what follows when no answer comes.
//! Does not know when a swap is due, or what it carries.

use std::sync::Arc;
use std::time::Duration;

use super::{Asked, Due, Kind, Known, Out, Rest, Session};
use crate::renewal_error::RenewalError;
use crate::saved::{RefreshUse, Saved, SavedAccess, SavedRefresh};
use crate::session::grant::{Access, Grant, Refresh};
use crate::session::step::SwapTicket;
use crate::session::token_ids::{self, TokenIds};
use crate::swap::{Found, Held, SwapError, Swapped};
use crate::time::{End, Now, Wall};
use crate::transport_error::Source;

impl Session {
    /// Reports what the shared store answered to the swap of this ticket, or why it did not.
    ///
    /// A report that comes after [`Swap::within`](crate::Swap::within) changes nothing, once a
    /// poll has seen that time pass.
    pub fn on_swap(&mut self, ticket: SwapTicket, answer: Result<Swapped, Source>, now: Now) {
        let now = self.observe(now);
        let Some(share) = &mut self.share else { return };
        let Some(asked) = share.asked.take_if(|asked| asked.serial == ticket.serial) else {
            return;
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return self.is_out(asked.kind, why, now),
        };
        share.clock = Some((answer.at(), now.mono));
        share.out = None;
        match answer {
            Swapped::Done { moved, .. } => self.is_done(asked, moved, now),
            Swapped::Other(found) => self.is_other(found, &asked, now),
        }
    }

    /// No answer came in time.
    pub(in crate::session) fn time_out_swap(&mut self, now: Now) {
        let Some(share) = &mut self.share else { return };
        if let Some(asked) = share.asked.take_if(|asked| now.mono >= asked.deadline) {
            self.is_out(asked.kind, Arc::new(SwapError::TimedOut), now);
        }
    }

    fn is_done(&mut self, asked: Asked, moved: bool, now: Now) {
        let lease = self.policy.lease;
        let Some(share) = &mut self.share else { return };
        self.generation = asked.puts.stamp.generation;
        share.known = asked.puts;
        share.rest = None;
        match asked.kind {
            Kind::Claim { backs } => {
                share.lease = Some(asked.at.mono.after(lease));
                if moved || !backs {
                    self.doubt_refresh();
                }
            }
            Kind::HandOver => {
                if let Some(grant) = share.held_back.take() {
                    self.uses(grant, now);
                }
            }
            Kind::Erase if self.held.is_none() && share.signs_out => self.agent_id = None,
            Kind::Look | Kind::News | Kind::Erase => {}
        }
    }

    /// Uses a grant that was held back.
    fn uses(&mut self, mut grant: Grant, now: Now) {
        grant.access.take_if(|access| self.rejected.has(&access.bearer));
        grant.since = Some(now.mono);
        self.grant = Some(grant);
    }

    /// The store shows something instead of what was to be replaced, or was only looked at.
    fn is_other(&mut self, found: Found, asked: &Asked, now: Now) {
        let is_foreign = found.state.as_ref().is_some_and(|state| !self.is_own(state));
        if is_foreign {
            return self.is_out(asked.kind, Arc::new(SwapError::Foreign), now);
        }
        let is_revoked = found.state.as_ref().is_some_and(|state| self.is_revoked(state));
        let usable = self.grant.as_ref().is_some_and(|grant| grant.usable_access(now).is_some());
        let Some(share) = &mut self.share else { return };
        share.lease = None;
        share.rest = found.held.map(|held| share.rest_of(held, usable, &self.policy, now));
        let (held, stamp, known) = (found.held, found.stamp, share.known.stamp);
        // Where the swap came late by the store's clock, the next one knows that clock better.
        let is_refused = asked.kind != Kind::Look && !asked.is_late(found.at);
        if stamp == known && held.is_none() && is_refused {
            return self.is_out(asked.kind, Arc::new(SwapError::Stuck), now);
        }
        let is_ours = stamp.holder == share.holder && stamp.generation > self.generation;
        let erases = is_revoked || asked.kind == Kind::Erase && self.may_erase(&found);
        if erases {
            self.notes(&found);
        } else if is_ours {
            self.notes(&found);
            if found.moved && self.is_carried() {
                self.doubt_refresh();
            }
        } else if stamp != known {
            self.takes(found, asked, now);
        }
        match asked.kind {
            Kind::Erase if erases => self.is_due(Due::Erase),
            Kind::Look | Kind::Claim { .. } | Kind::News if is_revoked => self.is_due(Due::Erase),
            Kind::HandOver if self.has_handed_over_to_none(asked) => match held {
                None => self.is_due(Due::HandOver),
                Some(_) => self.hand_over_again(),
            },
            _ => {}
        }
    }

    /// Whether what was found may be replaced by an empty state. After a revocation, a grant of a
    /// later sign-in may not.
    fn may_erase(&self, found: &Found) -> bool {
        let signs_out = self.share.as_ref().is_some_and(|share| share.signs_out);
        signs_out || found.state.as_ref().is_none_or(|state| state.is_empty())
    }

    fn is_due(&mut self, due: Due) {
        if let Some(share) = &mut self.share {
            share.due = Some(due);
        }
    }

    /// Whether the grant that was to be handed over is still the one in use.
    fn has_handed_over_to_none(&self, asked: &Asked) -> bool {
        let Some(share) = &self.share else { return false };
        let grant = share.held_back.as_ref().or(self.grant.as_ref());
        let refresh = grant.and_then(|grant| grant.refresh.as_ref());
        match (refresh, &asked.puts.refresh) {
            (Some(refresh), Some(_)) => asked.puts.carries(&refresh.token),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether the state that is known to be in the store carries the refresh token.
    fn is_carried(&self) -> bool {
        let refresh = self.grant.as_ref().and_then(|grant| grant.refresh.as_ref());
        let known = self.share.as_ref().map(|share| &share.known);
        refresh.zip(known).is_some_and(|(refresh, known)| known.carries(&refresh.token))
    }

    fn is_own(&self, state: &Saved) -> bool {
        state.endpoint == self.endpoint.as_str()
            && state.agent_id.as_deref() == self.agent_id()
            && state.service.as_deref() == self.service.name
            && state.subject.as_deref() == self.subject()
    }

    /// What was found is what is known to be in the store.
    fn notes(&mut self, found: &Found) {
        self.generation = self.generation.max(found.stamp.generation);
        let Some(share) = &mut self.share else { return };
        let refresh = found.state.as_ref().and_then(|state| state.refresh.as_ref());
        let refresh = refresh.map(|it| (it.token.clone(), it.usage));
        share.known = Known { stamp: found.stamp, refresh };
    }

    /// A state that this session did not put, or one that it had replaced.
    fn takes(&mut self, found: Found, asked: &Asked, now: Now) {
        let is_newer = found.stamp.generation >= self.generation && found.state.is_some();
        self.notes(&found);
        let hands_over = asked.kind == Kind::HandOver;
        let ends = |left: Duration| End::after(asked.at, left.saturating_sub(found.age));
        let state = found.state.as_ref();
        let theirs = state.and_then(|state| Some((state.access.as_ref()?, state.saved_at)));
        let theirs = theirs.map(|(access, saved_at)| ends(left(access, saved_at)).remaining(now));
        let share = self.share.as_ref();
        let ours = share.and_then(|share| share.held_back.as_ref()).or(self.grant.as_ref());
        let ours = ours.and_then(|grant| Some(grant.access.as_ref()?.bearer.remaining(now)));
        let lives_longer = match is_newer {
            true => theirs.is_some() && theirs >= ours,
            false => theirs.unwrap_or_default() > ours.unwrap_or_default(),
        };
        let takes_over = lives_longer || is_newer && !hands_over;
        let age = found.age.saturating_add(now.mono.since(asked.at.mono));
        if let Some(state) = found.state.filter(|_| takes_over) {
            self.takes_over(*state, ends, age, now);
        }
        // Where the store has forgotten, others may have used what it held. A grant that is only
        // being handed over was never there.
        if !is_newer && (takes_over || !hands_over) {
            self.doubt_refresh();
        }
    }

    fn takes_over(
        &mut self,
        state: Saved,
        ends: impl Fn(Duration) -> End,
        age: Duration,
        now: Now,
    ) {
        self.pace.counts(state.failures);
        if let Some(share) = &mut self.share {
            (share.held_back, share.due) = (None, None);
        }
        let before = self.grant.take();
        let (cap, saved_at) = (self.policy.refresh_lifetime_cap, state.saved_at);
        let ids = TokenIds::restored(&state, |end| ends(token_ids::left(end, saved_at, cap)));
        let old = before.as_ref().and_then(|grant| grant.refresh.as_ref());
        let refresh = state.refresh.map(|refresh| {
            let left = refresh.ends_at.since(saved_at).min(cap);
            restored(refresh, ends(left), old)
        });
        let access = state.access.as_ref().map(|access| (access, ends(left(access, saved_at))));
        let known = before.filter(|before| {
            let tokens = before.access.as_ref().zip(access);
            tokens.is_some_and(|(ours, (theirs, _))| {
                ours.bearer.expose_token() == theirs.token.expose()
            })
        });
        self.grant = Some(match known {
            Some(before) => Grant { refresh, ids, ..before },
            None => {
                self.epoch = self.epoch.next();
                let access = access.and_then(|(access, end)| self.access(access, end));
                Grant { ids, ..self.brings(access, refresh, now) }
            }
        });
        if state.after_rejection && age < self.policy.settle {
            self.pace.is_put_on_probation(now.mono);
        }
    }

    /// A sibling's grant, as one of this session.
    fn brings(&mut self, access: Option<Access>, refresh: Option<Refresh>, now: Now) -> Grant {
        let access = access.filter(|access| !self.rejected.has(&access.bearer));
        let is_alive = access.as_ref().is_some_and(|it| !it.bearer.remaining(now).is_zero());
        if is_alive {
            self.pace.succeeded(now.mono);
            self.stale_to = self.serial;
        }
        let settle = self.policy.settle;
        let is_fresh = is_alive && access.as_ref().is_some_and(|it| it.age(now) < settle);
        let since = is_fresh.then_some(now.mono);
        Grant { since, access, refresh, ..Grant::none(self.epoch) }
    }

    /// The store does not answer, or answers with what cannot be used.
    fn is_out(&mut self, kind: Kind, why: Source, now: Now) {
        let why = Arc::new(RenewalError::store(why));
        let Some(share) = &mut self.share else { return };
        let failures = share.out.as_ref().map_or(0, |out| out.failures).saturating_add(1);
        let backoff = self.policy.store_backoff(failures, now.mono.as_micros());
        let next_look = now.mono.after(backoff);
        share.rest = None;
        share.out = Some(Out { failures, next_look, is_alone_spent: false, why });
        match kind {
            Kind::Erase => share.due = Some(Due::Erase),
            Kind::HandOver => self.hand_over_again(),
            Kind::Look | Kind::Claim { .. } | Kind::News => {}
        }
    }
}

impl super::Share {
    /// When to look again at what a sibling holds: soon if a token is missing.
    fn rest_of(&self, held: Held, usable: bool, policy: &crate::policy::Policy, now: Now) -> Rest {
        let until = now.mono.after(held.left);
        let looks = self.rest.map_or(0, |rest| rest.looks).saturating_add(1);
        let pause =
            if usable { LOOK_AT_EASE } else { policy.look_after(looks, now.mono.as_micros()) };
        let next_look = now.mono.after(pause).min(until);
        Rest { until, next_look, looks, resting: held.resting }
    }
}

/// What was left of an access token when its state was saved.
fn left(access: &SavedAccess, saved_at: Wall) -> Duration {
    access.ends_at.since(saved_at).min(access.lifetime)
}

/// A refresh token that a sibling put. If this session knows of more use of it than the store
/// showed, that stays.
fn restored(saved: SavedRefresh, end: End, old: Option<&Refresh>) -> Refresh {
    let own = old.filter(|old| old.token.expose() == saved.token.expose());
    let own = own.filter(|old| old.usage > old.marked).map_or(RefreshUse::Unspent, |old| old.usage);
    Refresh {
        token: saved.token,
        end,
        expire_at: saved.expire_at,
        usage: saved.usage.max(own),
        marked: saved.usage,
        is_carried: true,
    }
}

/// The pause between looks while a token is usable.
const LOOK_AT_EASE: Duration = Duration::from_secs(1);
