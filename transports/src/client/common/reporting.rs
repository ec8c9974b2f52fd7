//! What a driver reports of a flight, and what the flight does next.
//!
//! Owns the translation of outcomes into steps, and the rule that says when the waiting callers get
//! their answer. Does not know how a step is done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use imts_core::session::{RenewalError, SaveTicket};
use imts_core::transport_error::Source;
use imts_core::{Now, Reply, Saved, Ticket, TransportError};

use super::locked::{Lifecycle, State};
use super::panicked::{ClockPanicked, HookPanicked};
use super::{Ask, Common, Kept, Next};
use crate::clock::Clock;
use crate::token_error::TokenError;
use crate::wipe::wipe;

impl<F> Common<F> {
    /// Reports the outcome of a request, and returns the next step.
    pub(crate) fn on_reply(
        &self,
        ticket: Ticket,
        outcome: Result<Response<Vec<u8>>, TransportError>,
    ) -> Next {
        let report = AssertUnwindSafe(|| self.reported(ticket, outcome));
        catch_unwind(report).unwrap_or_else(|_| {
            // The ticket may still count as under way.
            let failure = TransportError::unknown().because(ClockPanicked);
            let give_up = || self.lock().session.on_failure(ticket, failure, self.clock.now());
            drop(catch_unwind(AssertUnwindSafe(give_up)));
            Next::Ended(Ok(()))
        })
    }

    fn reported(&self, ticket: Ticket, outcome: Result<Response<Vec<u8>>, TransportError>) -> Next {
        let (mut state, now) = (self.lock(), self.clock.now());
        state.is_begun_anew = false;
        let outcome = match outcome {
            Ok(mut response) => {
                let outcome = state.session.on_reply(ticket, Reply::from(&response), now);
                wipe(response.body_mut());
                outcome
            }
            Err(failure) => Err(state.session.on_failure(ticket, failure, now)),
        };
        if outcome.is_ok() {
            if self.credentials.is_some() {
                state.reading.succeeded();
            }
            match self.kept {
                Kept::Nowhere => return ended(&mut state, Ok(()), now),
                Kept::ByHook(_) => {}
                Kept::InStore(_) => state.sharing.granted(),
            }
        }
        match self.next(&mut state, outcome.clone(), now) {
            Next::Work(work) if work.reports_to_siblings() => {
                let outcome = outcome.map_err(TokenError::Renewal);
                state.mark_changed();
                let State { notes, session, .. } = &mut *state;
                notes.ended(session, &outcome, now);
                Next::Landed(outcome, work)
            }
            next => next,
        }
    }

    /// Calls the hook with a state, outside the lock, and continues whatever the hook returns.
    pub(crate) fn save(&self, ticket: SaveTicket, saved: &Saved) -> Next {
        let outcome = match &self.kept {
            Kept::ByHook(hook) => catch_unwind(AssertUnwindSafe(|| hook(saved)))
                .unwrap_or_else(|_| Err(HookPanicked.into())),
            Kept::Nowhere | Kept::InStore(_) => Ok(()),
        };
        let go_on = || {
            let mut state = self.lock();
            let now = self.clock.now();
            match &outcome {
                Ok(()) => state.session.on_saved(ticket, now),
                Err(_) => state.session.on_save_failed(ticket, now),
            }
            state.save_failure = outcome.err().map(Source::from);
            if saved.is_in_doubt() {
                return self.next(&mut state, Ok(()), now);
            }
            ended(&mut state, Ok(()), now)
        };
        // If a save is not reported, it ends by itself in good time.
        catch_unwind(AssertUnwindSafe(go_on)).unwrap_or_else(|_| Next::Ended(Ok(())))
    }

    /// Continues if the renewal is not over: with a save, or with a sign-in after a refresh that
    /// did not help. A renewal is over once it has a grant, even if that token is due for renewal
    /// from the start. Only the next ask begins that renewal. Otherwise, a service slower than its
    /// tokens would be asked for ever.
    pub(super) fn next(
        &self,
        state: &mut State<F>,
        outcome: Result<(), Arc<RenewalError>>,
        now: Now,
    ) -> Next {
        let next = self.go_on(state, outcome, now);
        if let Next::Ended(outcome) = &next
            && state.lifecycle != Lifecycle::Closed
        {
            state.notes.ended(&state.session, outcome, now);
        }
        next
    }

    /// Does what [`next`](Common::next) does, for a step that says nothing about a renewal.
    pub(super) fn go_on(
        &self,
        state: &mut State<F>,
        outcome: Result<(), Arc<RenewalError>>,
        now: Now,
    ) -> Next {
        if state.lifecycle == Lifecycle::Closed {
            return Next::Ended(Err(TokenError::Closed));
        }
        let outcome = match self.step(state, Duration::ZERO, now) {
            Ok(Ask::Start(work, _)) => {
                state.notes.went_on(&state.session, &work, now);
                return Next::Work(work);
            }
            Ok(Ask::Rest(_)) if state.lifecycle != Lifecycle::Open => Err(TokenError::Closed),
            Ok(Ask::Rest(wait)) => return Next::Work(self.rest(state, wait)),
            Ok(Ask::Ready(_) | Ask::Join(_)) => outcome.map_err(TokenError::Renewal),
            Err(TokenError::Waiting { wait, last }) => {
                state.notes.backed_off(wait);
                // If nothing failed here, another secret was read, and callers should wait for it.
                Err(match outcome {
                    Ok(()) => TokenError::Waiting { wait, last },
                    Err(_) => TokenError::Renewal(last),
                })
            }
            Err(error) => Err(error),
        };
        state.mark_changed();
        Next::Ended(outcome)
    }
}

fn ended<F>(state: &mut State<F>, outcome: Result<(), TokenError>, now: Now) -> Next {
    state.mark_changed();
    state.notes.ended(&state.session, &outcome, now);
    Next::Ended(outcome)
}
