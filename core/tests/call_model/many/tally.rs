//! What the schedules have reached, and how often: what seldom happens proves little.

use std::collections::BTreeMap;
use std::fmt;

use imts_core::call::Ending;

use super::asks::Ask;
use super::known::{self, Answer, Known, State};
use crate::schedule::Fault;

#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<String, u64>,
}

/// What must be reached, and how often at least in a thousand schedules: a third of what was
/// reached when this was written.
const REQUIRED: &[(&str, u64)] = &[
    ("a copy is put back", 33),
    ("a copy puts an intent in doubt", 8),
    ("a journal is compacted", 30),
    ("a record fails", 22),
    ("a record fails, and is there", 22),
    ("a reply", 1415),
    ("a reply is not polled in time", 1),
    ("a reply to an unpolled call", 5),
    ("a request arrives late", 8),
    ("a wall clock is set", 289),
    ("another client's call has left before", 47),
    ("applied", 1020),
    ("applied again: a wrong finding", 2),
    ("applied again: another journal", 453),
    ("applied again: by an override", 59),
    ("applied again: lost records", 2),
    ("asked again by permit", 199),
    ("asked: done: admitted", 3),
    ("asked: done: already done", 546),
    ("asked: done: conflict", 306),
    ("asked: found done: already done", 102),
    ("asked: found done: conflict", 46),
    ("asked: found refused: admitted", 104),
    ("asked: found refused: already done", 2),
    ("asked: found refused: conflict", 5),
    ("asked: in doubt: conflict", 82),
    ("asked: in doubt: in doubt", 112),
    ("asked: intended: admitted", 117),
    ("asked: intended: already done", 18),
    ("asked: intended: conflict", 14),
    ("asked: intended: in doubt", 2),
    ("asked: new: admitted", 1057),
    ("asked: not sent: admitted", 72),
    ("asked: not sent: already done", 6),
    ("asked: not sent: conflict", 5),
    ("asked: refused: admitted", 31),
    ("asked: refused: already done", 4),
    ("asked: refused: conflict", 4),
    ("asked: the journal is broken", 219),
    ("beside another caller, override: conflict", 56),
    ("beside another caller, override: in progress", 80),
    ("beside another caller, respelled: conflict", 255),
    ("beside another caller, respelled: in progress", 370),
    ("beside another caller: conflict", 292),
    ("beside another caller: in progress", 424),
    ("cancelled: before its intent", 83),
    ("cancelled: sent", 17),
    ("cancelled: unsent", 39),
    ("crash: after a sending is recorded", 17),
    ("crash: after an end is recorded", 11),
    ("crash: after an intent is recorded", 24),
    ("crash: before a sending is recorded", 16),
    ("crash: before an end is recorded", 11),
    ("crash: before an intent is recorded", 24),
    ("crash: between two steps", 401),
    ("end: done", 934),
    ("end: not_sent", 522),
    ("end: refused", 47),
    ("end: unknown", 198),
    ("healed: done now", 211),
    ("healed: was done", 453),
    ("no token", 32),
    ("override: done: admitted", 73),
    ("override: done: already done", 11),
    ("override: done: conflict", 8),
    ("override: found done: admitted", 17),
    ("override: found done: already done", 2),
    ("override: found done: conflict", 1),
    ("override: found refused: admitted", 9),
    ("override: in doubt: admitted", 63),
    ("override: in doubt: conflict", 7),
    ("override: in doubt: in doubt", 10),
    ("override: intended: admitted", 15),
    ("override: new: admitted", 91),
    ("override: not sent: admitted", 12),
    ("override: refused: admitted", 5),
    ("polled after its deadline", 397),
    ("rejected twice", 5),
    ("resolve: done", 197),
    ("resolve: after its caller has left", 3),
    ("resolve: its sender may be alive", 33),
    ("resolve: its sender should be dead", 8),
    ("not sent: it was resolved meanwhile", 4),
    ("resolve: no such call", 75),
    ("resolve: not in doubt", 91),
    ("resolve: refused", 166),
    ("resolve: under way", 158),
    ("respelled: admitted", 1282),
    ("respelled: already done", 319),
    ("respelled: conflict", 316),
    ("respelled: in doubt", 113),
    ("restart: with calls in doubt", 359),
    ("sent", 1311),
    ("sent again after a refusal or an unsent call", 238),
    ("sent again by proof", 141),
    ("silence", 17),
    ("stands: of the first version", 84),
    ("unpolled time", 661),
    ("without faults: applied exactly once", 76),
];

/// How often at least each fault must be met in a thousand schedules.
const EACH_FAULT: u64 = 8;

impl Tally {
    pub(crate) fn note(&mut self, what: &str) {
        match self.counts.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(what.to_owned(), 1)),
        }
    }

    pub(crate) fn met(&mut self, fault: Fault) {
        self.note(&fault_name(fault));
    }

    pub(crate) fn ended(&mut self, ending: Ending) {
        self.note(&format!("end: {}", ending.as_str()));
    }

    /// Counts what a caller was told, by what the journal held of its intent.
    pub(crate) fn answered(&mut self, known: &[Known], ask: &Ask, told: Answer) {
        let last = known.iter().rev().find(|call| call.is_of(ask));
        let state = match last {
            None => "new",
            Some(call) if call.resolution.is_some() => match call.state {
                State::Done => "found done",
                _ => "found refused",
            },
            Some(call) => match call.state {
                State::Intended => "intended",
                State::Doubt => "in doubt",
                State::Done => "done",
                State::Refused => "refused",
                State::NotSent => "not sent",
            },
        };
        let answer = match told {
            Answer::Admitted => "admitted",
            Answer::Conflict(_) => "conflict",
            Answer::InDoubt(_) => "in doubt",
            Answer::AlreadyDone(..) => "already done",
            Answer::InProgress(_) => unreachable!("nobody else sends it"),
        };
        match &ask.despite {
            None => self.note(&format!("asked: {state}: {answer}")),
            Some(_) => self.note(&format!("override: {state}: {answer}")),
        }
        if ask.is_respelled() {
            self.note(&format!("respelled: {answer}"));
        }
        let standing = known::standing(known, ask);
        if standing.is_some_and(|call| call.version != known::Version::Present) {
            self.note("stands: of the first version");
        }
    }

    /// Counts what a caller was told while another one was sending the same intent.
    pub(crate) fn answered_at_once(&mut self, ask: &Ask, told: Answer) {
        let answer = match told {
            Answer::InProgress(_) => "in progress",
            _ => "conflict",
        };
        self.note(&format!("beside another caller: {answer}"));
        if ask.is_respelled() {
            self.note(&format!("beside another caller, respelled: {answer}"));
        }
        if ask.despite.is_some() {
            self.note(&format!("beside another caller, override: {answer}"));
        }
    }

    /// Fails if something that must be reached was reached too seldom.
    pub(crate) fn check(&self) {
        let schedules = self.counts["schedules"];
        let count = |what: &str| self.counts.get(what).copied().unwrap_or_default();
        let named = REQUIRED.iter().map(|(what, often)| ((*what).to_owned(), *often));
        let faults = Fault::ALL.iter().map(|fault| (fault_name(*fault), EACH_FAULT));
        let seldom =
            named.chain(faults).filter(|(what, often)| count(what) * 1000 < often * schedules);
        let seldom: Vec<_> = seldom.map(|(what, _)| format!("{what}: {}", count(&what))).collect();
        assert!(seldom.is_empty(), "too seldom in {schedules} schedules: {seldom:#?}");
    }
}

fn fault_name(fault: Fault) -> String {
    format!("fault: {}", fault.label())
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            writeln!(f, "{count:>10}  {what}")?;
        }
        Ok(())
    }
}
