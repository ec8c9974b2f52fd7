//! What a swap carries.
//!
//! Owns the state that is put, its stamp, its lease, and how long its answer is awaited. Does not
//! know when a swap is due.

use std::time::Duration;

use super::{Asked, Due, Kind, Known, Session, Step};
use crate::exchange::Purpose;
use crate::saved::{RefreshUse, Saved, SavedAccess, SavedRefresh};
use crate::secret::Token;
use crate::session::grant::Grant;
use crate::session::step::SwapTicket;
use crate::stamp::Stamp;
use crate::swap::Swap;
use crate::time::Now;

impl Session {
    /// Asks for a swap. `None` if the agent is not known.
    pub(super) fn ask(&mut self, kind: Kind, now: Now) -> Option<Step> {
        let agent_id = self.agent_id()?.to_owned();
        let endpoint = self.endpoint.as_str().to_owned();
        let kind = match kind {
            Kind::Claim { .. } => Kind::Claim { backs: self.is_backed() },
            other => other,
        };
        if kind == Kind::News && self.is_refused(now) {
            self.pace.counts(self.pace.failures().saturating_add(1));
        }
        let put = self.state_for(kind, now);
        let (lease, resting) = self.lease_for(kind, now);
        let within = self.within(kind, now);
        if let Some(refresh) = put.as_ref().and_then(|put| put.refresh.as_ref()) {
            let token = refresh.token.clone();
            self.carries(|held| held.expose() == token.expose());
        }
        let share = self.share.as_mut()?;
        share.serial = share.serial.saturating_add(1);
        match kind {
            Kind::HandOver | Kind::Erase => share.due = None,
            Kind::Look | Kind::Claim { .. } | Kind::News => {}
        }
        if kind != Kind::Look {
            share.lease = None;
        }
        let expects = share.known.stamp;
        let puts = put.as_ref().map_or_else(Known::default, Known::of);
        let deadline = now.mono.after(within);
        let at = share.clock.map(|(time, came)| time.after(now.mono.since(came)));
        let until = at.map(|at| at.after(within));
        share.asked = Some(Asked { serial: share.serial, kind, at: now, deadline, until, puts });
        let (holder, ticket) = (share.holder, SwapTicket { serial: share.serial });
        let service = self.service.name.map(str::to_owned);
        let subject = self.subject().map(str::to_owned);
        let swap = Swap {
            endpoint,
            service,
            agent_id,
            subject,
            expects,
            put,
            lease,
            resting,
            holder,
            within,
            at,
        };
        Some(Step::Swap(ticket, swap))
    }

    /// Whether, once a claim is done, nobody else has sent the refresh token: the state that the
    /// claim replaces carries it, or no state ever did.
    fn is_backed(&self) -> bool {
        let refresh = self.grant.as_ref().and_then(|grant| grant.refresh.as_ref());
        let Some((refresh, share)) = refresh.zip(self.share.as_ref()) else { return true };
        share.known.carries(&refresh.token) || !refresh.is_carried
    }

    /// A swap carries the refresh token, whether or not it will be done.
    fn carries(&mut self, is_it: impl Fn(&Token) -> bool) {
        let held_back = self.share.as_mut().and_then(|share| share.held_back.as_mut());
        for grant in [self.grant.as_mut(), held_back].into_iter().flatten() {
            if let Some(refresh) = grant.refresh.as_mut().filter(|it| is_it(&it.token)) {
                refresh.is_carried = true;
            }
        }
    }

    fn state_for(&self, kind: Kind, now: Now) -> Option<Saved> {
        let share = self.share.as_ref()?;
        let stamp = Stamp {
            generation: self.generation.saturating_add(1),
            holder: share.holder,
            serial: share.serial.saturating_add(1),
        };
        let grant = match kind {
            Kind::Look => return None,
            Kind::Erase => None,
            Kind::HandOver => share.held_back.as_ref().or(self.grant.as_ref()),
            Kind::Claim { .. } | Kind::News => self.grant.as_ref(),
        };
        let mut saved = Saved { stamp, ..self.state_of(grant, now) };
        if let (Kind::Claim { .. }, Some(refresh)) = (kind, &mut saved.refresh) {
            let next = match (self.route(now), refresh.usage) {
                (Some(Purpose::Refresh), RefreshUse::InDoubt) => RefreshUse::Replayed,
                _ => RefreshUse::InDoubt,
            };
            refresh.usage = refresh.usage.max(next);
        }
        Some(saved)
    }

    /// The tokens of a grant that are alive, with their ends as the wall clock would show them. What
    /// is left of them counts, by the clock that leaves less.
    fn state_of(&self, grant: Option<&Grant>, now: Now) -> Saved {
        let none = Grant::none(self.epoch);
        let grant = grant.unwrap_or(&none);
        let mut saved = self.snapshot(grant, now);
        let access = grant.usable_access(now).map(|access| access.bearer.remaining(now));
        let refresh = grant.usable_refresh(now).map(|refresh| refresh.end.remaining(now));
        saved.access = saved
            .access
            .zip(access)
            .map(|(access, left)| SavedAccess { ends_at: now.wall.after(left), ..access });
        saved.refresh = saved
            .refresh
            .zip(refresh)
            .map(|(refresh, left)| SavedRefresh { ends_at: now.wall.after(left), ..refresh });
        saved.earlier_ids = grant.ids.saved(|end| now.wall.after(end.remaining(now)));
        saved
    }

    /// The lease of a swap, and whether nothing is sent while it runs.
    fn lease_for(&self, kind: Kind, now: Now) -> (Duration, bool) {
        match kind {
            Kind::Claim { .. } => (self.policy.lease, false),
            Kind::News => {
                let rest = self.rest_of_news(now);
                (rest, !rest.is_zero())
            }
            Kind::Look | Kind::HandOver | Kind::Erase => (Duration::ZERO, false),
        }
    }

    /// How long nobody renews after a renewal of this session brought no grant.
    fn rest_of_news(&self, now: Now) -> Duration {
        match self.route(now) {
            Some(purpose) => {
                let until = self.waits(purpose, now).map(|(until, _)| until);
                until.map_or(Duration::ZERO, |until| until.since(now.mono))
            }
            // The siblings may hold the same secret: too many refusals lock an account.
            None if self.is_refused(now) => self.policy.slow_retry(self.pace.failures()),
            None => Duration::ZERO,
        }
    }

    /// Whether the service has refused the credentials, and nothing else is left.
    fn is_refused(&self, now: Now) -> bool {
        let is_dead = self.held.as_ref().is_some_and(|held| held.standing.is_dead());
        is_dead && self.route(now).is_none()
    }

    /// How long the answer is awaited: for a claim, at most half of what is left of the token.
    fn within(&self, kind: Kind, now: Now) -> Duration {
        let access = self.grant.as_ref().and_then(|grant| grant.usable_access(now));
        let left = access.map(|access| access.bearer.remaining(now));
        let half = left.and_then(|left| left.checked_div(2));
        match (kind, half) {
            (Kind::Claim { .. }, Some(half)) => self.policy.store_within.min(half),
            _ => self.policy.store_within,
        }
    }

    /// Puts off a hand-over that did not succeed. One that is held back is tried again.
    pub(super) fn hand_over_again(&mut self) {
        if let Some(share) = self.share.as_mut().filter(|share| share.held_back.is_some()) {
            share.due = Some(Due::HandOver);
        }
    }
}
