//! What the schedules have reached, and how often: what seldom happens proves little.

use std::collections::BTreeMap;
use std::fmt;

use imts_core::Class;
use imts_core::call::Ending;

use super::asks::Ask;
use super::faults::Fault;
use super::known::{self, Answer, Known, State};
use super::sign::{Reading, Sign};

#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<String, u64>,
}

/// What must be reached, and how often at least in a thousand schedules: a third of what was
/// reached when this was written.
#[cfg(test)]
const REQUIRED: &[(&str, u64)] = &[
    ("a copy is put back", 27),
    ("a copy puts an intent in doubt", 7),
    ("a journal is compacted", 108),
    ("a record fails", 20),
    ("a record fails, and is there", 22),
    ("a reply", 2143),
    ("a reply after the end", 2),
    ("a reply is not polled in time", 10),
    ("a reply to an unpolled call", 31),
    ("a request arrives late", 13),
    ("a wall clock is set", 255),
    ("an end that comes after a finding", 3),
    ("another client's call has left before", 42),
    ("applied", 1198),
    ("applied again: a wrong finding", 3),
    ("applied again: another journal", 409),
    ("applied again: by an override", 47),
    ("applied again: lost records", 2),
    ("asked", 3818),
    ("asked again by permit", 249),
    ("asked: a question", 467),
    ("asked: alone", 340),
    ("asked: done: admitted", 3),
    ("asked: done: already done", 467),
    ("asked: done: conflict", 221),
    ("asked: found done: already done", 109),
    ("asked: found done: conflict", 46),
    ("asked: found refused: admitted", 105),
    ("asked: found refused: already done", 3),
    ("asked: found refused: conflict", 4),
    ("asked: found refused: in doubt", 1),
    ("asked: in doubt: conflict", 91),
    ("asked: in doubt: in doubt", 147),
    ("asked: intended: admitted", 171),
    ("asked: intended: already done", 28),
    ("asked: intended: conflict", 22),
    ("asked: intended: in doubt", 7),
    ("asked: new: admitted", 1032),
    ("asked: not sent: admitted", 78),
    ("asked: not sent: already done", 7),
    ("asked: not sent: conflict", 5),
    ("asked: not sent: in doubt", 2),
    ("asked: refused: admitted", 54),
    ("asked: refused: already done", 8),
    ("asked: refused: conflict", 7),
    ("asked: refused: in doubt", 2),
    ("asked: the journal is broken", 195),
    ("asked: without a token", 243),
    ("beside another caller, override: conflict", 26),
    ("beside another caller, override: in progress", 41),
    ("beside another caller, respelled: conflict", 132),
    ("beside another caller, respelled: in progress", 190),
    ("beside another caller: conflict", 152),
    ("beside another caller: in progress", 242),
    ("cancelled: before its intent", 79),
    ("cancelled: sent", 20),
    ("cancelled: unsent", 31),
    ("crash: after a sending is recorded", 16),
    ("crash: after an end is recorded", 11),
    ("crash: after an intent is recorded", 23),
    ("crash: before a sending is recorded", 14),
    ("crash: before an end is recorded", 13),
    ("crash: before an intent is recorded", 23),
    ("crash: between two steps", 351),
    ("end: create: done", 439),
    ("end: create: not_sent", 231),
    ("end: create: refused", 45),
    ("end: create: unknown", 141),
    ("end: money: done", 616),
    ("end: money: not_sent", 301),
    ("end: money: refused", 63),
    ("end: money: unknown", 193),
    ("end: read: done", 264),
    ("end: read: not_sent", 106),
    ("end: read: refused", 54),
    ("healed: done now", 241),
    ("healed: was done", 425),
    ("no token", 44),
    ("not sent: it was resolved meanwhile", 2),
    ("out of turn: a failure", 64),
    ("out of turn: a record", 51),
    ("out of turn: a reply", 62),
    ("out of turn: no token", 19),
    ("override: done: admitted", 46),
    ("override: done: already done", 8),
    ("override: done: conflict", 5),
    ("override: found done: admitted", 17),
    ("override: found done: already done", 3),
    ("override: found done: conflict", 1),
    ("override: found refused: admitted", 11),
    ("override: in doubt: admitted", 70),
    ("override: in doubt: conflict", 8),
    ("override: in doubt: in doubt", 14),
    ("override: intended: admitted", 27),
    ("override: new: admitted", 84),
    ("override: not sent: admitted", 12),
    ("override: refused: admitted", 7),
    ("polled after its deadline", 391),
    ("polled while it is recorded", 216),
    ("rejected twice", 4),
    ("resolve: after its caller has left", 1),
    ("resolve: done", 211),
    ("resolve: its sender may be alive", 22),
    ("resolve: its sender should be dead", 6),
    ("resolve: no such call", 65),
    ("resolve: not in doubt", 86),
    ("resolve: refused", 168),
    ("resolve: under way", 72),
    ("respelled: admitted", 1211),
    ("respelled: already done", 252),
    ("respelled: conflict", 275),
    ("respelled: in doubt", 132),
    ("restart: with calls in doubt", 351),
    ("sent", 2084),
    ("sent again after a refusal or an unsent call", 284),
    ("sent again by proof", 173),
    ("sign: read: Busy { refuses: false }", 22),
    ("sign: read: Busy { refuses: true }", 24),
    ("sign: read: No", 35),
    ("sign: read: Nonsense", 30),
    ("sign: read: NotSent", 45),
    ("sign: read: Silence", 16),
    ("sign: read: Unauthorized", 30),
    ("sign: read: done", 264),
    ("sign: read: may be decided", 2),
    ("sign: write: Busy { refuses: false }", 64),
    ("sign: write: Busy { refuses: true }", 67),
    ("sign: write: CutNo", 2),
    ("sign: write: No", 103),
    ("sign: write: Nonsense", 85),
    ("sign: write: NotSent", 153),
    ("sign: write: Silence", 53),
    ("sign: write: Unauthorized", 100),
    ("sign: write: done", 1062),
    ("sign: write: may be decided", 9),
    ("silence", 31),
    ("stands: of the first version", 97),
    ("unpolled time", 589),
    ("without faults: applied exactly once", 78),
];

/// How often at least each fault must be met by each class in a thousand schedules.
#[cfg(test)]
const EACH_FAULT: u64 = 2;

impl Tally {
    pub(super) fn note(&mut self, what: &str) {
        match self.counts.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(what.to_owned(), 1)),
        }
    }

    pub(super) fn met(&mut self, fault: Fault, class: Class) {
        self.note(&fault_name(fault, class));
    }

    pub(super) fn read(&mut self, reading: &Reading, class: Class) {
        let kind = if class == Class::Read { "read" } else { "write" };
        self.note(&match &reading.sign {
            _ if reading.may_be_decided => format!("sign: {kind}: may be decided"),
            Sign::Done(_) => format!("sign: {kind}: done"),
            sign => format!("sign: {kind}: {sign:?}"),
        });
    }

    pub(super) fn ended(&mut self, ending: Ending, class: Class) {
        self.note(&format!("end: {class}: {}", ending.as_str()));
    }

    /// Counts the answers that callers got, by what the journal held of its intent.
    pub(super) fn answered(&mut self, known: &[Known], ask: &Ask, told: Answer) {
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

    /// Counts the answers that callers got while another one was sending the same intent.
    pub(super) fn answered_at_once(&mut self, ask: &Ask, told: Answer) {
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

    #[cfg(test)]
    /// Fails if something that must be reached was reached too seldom.
    pub(super) fn check(&self) {
        let schedules = self.counts["schedules"];
        let count = |what: &str| self.counts.get(what).copied().unwrap_or_default();
        let named = REQUIRED.iter().map(|(what, often)| ((*what).to_owned(), *often));
        let faults = Fault::ALL.iter().flat_map(|fault| {
            [Class::Read, Class::Create, Class::Money]
                .map(|class| (fault_name(*fault, class), EACH_FAULT))
        });
        let seldom =
            named.chain(faults).filter(|(what, often)| count(what) * 1000 < often * schedules);
        let seldom: Vec<_> = seldom.map(|(what, _)| format!("{what}: {}", count(&what))).collect();
        assert!(seldom.is_empty(), "too seldom in {schedules} schedules: {seldom:#?}");
    }
}

fn fault_name(fault: Fault, class: Class) -> String {
    format!("fault: {class}: {fault:?}")
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            writeln!(f, "{count:>10}  {what}")?;
        }
        Ok(())
    }
}
