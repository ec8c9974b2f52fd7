//! Saving tokens before their use, and resuming from a saved state.
//!
//! Owns which states are saved and when, which steps wait for a save, and what is trusted of a
//! state that comes back. Does not know where states are kept.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::grant::{Access, Grant, Refresh};
use super::token_ids::TokenIds;
use super::{SaveTicket, Session, Step};
use crate::exchange::Purpose;
use crate::saved::{RefreshUse, Saved, SavedAccess, SavedRefresh};
use crate::secret::{Bearer, Token, bearer_header};
use crate::stamp::Stamp;
use crate::time::{End, Mono, Now, Wall};

/// What is waiting to be saved. A session has one if and only if a store is declared.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// A grant that came in, and is not used before it is saved.
    pub(super) incoming: Option<Grant>,
    pub(super) saving: Option<Saving>,
    serial: u64,
    /// Whether what is stored must be replaced by an empty state.
    empties: bool,
    /// When this session made its last mark, by the wall clock. A sibling's mark has another time.
    marked_at: Option<Wall>,
}

impl Store {
    /// Whether something waits to be saved.
    pub(super) fn waits(&self) -> bool {
        self.incoming.is_some() || self.saving.is_some() || self.empties
    }

    /// Holds a grant back until it is saved, instead of what was waiting.
    pub(super) fn hold(&mut self, grant: Grant) {
        self.incoming = Some(grant);
        self.saving = None;
        self.empties = false;
    }

    /// Has what is stored replaced by an empty state.
    pub(super) fn empties(&mut self) {
        self.forget();
        self.empties = true;
    }

    /// Drops what is waiting. A report that still comes for it does nothing.
    pub(super) fn forget(&mut self) {
        self.incoming = None;
        self.saving = None;
        self.empties = false;
    }
}

#[derive(Debug)]
pub(super) struct Saving {
    ticket: SaveTicket,
    pub(super) deadline: Mono,
    /// The use of the refresh token that the state shows.
    mark: RefreshUse,
}

/// Why a saved state cannot be used by this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdoptError {
    /// A session of another endpoint saved it.
    #[error("the saved state belongs to another endpoint: its tokens are not sent to this one")]
    OtherEndpoint,
    /// A session of another agent saved it, or it holds a person's tokens.
    #[error("the saved state belongs to another agent")]
    OtherAgent,
    /// A session of another service saved it.
    #[error("the saved state belongs to another service")]
    OtherService,
}

impl Session {
    /// Reports that the save of this ticket succeeded.
    pub fn on_saved(&mut self, ticket: SaveTicket, now: Now) {
        let now = self.observe(now);
        let is_current = |saving: &mut Saving| saving.ticket == ticket;
        let Some(store) = &mut self.store else { return };
        if let Some(saving) = store.saving.take_if(is_current) {
            self.use_saved(saving.mark, now);
        }
    }

    /// Reports that the save of this ticket failed. The session uses the grant all the same: the
    /// driver must report the failure.
    ///
    /// If the service has no [way back](crate::service::Tokens::has_way_back), a grant that is lost
    /// is lost for good. The session then uses nothing unsaved, and asks for the save again after
    /// [`save_within`](crate::Policy::save_within).
    pub fn on_save_failed(&mut self, ticket: SaveTicket, now: Now) {
        if self.has_way_back() {
            self.on_saved(ticket, now);
        }
    }

    /// Returns the state to persist now. `None` if the session has no grant.
    #[must_use]
    pub fn saved(&self, now: Now) -> Option<Saved> {
        let incoming = self.store.as_ref().and_then(|store| store.incoming.as_ref());
        let held_back = self.share.as_ref().and_then(|share| share.held_back());
        let grant = incoming.or(held_back).or(self.grant.as_ref())?;
        let mut saved = self.snapshot(grant, now);
        if self.flight.is_some_and(|flight| flight.ticket.purpose() == Purpose::Refresh)
            && let Some(refresh) = &mut saved.refresh
        {
            refresh.usage = refresh.usage.max(RefreshUse::InDoubt);
        }
        Some(saved)
    }

    /// Resumes from a saved state: after a restart, or because a sibling process renewed.
    ///
    /// If the state's generation is not higher than the session's, it changes nothing. There is one
    /// exception: if a sibling marked the refresh token in the same generation, that token counts
    /// as possibly spent.
    ///
    /// If the state was saved in the future, by this machine's wall clock, its access token counts
    /// as dead. If its refresh token was in use when it was saved, that token counts as possibly
    /// spent.
    ///
    /// If a store is shared, the refresh token counts as possibly spent until that store shows it.
    ///
    /// # Errors
    ///
    /// [`AdoptError`] if the state belongs to another endpoint or agent. Such a state is never
    /// used.
    pub fn adopt(&mut self, saved: Saved, now: Now) -> Result<(), AdoptError> {
        let now = self.observe(now);
        if saved.endpoint != self.endpoint.as_str() {
            return Err(AdoptError::OtherEndpoint);
        }
        if saved.service.as_deref() != self.service.name {
            return Err(AdoptError::OtherService);
        }
        let is_other = self.agent_id.is_some() && saved.agent_id.as_deref() != self.agent_id();
        if is_other || saved.subject.as_deref() != self.subject() {
            return Err(AdoptError::OtherAgent);
        }
        if saved.generation() <= self.generation {
            self.heed_mark(&saved);
            return Ok(());
        }
        if self.is_revoked(&saved) {
            return Ok(());
        }
        let known = self.grant.take().and_then(|grant| grant.access);
        self.drop_grant();
        self.abandon_flight();
        self.epoch = self.epoch.next();
        self.generation = saved.generation();
        let ids =
            TokenIds::restored(&saved, |end| left(end, self.policy.refresh_lifetime_cap, now));
        self.agent_id = saved.agent_id.map(Arc::from);
        let from_future = saved.saved_at > now.wall;
        let access = saved
            .access
            .filter(|_| !from_future)
            .and_then(|access| self.restored_access(&access, now));
        let access = access.filter(|access| !self.rejected.has(&access.bearer));
        let alive = access.as_ref().filter(|access| !access.bearer.remaining(now).is_zero());
        let is_known = |access: &Access| {
            known.as_ref().is_some_and(|known| access.bearer.has_token_of(known.bearer.header()))
        };
        if alive.is_some_and(|access| !is_known(access)) {
            self.pace.succeeded(now.mono);
        }
        if saved.after_rejection && now.wall.since(saved.saved_at) < self.policy.settle {
            self.pace.is_put_on_probation(now.mono);
        }
        let is_fresh = alive.is_some_and(|access| access.age(now) < self.policy.settle);
        let cap = self.policy.refresh_lifetime_cap;
        self.grant = Some(Grant {
            epoch: self.epoch,
            since: is_fresh.then_some(now.mono),
            access,
            refresh: saved.refresh.map(|refresh| restored_refresh(refresh, cap, now)),
            ids,
        });
        if self.share.is_some() {
            // What was done with it since, the shared store alone knows.
            self.doubt_refresh();
            self.with_refresh(|refresh| refresh.marked = refresh.usage);
        }
        Ok(())
    }

    /// Two siblings that mark at the same time reach the same generation. If another session saved
    /// a state of that generation, the sibling may have spent the refresh token.
    fn heed_mark(&mut self, saved: &Saved) {
        let own = self.store.as_ref().and_then(|store| store.marked_at);
        if saved.generation() != self.generation || own == Some(saved.saved_at) {
            return;
        }
        let Some(marked) =
            saved.refresh.as_ref().filter(|refresh| refresh.usage != RefreshUse::Unspent)
        else {
            return;
        };
        let held = self.grant.as_ref().and_then(|grant| grant.refresh.as_ref());
        if held.is_some_and(|held| held.token.expose() == marked.token.expose()) {
            self.doubt_refresh();
        }
    }

    /// The save of a grant that came in, or of an empty state after a revocation, unless a save is
    /// under way.
    pub(super) fn save_of_grant(&mut self, now: Now) -> Option<Step> {
        let store = self.store.as_ref()?;
        if store.empties && store.saving.is_none() {
            self.generation = self.generation.saturating_add(1);
            let saved = self.snapshot(&Grant::none(self.epoch), now);
            return self.save(saved, now);
        }
        let grant = store.incoming.as_ref().filter(|_| store.saving.is_none())?;
        let saved = self.snapshot(grant, now);
        self.save(saved, now)
    }

    /// The mark that a refresh token is about to be used, unless the mark was already made.
    pub(super) fn save_of_mark(&mut self, now: Now) -> Option<Step> {
        self.store.as_ref()?;
        let grant = self.grant.as_ref()?;
        let refresh = grant.refresh.as_ref()?;
        let mark = refresh.next_use();
        if refresh.marked != RefreshUse::Unspent {
            return None;
        }
        self.generation = self.generation.saturating_add(1);
        let mut saved = self.snapshot(self.grant.as_ref()?, now);
        if let Some(refresh) = &mut saved.refresh {
            refresh.usage = mark;
        }
        self.store.as_mut()?.marked_at = Some(saved.saved_at);
        self.save(saved, now)
    }

    /// Continues without the report of a save that takes too long.
    pub(super) fn time_out_save(&mut self, now: Now) {
        let is_late = |saving: &mut Saving| now.mono >= saving.deadline;
        let Some(store) = &mut self.store else { return };
        let saving = store.saving.take_if(is_late);
        if let Some(saving) = saving.filter(|_| self.has_way_back()) {
            self.use_saved(saving.mark, now);
        }
    }

    /// Uses what was saved: the grant that came in, or otherwise the refresh token.
    fn use_saved(&mut self, mark: RefreshUse, now: Now) {
        if let Some(store) = &mut self.store {
            store.empties = false;
        }
        match self.store.as_mut().and_then(|store| store.incoming.take()) {
            Some(mut grant) => {
                grant.access.take_if(|access| self.rejected.has(&access.bearer));
                grant.since = Some(now.mono);
                self.grant = Some(grant);
            }
            None => self.with_refresh(|refresh| refresh.marked = mark),
        }
    }

    fn restored_access(&self, saved: &SavedAccess, now: Now) -> Option<Access> {
        let lifetime = saved.lifetime.min(self.policy.access_lifetime_cap);
        self.access(saved, left(saved.ends_at, lifetime, now))
    }

    /// The access token of a saved state, with the end that this session gives it.
    pub(super) fn access(&self, saved: &SavedAccess, end: End) -> Option<Access> {
        let lifetime = saved.lifetime.min(self.policy.access_lifetime_cap);
        let header = bearer_header(saved.token.expose())?;
        let bearer = Bearer::new(header, self.epoch, end);
        Some(Access {
            bearer,
            lifetime,
            margin: self.margin_of(lifetime),
            expire_at: saved.expire_at,
        })
    }

    fn save(&mut self, saved: Saved, now: Now) -> Option<Step> {
        let deadline = now.mono.after(self.policy.save_within);
        let mark = saved.refresh.as_ref().map_or(RefreshUse::Unspent, |refresh| refresh.usage);
        let store = self.store.as_mut()?;
        store.serial = store.serial.saturating_add(1);
        let ticket = SaveTicket { serial: store.serial };
        store.saving = Some(Saving { ticket, deadline, mark });
        Some(Step::Save(ticket, saved))
    }

    pub(super) fn snapshot(&self, grant: &Grant, now: Now) -> Saved {
        let stamp = Stamp { generation: self.generation.max(1), ..Stamp::NONE };
        let known = self.share.as_ref().map(|share| share.stamp()).filter(|it| !it.is_none());
        Saved {
            stamp: known.unwrap_or(stamp),
            service: self.service.name.map(str::to_owned),
            endpoint: self.endpoint.as_str().to_owned(),
            agent_id: self.agent_id().map(str::to_owned),
            subject: self.subject().map(str::to_owned),
            token_id: grant.ids.present().cloned(),
            earlier_ids: grant.ids.saved(End::wall),
            saved_at: now.wall,
            failures: self.pace.failures(),
            after_rejection: self.pace.is_on_probation(now.mono, &self.policy),
            access: grant.access.as_ref().map(|access| SavedAccess {
                token: Token::new(access.bearer.expose_token()),
                ends_at: access.bearer.ends_at(),
                lifetime: access.lifetime,
                expire_at: access.expire_at,
            }),
            refresh: grant.refresh.as_ref().map(|refresh| SavedRefresh {
                token: refresh.token.clone(),
                ends_at: refresh.end.wall(),
                expire_at: refresh.expire_at,
                usage: refresh.usage,
            }),
        }
    }
}

/// What is left of a lifetime, never more than the whole lifetime.
fn left(ends_at: Wall, at_most: Duration, now: Now) -> End {
    End::after(now, ends_at.since(now.wall).min(at_most))
}

fn restored_refresh(saved: SavedRefresh, cap: Duration, now: Now) -> Refresh {
    Refresh {
        token: saved.token,
        end: left(saved.ends_at, cap, now),
        expire_at: saved.expire_at,
        usage: saved.usage,
        marked: saved.usage,
        is_carried: true,
    }
}
