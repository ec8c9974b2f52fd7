//! The end of a call, held to what its attempts have proved.

use imts_core::call::Ending;
use imts_core::journal::Digest;
use imts_core::operation::Json;
use imts_core::{Class, Outcome};

use super::caller::Caller;
use super::callers::AGES;
use super::course::Rules;
use super::texts;
use super::world::World;

impl World {
    /// Holds an end to what the faults say of it.
    pub(super) fn may_end(&self, caller: &Caller, ending: Ending) {
        let sent = caller.faults.len();
        let may = caller.course.allows(ending, sent, self.now.mono);
        assert!(may, "{ending:?} after {:?}: {:?}", caller.faults, caller.course);
    }

    /// A call has ended; `None` if it was not admitted.
    pub(super) fn finish(
        &mut self,
        at: usize,
        caller: &mut Caller,
        outcome: Option<Outcome<Json>>,
    ) {
        self.desks[at].process.as_mut().expect("it lives").let_go(caller);
        self.talks_after_the_end(caller);
        let Some(outcome) = outcome else {
            assert!(caller.faults.is_empty(), "it was not admitted, and sent");
            return;
        };
        let ending = outcome.ending();
        self.tell(|_| format!("journal {at}: {} ends as {ending:?}", caller.ask.body));
        self.tally.ended(ending, caller.rules.class);
        self.has_done |= ending == Ending::Done;
        if caller.id.is_some() {
            assert_eq!(caller.ended, Some(ending), "another end than was recorded");
        } else {
            self.may_end(caller, ending);
        }
        if self.is_sound {
            assert_eq!(ending, Ending::Done, "and nothing went wrong");
        }
        self.is_applied_as_told(caller, ending);
        let told = match &outcome {
            Outcome::Done(reply) => Some(reply.as_str()),
            _ => None,
        };
        caller.course.returns(told);
        assert_eq!(outcome.recovery().is_none(), told.is_some());
        texts::is_silent(caller, &format!("{outcome:?}"));
        match outcome {
            Outcome::Done(_) => {}
            Outcome::Refused(refusal) => texts::is_plain(caller, &refusal.to_string()),
            Outcome::Unknown(unknown) => {
                assert_eq!(unknown.digest(), Digest::of(caller.ask.body.as_bytes()));
                assert_eq!(unknown.class(), caller.rules.class);
                assert_eq!(unknown.operation(), caller.ask.name);
                assert_eq!(unknown.reference(), Some(caller.ask.key.reference()));
                assert_eq!(Some(unknown.sent_at()), caller.sent_at, "when it left");
                texts::is_plain(caller, &unknown.to_string());
            }
            Outcome::Failed(failed) => {
                let why = failed.why();
                if let Some(recovery) = caller.no_token {
                    assert_eq!(why.recovery(), recovery, "{why}");
                }
                texts::is_plain(caller, &why.to_string());
                let permit = failed.into_permit().expect("what was not done can be done");
                texts::is_silent(caller, &format!("{permit:?}"));
                if !self.is_calm && self.choices.one_in(2) {
                    self.tally.note("asked again by permit");
                    let deadline = self.now.mono.after(AGES);
                    let rules = Rules { deadline, ..caller.rules };
                    let (call, ask) = (permit.retry(deadline), caller.ask.clone());
                    self.join(at, call, ask, caller.is_recorded, rules);
                }
            }
        }
    }

    /// Compares the answer that the caller gets with what the service has done.
    fn is_applied_as_told(&self, caller: &Caller, ending: Ending) {
        let is_applied = self.ledger.has(&caller.admitted);
        match ending {
            Ending::Done if caller.rules.class != Class::Read => {
                assert!(is_applied, "done, and not applied");
            }
            Ending::Refused | Ending::NotSent => {
                assert!(!is_applied, "applied, and {ending:?}: {:?}", caller.faults);
            }
            _ => {}
        }
    }
}
