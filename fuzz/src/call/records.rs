//! What callers record: an entry becomes durable, or fails, or takes its process down.

use imts_core::journal::{Entry, Journal, RecordError};
use imts_core::transport_error::Source;

use super::asks::Ask;
use super::caller::Caller;
use super::journals::Process;
use super::known::{self, Answer, Known};
use super::world::World;

/// What becomes of a record. `kept`: whether it is durable all the same.
#[derive(Clone, Copy)]
enum Fate {
    Written,
    Fails { kept: bool },
    Dies { kept: bool },
}

impl Process {
    /// The number under which an entry may be written, as a client asks for it.
    fn admit(&mut self, entry: &Entry, client: usize) -> Result<u64, RecordError> {
        if let Entry::Intent(intent) = entry {
            self.under_way[client].admit(intent)?;
        }
        if self.is_broken {
            return Err(RecordError::Failed(full()));
        }
        Ok(self.book.check(entry)?)
    }

    /// The answer that a caller must get beside the others of this process.
    fn expected(&self, known: &[Known], ask: &Ask, client: usize) -> Option<Answer> {
        match self.rival(ask, client) {
            Some(other) => Some(known::beside(&other.ask, other.id?, ask)),
            None => (!self.is_broken).then(|| known::answer(known, ask)),
        }
    }

    /// A caller leaves, or has got its end.
    pub(super) fn let_go(&mut self, caller: &Caller) {
        if caller.id.is_some() {
            self.under_way[caller.client].end(&caller.ask.key.intent());
            self.left.extend(caller.sending);
        }
    }

    /// Another caller of the same client that is sending the same intent.
    fn rival(&self, ask: &Ask, client: usize) -> Option<&Caller> {
        let mut callers = self.callers.iter().filter(|caller| caller.client == client);
        callers.find(|caller| caller.id.is_some() && caller.ask.key == ask.key)
    }
}

impl World {
    /// Records an entry of a caller's. `None`: the process has died of it.
    pub(super) fn record(
        &mut self,
        at: usize,
        caller: &mut Caller,
        entry: &Entry,
    ) -> Option<Result<u64, RecordError>> {
        let fate = self.fate(at);
        let desk = &mut self.desks[at];
        let is_taken = desk.takes(entry, self.now.wall);
        let process = desk.process.as_mut().expect("it lives");
        let is_taken = is_taken && !process.is_broken;
        let is_intent = matches!(entry, Entry::Intent(_));
        let expected = match is_intent {
            true => process.expected(&desk.known, &caller.ask, caller.client),
            false => None,
        };
        let outrun = match (entry, caller.id) {
            (Entry::Sending { .. }, Some(id)) if is_taken => {
                known::outrun(&desk.known, id, &caller.ask)
            }
            _ => None,
        };
        let admitted = process.admit(entry, caller.client);
        if is_intent {
            self.judge(at, caller, expected, admitted.as_ref());
        } else if let Some(outrun) = outrun {
            let Err(RecordError::Intent(error)) = &admitted else { panic!("{admitted:?}") };
            assert_eq!(known::told(error, &caller.ask), outrun);
            self.tally.note("another client's call has left before");
        } else {
            assert_eq!(admitted.is_ok(), is_taken, "{entry:?}");
            if !is_taken && !self.desks[at].process.as_ref().is_some_and(|it| it.is_broken) {
                self.tally.note(match entry {
                    Entry::Sending { .. } => "not sent: it was resolved meanwhile",
                    _ => "an end that comes after a finding",
                });
            }
        }
        let id = match admitted {
            Ok(id) => id,
            Err(RecordError::Intent(error)) => {
                caller.refused = expected.or(outrun);
                return Some(Err(RecordError::Intent(error)));
            }
            Err(error) => return Some(Err(error)),
        };
        let number = caller.admitted.number;
        let desk = &mut self.desks[at];
        if let (true, Fate::Written) = (is_intent, fate) {
            caller.id = Some(id);
            caller.admitted = desk.admitted(at, number, &caller.ask);
        }
        if let Fate::Written | Fate::Fails { kept: true } | Fate::Dies { kept: true } = fate {
            desk.keep(id, entry, number, &caller.ask);
        }
        let process = desk.process.as_mut().expect("it lives");
        match fate {
            Fate::Written => {
                process.book.apply(id, entry);
                if let Some(memory) = &mut process.memory {
                    assert_eq!(memory.record(entry).ok(), Some(id));
                }
                if let Entry::Intent(intent) = entry {
                    process.under_way[caller.client].begin(id, intent);
                }
                if let Entry::Sending { .. } = entry {
                    self.left += 1;
                    caller.admitted.left = self.left;
                    caller.admitted.known = desk.admitted(at, number, &caller.ask).known;
                }
                match entry {
                    Entry::Sending { .. } => caller.sending = Some(id),
                    _ => caller.sending = None,
                }
                desk.compare();
                Some(Ok(id))
            }
            Fate::Fails { kept } => {
                process.is_broken = true;
                self.tally.note(if kept {
                    "a record fails, and is there"
                } else {
                    "a record fails"
                });
                Some(Err(RecordError::Failed(full())))
            }
            Fate::Dies { kept } => {
                self.tally.note(match (entry, kept) {
                    (Entry::Intent(_), false) => "crash: before an intent is recorded",
                    (Entry::Intent(_), true) => "crash: after an intent is recorded",
                    (Entry::Sending { .. }, false) => "crash: before a sending is recorded",
                    (Entry::Sending { .. }, true) => "crash: after a sending is recorded",
                    (_, false) => "crash: before an end is recorded",
                    (_, true) => "crash: after an end is recorded",
                });
                self.kill(at);
                None
            }
        }
    }

    fn fate(&mut self, at: usize) -> Fate {
        if self.is_calm {
            return Fate::Written;
        }
        match self.choices.below(48) {
            1 | 2 => Fate::Dies { kept: self.choices.one_in(2) },
            3 if !self.desks[at].forgets => Fate::Fails { kept: self.choices.one_in(2) },
            _ => Fate::Written,
        }
    }

    /// Holds what a journal answers to an intent to what it must answer.
    fn judge(
        &mut self,
        at: usize,
        caller: &Caller,
        expected: Option<Answer>,
        admitted: Result<&u64, &RecordError>,
    ) {
        let Caller { ask, client, .. } = caller;
        let client = *client;
        let told = match admitted {
            Ok(_) => Some(Answer::Admitted),
            Err(RecordError::Intent(error)) => Some(known::told(error, ask)),
            Err(RecordError::Failed(_) | RecordError::UnderWay { .. }) => None,
        };
        assert_eq!(told, expected, "{ask:?}");
        self.tell(|_| format!("journal {at} is asked for {ask:?}: {told:?}"));
        let desk = &self.desks[at];
        let rival = desk.process.as_ref().and_then(|process| process.rival(ask, client));
        match told {
            Some(told) if rival.is_some() => self.tally.answered_at_once(ask, told),
            Some(told) => self.tally.answered(&desk.known, ask, told),
            None => self.tally.note("asked: the journal is broken"),
        }
    }
}

fn full() -> Source {
    Source::from(Box::<dyn std::error::Error + Send + Sync>::from("full"))
}
