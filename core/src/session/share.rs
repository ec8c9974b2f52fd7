//! One session over several processes: what is known of the store that they share.
//!
//! Owns which swaps are asked for and when. The children own what a swap carries
//! ([`ask`]), what its answer means ([`answer`]), and when an entry is emptied ([`erase`]). Does not judge
//! replies, and does not know how a store is reached.
//!
//! Safety does not rest on the lease. A refresh token is sent only by the session that replaced, in
//! the store, the very state that carries it, by a state that marks it as in doubt. A state is
//! replaced once, so the token is sent once. The lease only saves requests.

mod answer;
mod ask;
mod erase;

use std::sync::Arc;

use super::grant::Grant;
use super::{Session, Step, Ticket};
use crate::exchange::Purpose;
use crate::policy::Alone;
use crate::renewal_error::RenewalError;
use crate::saved::{RefreshUse, Saved};
use crate::secret::Token;
use crate::stamp::Stamp;
use crate::swap::StoreTime;
use crate::time::{Mono, Now};

/// What is known of the shared store. A session has one if and only if such a store is declared.
#[derive(Debug)]
pub(super) struct Share {
    /// The random number of this session.
    holder: u64,
    /// The number of the last swap.
    serial: u64,
    /// What was in the store when it last answered.
    known: Known,
    /// The store's clock when it last answered, and when that answer came here.
    clock: Option<(StoreTime, Mono)>,
    /// The swap that is under way.
    asked: Option<Asked>,
    /// What must be put next, apart from claims and news.
    due: Option<Due>,
    /// A grant that is not used before it is in the store, because there is no way back.
    held_back: Option<Grant>,
    /// Until when this session's claim runs.
    lease: Option<Mono>,
    /// The lease of a sibling.
    rest: Option<Rest>,
    /// Set while the store does not answer.
    out: Option<Out>,
    /// When the store was last looked at before new credentials were asked for.
    looked: Option<Mono>,
    /// The last ticket whose request was sent without a claim.
    alone: Option<Ticket>,
    /// Whether the entry is emptied because of a sign-out, whatever it holds.
    signs_out: bool,
}

/// A state in the store.
#[derive(Debug, Default)]
struct Known {
    stamp: Stamp,
    /// The refresh token that it carries, and the use of it that it shows.
    refresh: Option<(Token, RefreshUse)>,
}

impl Known {
    fn of(state: &Saved) -> Self {
        let refresh = state.refresh.as_ref().map(|it| (it.token.clone(), it.usage));
        Self { stamp: state.stamp, refresh }
    }

    fn carries(&self, token: &Token) -> bool {
        self.refresh.as_ref().is_some_and(|(carried, _)| carried.expose() == token.expose())
    }
}

/// What a swap is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// To see what is there.
    Look,
    /// To get the right to renew. `backs` says that, once this is done, nobody else has sent the
    /// refresh token.
    Claim { backs: bool },
    /// To give a grant to the siblings.
    HandOver,
    /// To report a renewal that brought no grant.
    News,
    /// To leave an empty state.
    Erase,
}

/// What must be put, apart from claims and news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    HandOver,
    Erase,
}

/// A swap under way.
#[derive(Debug)]
struct Asked {
    serial: u64,
    kind: Kind,
    at: Now,
    deadline: Mono,
    /// Until when the store may do it, by its own clock. `None` if that is not known.
    until: Option<StoreTime>,
    /// What is in the store once it is done.
    puts: Known,
}

impl Asked {
    /// Whether the store may not have done it because it came late.
    fn is_late(&self, at: StoreTime) -> bool {
        self.until.is_none_or(|until| at > until)
    }
}

/// A sibling's lease.
#[derive(Clone, Copy, Debug)]
struct Rest {
    until: Mono,
    next_look: Mono,
    looks: u32,
    resting: bool,
}

/// The store does not answer.
#[derive(Debug)]
struct Out {
    failures: u32,
    next_look: Mono,
    /// Whether a sign-in was made since the last failure.
    is_alone_spent: bool,
    why: Arc<RenewalError>,
}

impl Share {
    fn new(holder: u64) -> Self {
        Self {
            holder,
            serial: 0,
            known: Known::default(),
            clock: None,
            asked: None,
            due: None,
            held_back: None,
            lease: None,
            rest: None,
            out: None,
            looked: None,
            alone: None,
            signs_out: false,
        }
    }

    /// Forgets what belongs to one agent. An answer that still comes does nothing.
    fn forget(&mut self) {
        *self = Self { serial: self.serial, clock: self.clock, ..Self::new(self.holder) };
    }

    /// Until when this session's claim runs. `None` if it has none.
    pub(super) fn lease(&self) -> Option<Mono> {
        self.lease
    }

    /// Until when the answer to a swap is awaited.
    pub(super) fn asked_until(&self) -> Option<Mono> {
        self.asked.as_ref().map(|asked| asked.deadline)
    }

    /// The stamp of the state that is known to be in the store.
    pub(super) fn stamp(&self) -> Stamp {
        self.known.stamp
    }

    /// The grant that is held back until the store has it.
    pub(super) fn held_back(&self) -> Option<&Grant> {
        self.held_back.as_ref()
    }

    /// When a poll may ask for a swap whether or not a renewal is due. The inner value is `None` if
    /// it may at once.
    pub(super) fn may_swap_at(&self) -> Option<Option<Mono>> {
        if let Some(asked) = &self.asked {
            return Some(Some(asked.deadline));
        }
        (self.due.is_some() || self.lease.is_some()).then_some(None)
    }

    /// The sibling's lease, while it runs.
    fn rest(&self, now: Mono) -> Option<Rest> {
        self.rest.filter(|rest| now < rest.until)
    }

    /// Until when this session sends nothing because of the store: a sibling backs off, or the store
    /// does not answer.
    pub(super) fn backs_off(&self, now: Mono) -> Option<Mono> {
        let rest = self.rest(now).filter(|rest| rest.resting).map(|rest| rest.until);
        rest.max(self.out.as_ref().map(|out| out.next_look))
    }

    /// When the store may be asked for something that was put off.
    fn asks_at(&self, now: Mono) -> Option<Mono> {
        let rest = self.rest(now).map(|rest| rest.next_look);
        let out = self.out.as_ref().map(|out| out.next_look);
        rest.max(out).filter(|until| now < *until)
    }
}

impl Session {
    /// Declares a store that siblings share: processes with the same endpoint and agent. The
    /// session then asks it before each renewal, with [`Step::Swap`].
    ///
    /// `holder` is a random number, another one for each session: draw it from the system's source.
    /// This replaces [`with_store`](Session::with_store).
    #[must_use]
    pub fn with_shared_store(self, holder: u64) -> Self {
        Self { store: None, share: Some(Box::new(Share::new(holder))), ..self }
    }

    /// The swap that does not wait for a renewal to be due: a hand-over, news, an empty state.
    pub(super) fn swap_due(&mut self, now: Now) -> Option<Step> {
        let share = self.share.as_ref()?;
        if share.asked.is_some() || self.flight.is_some() {
            return None;
        }
        match share.due {
            Some(due) => {
                // A first hand-over follows its grant at once.
                let is_put_off = share.asks_at(now.mono).is_some();
                let kind = if due == Due::Erase { Kind::Erase } else { Kind::HandOver };
                if is_put_off { None } else { self.ask(kind, now) }
            }
            None if share.lease.is_some() && !self.goes_on(now) => self.ask(Kind::News, now),
            None => None,
        }
    }

    /// Whether a renewal could be sent now, apart from the store.
    fn goes_on(&self, now: Now) -> bool {
        self.route(now).is_some_and(|purpose| self.waits(purpose, now).is_none())
    }

    /// What a renewal does before its request is sent. `None` if the session holds a claim, and
    /// the request may be sent.
    pub(super) fn asks_store(&mut self, now: Now) -> Option<Step> {
        if let Some(rest) = self.rests(now) {
            return Some(rest);
        }
        if self.is_claimed(now) {
            return None;
        }
        if let Some(step) = self.while_out(now) {
            return Some(step);
        }
        match self.route(now) {
            // New credentials are asked for only after a look.
            None => self.look(now),
            Some(purpose) if self.waits(purpose, now).is_some() => None,
            Some(_) => {
                // How old a token is that it puts, only a store can tell whose clock is known.
                let knows_clock = self.share.as_ref()?.clock.is_some();
                let is_empty = self.grant.as_ref().is_none_or(|grant| grant.access.is_none());
                let claims = knows_clock || is_empty;
                let kind = if claims { Kind::Claim { backs: false } } else { Kind::Look };
                let needs_agent = Step::SignIn { last: self.pace.last().cloned() };
                Some(self.ask(kind, now).unwrap_or(needs_agent))
            }
        }
    }

    /// A sibling holds a lease, and the next look is not due.
    fn rests(&self, now: Now) -> Option<Step> {
        let rest = self.share.as_ref()?.rest(now.mono)?;
        if rest.resting {
            let last = Arc::new(RenewalError::sibling());
            return Some(Step::Wait { until: rest.until, last });
        }
        let is_early = now.mono < rest.next_look;
        is_early.then_some(Step::Rest { until: rest.next_look })
    }

    /// Whether this session holds a claim under which its next request may be sent.
    fn is_claimed(&self, now: Now) -> bool {
        let Some(share) = &self.share else { return false };
        // What is left must do for an exchange.
        let least = self.policy.lease.checked_div(4).unwrap_or_default();
        let runs = share.lease.is_some_and(|until| now.mono.after(least) < until);
        if !runs || self.route(now) != Some(Purpose::Refresh) {
            return runs;
        }
        let refresh = self.grant.as_ref().and_then(|grant| grant.refresh.as_ref());
        let marked = share.known.refresh.as_ref();
        refresh.zip(marked).is_some_and(|(refresh, (_, mark))| {
            share.known.carries(&refresh.token) && *mark >= refresh.next_use()
        })
    }

    /// The store does not answer: wait, or sign in alone. `None` if it is to be asked again.
    fn while_out(&mut self, now: Now) -> Option<Step> {
        let out = self.share.as_ref()?.out.as_ref()?;
        let alone_at = self.alone_at(now).filter(|_| !out.is_alone_spent);
        // After a sign-in without the store, callers get what the service said.
        let said = self.pace.last().filter(|_| out.is_alone_spent).unwrap_or(&out.why);
        let (next_look, last) = (out.next_look, Arc::clone(said));
        if alone_at.is_some_and(|at| at <= now.mono) {
            if let Some((until, last)) = self.waits(Purpose::SignIn, now) {
                return Some(Step::Wait { until, last });
            }
            let request = self.request(Purpose::SignIn)?;
            let step = self.send(Purpose::SignIn, request, now);
            let ticket = self.flight.map(|flight| flight.ticket);
            let share = self.share.as_mut()?;
            share.alone = ticket;
            if let Some(out) = &mut share.out {
                out.is_alone_spent = true;
            }
            return Some(step);
        }
        let until = alone_at.map_or(next_look, |at| at.min(next_look));
        (now.mono < next_look).then_some(Step::Wait { until, last })
    }

    /// When the session signs in without the store. `None` if it never does.
    fn alone_at(&self, now: Now) -> Option<Mono> {
        if self.policy.alone == Alone::Wait || !self.can_sign_in() || !self.has_way_back() {
            return None;
        }
        let access = self.grant.as_ref().and_then(|grant| grant.usable_access(now));
        let Some(access) = access.filter(|_| !self.signs_in_once()) else { return Some(now.mono) };
        let before = self.policy.alone_before(access.margin);
        Some(now.mono.after(access.bearer.remaining(now).saturating_sub(before)))
    }

    /// When polls first do more than to yield a usable token, in its margin.
    pub(super) fn renews_at(&self, margin_starts: Now) -> Option<Mono> {
        let Some(share) = &self.share else { return self.pace.not_before(self.seen) };
        let now = Now { mono: self.seen, ..margin_starts };
        match (share.rest(self.seen), &share.out) {
            (Some(rest), _) if rest.resting => Some(rest.until),
            (Some(rest), _) => Some(rest.next_look),
            (None, Some(out)) => {
                let alone_at = self.alone_at(now).filter(|_| !out.is_alone_spent);
                Some(alone_at.map_or(out.next_look, |at| at.min(out.next_look)))
            }
            (None, None) => self.pace.not_before(self.seen),
        }
    }

    /// A grant came in. It is in use at once, and is given to the siblings next.
    pub(super) fn is_granted(&mut self, grant: Grant, ticket: Ticket) {
        let has_way_back = self.has_way_back();
        let Some(share) = &mut self.share else { return };
        if share.alone != Some(ticket) {
            share.due = Some(Due::HandOver);
        }
        if has_way_back {
            self.grant = Some(grant);
        } else {
            share.held_back = Some(grant);
        }
    }

    fn look(&mut self, now: Now) -> Option<Step> {
        let share = self.share.as_mut()?;
        let again = share.looked.is_none_or(|at| now.mono.since(at) >= self.policy.renew_after);
        if !again && share.rest(now.mono).is_none() {
            return None;
        }
        share.looked = Some(now.mono);
        self.ask(Kind::Look, now)
    }
}
