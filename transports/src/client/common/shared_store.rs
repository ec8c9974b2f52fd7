//! The steps of a flight that concern a store: a swap, and the wait for a sibling process.
//!
//! Owns the translation between the session's swaps and the store's answers. Does not know how a
//! store works, or how a kind of client waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use imts_core::Now;
use imts_core::session::SwapTicket;
use imts_core::swap::Swap;
use imts_core::transport_error::Source;

use super::locked::Lifecycle;
use super::sharing::{InUse, StoreCounts};
use super::swapping::{Answer, Begun};
use super::{Common, Kept, Next, State, Work};
use crate::clock::Clock;
use crate::token_error::TokenError;

impl<F> Common<F> {
    /// Hands a swap out.
    pub(super) fn swap(
        &self,
        state: &mut State<F>,
        ticket: SwapTicket,
        swap: Swap,
        now: Now,
    ) -> Box<Work> {
        // No request is under way, so none can be given up.
        state.sending = None;
        state.sharing.begins(now);
        Box::new(Work::Swap(ticket, Arc::new(swap)))
    }

    /// Notes that a token request is handed out.
    pub(super) fn note_sending(&self, state: &mut State<F>) {
        if let Kept::InStore(_) = self.kept
            && let Some(event) = state.sharing.sends()
        {
            state.notes.stored(event);
        }
    }

    /// Hands a wait out.
    pub(super) fn rest(&self, state: &mut State<F>, wait: Duration) -> Box<Work> {
        state.sending = None;
        Box::new(Work::Rest(self.changes.version(), wait))
    }

    /// Begins a swap, outside the lock. `mark` runs the store's work on its thread.
    pub(crate) fn begin_swap(
        &self,
        swap: &Arc<Swap>,
        mark: impl FnOnce(&mut dyn FnMut()) + Send + 'static,
    ) -> Option<Begun> {
        match &self.kept {
            Kept::InStore(store) => Some(store.begin(swap, mark)),
            Kept::Nowhere | Kept::ByHook(_) => None,
        }
    }

    /// Reports a store's answer, and returns the next step.
    pub(crate) fn on_swapped(&self, ticket: SwapTicket, swap: &Swap, answer: &Answer) -> Next {
        let report = AssertUnwindSafe(|| self.reported_swap(ticket, swap, answer));
        // If a swap is not reported, it ends by itself in good time.
        catch_unwind(report).unwrap_or_else(|_| Next::Ended(Ok(())))
    }

    fn reported_swap(&self, ticket: SwapTicket, swap: &Swap, answer: &Answer) -> Next {
        let (mut state, now) = (self.lock(), self.clock.now());
        let before = InUse::of(&state.session, now);
        let report = match answer {
            Ok(swapped) => Ok(swapped.clone()),
            Err(error) => Err(Arc::new(error.clone()) as Source),
        };
        state.session.on_swap(ticket, report, now);
        let State { sharing, session, notes, .. } = &mut *state;
        for event in sharing.answered(swap, answer, before, session, now) {
            notes.stored(event);
        }
        self.go_on(&mut state, Ok(()), now)
    }

    /// Asks the session again after a wait for a sibling, and returns the next step.
    pub(crate) fn rested(&self) -> Next {
        let go_on = AssertUnwindSafe(|| {
            let (mut state, now) = (self.lock(), self.clock.now());
            if state.lifecycle != Lifecycle::Open {
                return Next::Ended(Err(TokenError::Closed));
            }
            self.go_on(&mut state, Ok(()), now)
        });
        catch_unwind(go_on).unwrap_or_else(|_| Next::Ended(Ok(())))
    }

    pub(crate) fn sign_out_everywhere(&self) {
        let mut locked = self.lock();
        locked.session.sign_out_everywhere();
        locked.reading.signed_out();
        locked.mark_changed();
    }

    pub(crate) fn store_failure(&self) -> Option<Source> {
        self.lock().sharing.failure.clone()
    }

    pub(crate) fn store_counts(&self) -> StoreCounts {
        self.lock().sharing.counts
    }
}
