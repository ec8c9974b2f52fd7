//! One session over several processes: what is known of the store that they share.
//!
//! Owns which swaps are asked for and when, and what their answers mean. Does not judge replies, and
//! does not know how a store is reached.

use super::{Session, SwapTicket};
use crate::swap::Swapped;
use crate::time::Now;
use crate::transport_error::Source;

/// What is known of the shared store. A session has one if and only if such a store is declared.
#[derive(Debug)]
pub(super) struct Share {
    /// The random number of this session.
    holder: u64,
}

impl Session {
    /// Declares a store that siblings share: processes with the same endpoint and agent. The
    /// session then asks it before each renewal, with [`Step::Swap`](super::Step::Swap).
    ///
    /// `holder` is a random number, another one for each session: draw it from the system's source.
    /// This replaces [`with_store`](Session::with_store).
    #[must_use]
    pub fn with_shared_store(self, holder: u64) -> Self {
        Self { store: None, share: Some(Box::new(Share { holder })), ..self }
    }

    /// Names the agent, if no credentials are given: a shared store has an entry for each agent.
    #[must_use]
    pub fn with_agent(self, agent_id: &str) -> Self {
        Self { agent_id: Some(agent_id.into()), ..self }
    }

    /// Reports what the shared store answered to the swap of this ticket, or why it did not.
    pub fn on_swap(&mut self, ticket: SwapTicket, answer: Result<Swapped, Source>, now: Now) {
        let _now = self.observe(now);
        let _ = (ticket.serial, answer, self.share.as_ref().map(|share| share.holder));
    }

    /// Signs out here and, by the shared store, in the siblings: the next polls empty the store's
    /// entry. A sibling that holds credentials signs in anew.
    pub fn sign_out_everywhere(&mut self) {
        self.sign_out();
    }
}
