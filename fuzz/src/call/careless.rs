//! A careless driver: it reports what it was not asked for, and polls a call that waits for its journal.

use imts_core::journal::Entry;
use imts_core::transport_error::{NotSent, Source};
use imts_core::{CallStep, Recovery, Reply, TransportError};

use super::caller::Caller;
use super::replies;
use super::world::World;

impl World {
    /// Something is reported to a caller out of turn.
    pub(super) fn talks_out_of_turn(&mut self, at: usize, index: usize) {
        let bearer = self.choices.one_in(2).then(|| self.some_bearer(at, index)).flatten();
        let what = self.choices.below(4);
        let reply = replies::any(&mut *self.choices, Some("a.b.c"));
        let process = self.desks[at].process.as_mut().expect("it lives");
        let caller = &mut process.callers[index];
        let (awaits, records) = (caller.awaits.is_some(), caller.is_recording());
        if let Some(bearer) = bearer {
            caller.bearers.push(bearer.clone());
            caller.call.on_bearer(bearer);
        }
        let said = match what {
            0 if !awaits => {
                caller.call.on_reply(Reply::from(&reply), self.now);
                "out of turn: a reply"
            }
            1 if !awaits => {
                caller.call.on_failure(TransportError::not_sent(NotSent::vouch()), self.now);
                "out of turn: a failure"
            }
            2 if awaits || records => {
                caller.call.on_no_bearer(nothing(), Recovery::Fix);
                "out of turn: no token"
            }
            3 if !records => {
                caller.call.on_recorded(if awaits { Ok(17) } else { Err(nothing().into()) });
                "out of turn: a record"
            }
            _ => return,
        };
        self.tally.note(said);
        self.tell(|_| format!("journal {at}: {said}"));
    }

    fn some_bearer(&mut self, at: usize, index: usize) -> Option<imts_core::Bearer> {
        let caller = &self.desks[at].process.as_ref()?.callers[index];
        let agent = caller.ask.key.agent;
        self.sessions[agent].phase(self.now).usable().map(|usable| usable.bearer().clone())
    }

    /// It asks for the same again: its journal has not answered.
    pub(super) fn polls_while_it_records(&mut self, caller: &mut Caller, entry: &Entry) {
        self.tally.note("polled while it is recorded");
        let step = caller.call.poll(self.now);
        let CallStep::Record(again) = &step else { panic!("it does not wait: {step:?}") };
        assert_eq!(again, entry);
    }

    /// Nothing comes of what is reported to a call that has ended.
    pub(super) fn talks_after_the_end(&mut self, caller: &mut Caller) {
        if self.is_calm {
            return;
        }
        let reply = replies::grant();
        caller.call.on_reply(Reply::from(&reply), self.now);
        caller.call.on_failure(TransportError::not_sent(NotSent::vouch()), self.now);
        caller.call.on_no_bearer(nothing(), Recovery::Fix);
        caller.call.on_recorded(Ok(17));
        if let Some(bearer) = caller.bearers.last() {
            caller.call.on_bearer(bearer.clone());
        }
        let step = caller.call.poll(self.now);
        assert!(matches!(step, CallStep::Wait { .. }), "after the end: {step:?}");
    }
}

fn nothing() -> Source {
    Source::from(Box::<dyn std::error::Error + Send + Sync>::from("nothing"))
}
