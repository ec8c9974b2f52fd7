//! What people find out of calls, and when they may say so.

use imts_core::call::Ending;
use imts_core::journal::{Entry, EntryError, Finding, Journal, Resolution};

use super::asks::Ask;
use super::journals::{Desk, Process};
use super::known::State;
use super::world::World;

/// Who says what became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// Someone in the process of its callers, that knows which of them are at work.
    Here,
    /// Someone who knows the journal alone.
    Elsewhere,
}

impl World {
    /// Someone says what became of a call, in doubt or not, there or not.
    pub(super) fn resolve(
        &mut self,
        at: usize,
        (id, finding, from): (u64, Finding, From),
        ask: &Ask,
    ) {
        let wall = self.now.wall;
        let resolution =
            Resolution { finding, reason: format!("asked for {id}"), by: Some("an agent".into()) };
        let entry = Entry::Resolved { id, at: wall, resolution };
        let desk = &mut self.desks[at];
        let Some(process) = desk.process.as_mut().filter(|it| !it.is_broken) else { return };
        let sender = process.callers.iter().find(|caller| caller.id == Some(id));
        for (client, under_way) in process.under_way.iter().enumerate() {
            let is_its = sender.is_some_and(|caller| caller.client == client);
            assert_eq!(under_way.has(id), is_its);
        }
        let is_under_way = sender.is_some();
        if is_under_way && from == From::Here {
            self.tally.note("resolve: under way");
            return;
        }
        let known = desk.known.iter().find(|call| call.id == id).cloned();
        let alive_until = known.as_ref().and_then(|call| call.alive_until(wall));
        let state = known.map(|call| call.state);
        if alive_until.is_some() && from == From::Here && process.left.contains(&id) {
            self.tally.note("resolve: after its caller has left");
            write(desk, &Entry::Ended { id, at: wall, ending: Ending::Unknown }, ask);
        }
        let (process, known) = (desk.process.as_ref().expect("it lives"), &desk.known);
        let alive_until = known.iter().find(|it| it.id == id).and_then(|it| it.alive_until(wall));
        let told = process.book.check(&entry);
        let what = match (state, alive_until) {
            (None, _) => {
                assert_eq!(told, Err(EntryError::NoSuchCall { id }));
                "resolve: no such call"
            }
            (Some(State::Doubt), Some(until)) => {
                assert_eq!(told, Err(EntryError::UnderWay { id, until }));
                "resolve: its sender may be alive"
            }
            (Some(State::Doubt), None) => {
                assert_eq!(told, Ok(id));
                write(desk, &entry, ask);
                match finding {
                    _ if is_under_way => "resolve: its sender should be dead",
                    Finding::Done => "resolve: done",
                    Finding::Refused => "resolve: refused",
                }
            }
            (Some(_), _) => {
                assert_eq!(told, Err(EntryError::Ended { id }));
                "resolve: not in doubt"
            }
        };
        self.tally.note(what);
        self.tell(|_| format!("journal {at}, call {id}: {what}"));
    }
}

/// Writes down what must be taken.
fn write(desk: &mut Desk, entry: &Entry, ask: &Ask) {
    let Process { book, memory, .. } = desk.process.as_mut().expect("it lives");
    let id = book.check(entry).expect("it is taken");
    if let Some(memory) = memory {
        assert_eq!(memory.record(entry).ok(), Some(id));
    }
    book.apply(id, entry);
    desk.keep(id, entry, 0, ask);
    desk.compare();
}
