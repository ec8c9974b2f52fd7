//! When the entry of the shared store is emptied: by a sign-out of all siblings, or a revocation.
//!
//! Owns what is forgotten then. Does not know what the store answers.

use super::{Due, Session};

impl Session {
    /// Signs out here, and empties the entry of the shared store with the next polls. Siblings then
    /// lose their tokens. A sibling that holds credentials signs in anew. Without a shared store it
    /// is the same as [`sign_out`](Session::sign_out).
    pub fn sign_out_everywhere(&mut self) {
        let agent_id = self.agent_id.clone();
        self.sign_out();
        if let Some(share) = self.share.as_mut().filter(|_| agent_id.is_some()) {
            self.agent_id = agent_id;
            (share.due, share.signs_out) = (Some(Due::Erase), true);
        }
    }

    /// After a revocation, empties the entry of the shared store, unless a later sign-in is there.
    pub(in crate::session) fn empties_shared_store(&mut self) {
        if let Some(share) = &mut self.share {
            share.forget();
            share.due = Some(Due::Erase);
        }
    }

    pub(in crate::session) fn forget_store(&mut self) {
        if let Some(share) = &mut self.share {
            share.forget();
        }
    }
}
