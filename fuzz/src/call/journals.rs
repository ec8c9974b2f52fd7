//! Journals and the processes that hold them: what is durable, what a process has in mind, and what must
//! be known.

use std::collections::{BTreeMap, BTreeSet};

use imts_core::journal::{Book, CallRecord, Entry, Finding, Kept, MemoryJournal, UnderWay};
use imts_core::time::Wall;

use super::asks::Ask;
use super::caller::Caller;
use super::known::{Known, State, Version};
use super::ledger::Admitted;

/// A journal, and the process that holds it.
pub(super) struct Desk {
    /// Whether it is forgotten with its process.
    pub(super) forgets: bool,
    /// What is durable.
    pub(super) paper: Paper,
    pub(super) copy: Option<(Paper, Vec<Known>)>,
    pub(super) known: Vec<Known>,
    /// How often its records were lost.
    pub(super) life: u64,
    pub(super) process: Option<Process>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Paper {
    pub(super) lines: Vec<Line>,
    /// How often each call was about to be sent.
    marks: BTreeMap<u64, usize>,
    is_compact: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Line {
    Record(u64, Entry),
    /// Someone accepted it as a copy that may be older than another one.
    Accepted,
    /// A piece of what the lines before it came to.
    Kept(Kept),
    /// The first call that this file itself permitted, in a compact file.
    FirstOwn(u64),
}

impl Paper {
    /// What its lines come to, and the first call that this file itself permitted.
    pub(super) fn read(&self) -> (Book, u64) {
        let (mut book, mut first_own) = (Book::default(), 1);
        for line in &self.lines {
            match line {
                Line::Record(id, entry) => {
                    assert!(book.takes(*id, entry), "it was recorded: {entry:?}");
                    book.apply(*id, entry);
                }
                Line::Accepted => {
                    book.doubt_all();
                    first_own = book.next_id();
                }
                Line::Kept(kept) => assert!(book.restore(kept.clone()), "{kept:?}"),
                Line::FirstOwn(id) => first_own = *id,
            }
        }
        (book, first_own)
    }

    pub(super) fn compact(&mut self) {
        let (mut book, first_own) = self.read();
        book.compact(None);
        let lines = book.kept().map(Line::Kept).chain([Line::FirstOwn(first_own)]).collect();
        (self.lines, self.is_compact) = (lines, true);
        assert_eq!(self.read(), (book, first_own), "what was written is what is read");
    }
}

#[derive(Default)]
pub(super) struct Process {
    pub(super) book: Book,
    /// The same by the journal in memory, if nothing was there before this process.
    pub(super) memory: Option<MemoryJournal>,
    /// One for each client: they share the journal, and nothing else.
    pub(super) under_way: [UnderWay; 2],
    pub(super) callers: Vec<Caller>,
    /// Calls that were sent, and left before their end was recorded.
    pub(super) left: BTreeSet<u64>,
    /// Whether a record could not be written: nothing more is written then.
    pub(super) is_broken: bool,
}

impl Desk {
    pub(super) fn in_files() -> Self {
        Self {
            forgets: false,
            paper: Paper::default(),
            copy: None,
            known: Vec::new(),
            life: 0,
            process: None,
        }
    }

    pub(super) fn in_memory() -> Self {
        Self { forgets: true, ..Self::in_files() }
    }

    /// How often it is durable that this call is about to be sent, if its intent is.
    pub(super) fn marks(&self, id: u64) -> usize {
        *self.paper.marks.get(&id).expect("it was intended")
    }

    /// Makes an entry durable, and known.
    pub(super) fn keep(&mut self, id: u64, entry: &Entry, number: u64, ask: &Ask) {
        self.paper.lines.push(Line::Record(id, entry.clone()));
        *self.paper.marks.entry(id).or_default() +=
            usize::from(matches!(entry, Entry::Sending { .. }));
        if let Entry::Intent(_) = entry {
            self.known.push(Known::new(id, number, ask.clone()));
            return;
        }
        let call = self.known.iter_mut().find(|call| call.id == id).expect("it was intended");
        match entry {
            Entry::Intent(_) => {}
            Entry::Sending { at, until, .. } => {
                (call.state, call.sent_at) = (State::Doubt, Some(*at));
                (call.sending_until, call.written_until) = (*until, *until);
                return;
            }
            Entry::Ended { at, ending, .. } => {
                (call.state, call.ended_at) = (State::after(*ending), Some(*at));
            }
            Entry::Resolved { at, resolution, .. } => {
                call.state = match resolution.finding {
                    Finding::Done => State::Done,
                    Finding::Refused => State::Refused,
                };
                (call.ended_at, call.resolution) = (Some(*at), Some(resolution.clone()));
            }
        }
        (call.sending_until, call.written_until) = (None, None);
    }

    /// Whether an entry of a call may follow what is known of it.
    pub(super) fn takes(&self, entry: &Entry, at: Wall) -> bool {
        let call = self.known.iter().find(|call| Some(call.id) == entry.id());
        call.is_some_and(|call| call.takes(entry, at))
    }

    /// The call as it is admitted now.
    pub(super) fn admitted(&self, at: usize, number: u64, ask: &Ask) -> Admitted {
        let known: Vec<_> = self.known.iter().filter(|call| call.is_of(ask)).cloned().collect();
        let despite = ask.despite.as_ref().map(|despite| despite.id);
        let despite = despite.filter(|id| known.iter().any(|call| call.has_number(*id)));
        let journal = Some((at, self.life));
        Admitted { journal, despite, known, ..Admitted::alone(number, ask) }
    }

    /// Notes what a compact journal has let go: nobody can speak of it by its number, as long as no
    /// other process reads it again.
    pub(super) fn forget(&mut self) {
        let Some(process) = &self.process else { return };
        for known in &mut self.known {
            let is_gone = process.book.call(known.id).is_none() && known.state != State::Done;
            known.is_forgotten = is_gone && known.may_be_forgotten();
        }
    }

    /// Holds what the process's book says to what is known.
    pub(super) fn compare(&self) {
        let Some(process) = self.process.as_ref().filter(|process| !process.is_broken) else {
            return;
        };
        let (book, mut whole) = (&process.book, 0);
        for known in &self.known {
            let Some(record) = book.call(known.id) else {
                let may_be = self.paper.is_compact && known.may_be_forgotten();
                assert!(may_be, "a record is lost: {known:#?}");
                continue;
            };
            known.compare(record);
            whole += 1;
        }
        assert_eq!(whole, book.calls().count(), "no call but those that were recorded");
        let doubt = self.known.iter().filter(|known| known.state == State::Doubt);
        assert!(doubt.map(|known| known.id).eq(book.in_doubt().map(|record| record.id)));
        if let Some(memory) = &process.memory {
            assert_eq!(memory.book(), book);
        }
    }
}

impl Known {
    fn new(id: u64, number: u64, ask: Ask) -> Self {
        Self {
            id,
            number,
            ask,
            version: Version::Present,
            state: State::Intended,
            sent_at: None,
            sending_until: None,
            written_until: None,
            ended_at: None,
            resolution: None,
            is_forgotten: false,
        }
    }

    /// Whether no more than a hash need be kept of it.
    fn may_be_forgotten(&self) -> bool {
        let has_ended = match self.state {
            State::Done => self.version == Version::Present,
            State::Refused | State::NotSent => true,
            State::Intended | State::Doubt => false,
        };
        has_ended && self.resolution.is_none()
    }

    fn compare(&self, record: &CallRecord) {
        assert!(self.state.is(record.state), "{record:#?} is {self:#?}");
        assert_eq!((record.id, &*record.operation), (self.id, self.ask.name));
        assert_eq!(record.despite, self.ask.despite);
        assert_eq!(record.resolution, self.resolution);
        assert_eq!((record.sent_at, record.ended_at), (self.sent_at, self.ended_at));
        assert_eq!(record.sending_until, self.sending_until);
        let reference = (self.version != Version::FirstNameless).then(|| self.ask.key.reference());
        assert_eq!(record.reference.as_deref(), reference);
    }
}
