//! Tokens end from outside: the service says that it has revoked those of an id.
//!
//! Owns what a revocation does to the grant, to a request under way, and to what is stored. Does not
//! know how it came in.

use super::Session;
use crate::exchange::Purpose;
use crate::saved::Saved;
use crate::secret::TokenId;
use crate::time::Now;

impl Session {
    /// Reports that the service has revoked the tokens of this id. Returns whether they are the
    /// session's: the present ones, or earlier ones that a refresh has replaced and that have not
    /// ended.
    ///
    /// If they are, the session forgets its tokens, whatever it was doing. A reply to a refresh that
    /// is under way brings no grant any more. A sign-in with a new code goes on, because it is of a
    /// later session of the user. What a store holds is emptied next: the following polls yield
    /// [`Step::Save`](super::Step::Save) or [`Step::Swap`](super::Step::Swap) with a state that
    /// [is empty](crate::Saved::is_empty). If they are not, nothing changes. So a repetition is
    /// harmless, and no request is ever made because of a revocation.
    pub fn revoked(&mut self, id: &TokenId, now: Now) -> bool {
        let now = self.observe(now);
        if !self.holds(id, now) {
            return false;
        }
        let signs_in = self.flight.filter(|it| it.ticket.purpose == Purpose::SignIn);
        self.drop_grant();
        self.stale_to = match signs_in {
            Some(flight) => flight.ticket.serial.saturating_sub(1),
            None => self.serial,
        };
        self.flight = signs_in;
        self.revoked = Some(id.clone());
        self.refresh_aside_until = None;
        if let Some(store) = &mut self.store {
            store.empties();
        }
        if self.share.is_some() {
            self.empties_shared_store();
        }
        true
    }

    /// Whether a state has tokens that were revoked.
    pub(super) fn is_revoked(&self, state: &Saved) -> bool {
        self.revoked.as_ref().is_some_and(|id| {
            let is_earlier = state.earlier_ids.iter().any(|it| it.id == *id);
            is_earlier || state.token_id.as_ref() == Some(id)
        })
    }

    /// Whether a grant has this id: the one in use, or one that is not used yet.
    fn holds(&self, id: &TokenId, now: Now) -> bool {
        let incoming = self.store.as_ref().and_then(|store| store.incoming.as_ref());
        let held_back = self.share.as_ref().and_then(|share| share.held_back());
        let grants = [self.grant.as_ref(), incoming, held_back];
        grants.into_iter().flatten().fold(false, |found, grant| found | grant.ids.has(id, now))
    }
}
