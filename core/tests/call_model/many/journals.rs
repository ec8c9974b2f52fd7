//! Journals and the processes that hold them: records that become durable or do not, crashes,
//! restarts, older copies, and what people find out.

use std::collections::{BTreeMap, BTreeSet};

use imts_core::call::Ending;
use imts_core::journal::{
    Book, CallRecord, Digest, Entry, Finding, Intent, Kept, MemoryJournal, UnderWay,
};
use imts_core::time::Wall;

use super::asks::Ask;
use super::callers::Caller;
use super::known::{Known, State, Version};
use super::ledger::Admitted;
use super::world::World;

/// A journal, and the process that holds it.
pub(crate) struct Desk {
    /// Whether it is forgotten with its process.
    pub(crate) forgets: bool,
    /// What is durable.
    paper: Paper,
    copy: Option<(Paper, Vec<Known>)>,
    pub(crate) known: Vec<Known>,
    /// How often its records were lost.
    life: u64,
    pub(crate) process: Option<Process>,
}

#[derive(Clone, Debug, Default)]
struct Paper {
    lines: Vec<Line>,
    /// How often each call was about to be sent.
    marks: BTreeMap<u64, usize>,
    is_compact: bool,
}

#[derive(Clone, Debug)]
enum Line {
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
    fn read(&self) -> (Book, u64) {
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

    fn compact(&mut self) {
        let (mut book, first_own) = self.read();
        book.compact(None);
        let lines = book.kept().map(Line::Kept).chain([Line::FirstOwn(first_own)]).collect();
        (self.lines, self.is_compact) = (lines, true);
        assert_eq!(self.read(), (book, first_own), "what was written is what is read");
    }
}

#[derive(Default)]
pub(crate) struct Process {
    pub(crate) book: Book,
    /// The same by the journal in memory, if nothing was there before this process.
    pub(crate) memory: Option<MemoryJournal>,
    /// One for each client: they share the journal, and nothing else.
    pub(crate) under_way: [UnderWay; 2],
    pub(crate) callers: Vec<Caller>,
    /// Calls that were sent, and left before their end was recorded.
    pub(crate) left: BTreeSet<u64>,
    /// Whether a record could not be written: nothing more is written then.
    pub(crate) is_broken: bool,
}

impl Desk {
    pub(crate) fn in_files() -> Self {
        Self {
            forgets: false,
            paper: Paper::default(),
            copy: None,
            known: Vec::new(),
            life: 0,
            process: None,
        }
    }

    pub(crate) fn in_memory() -> Self {
        Self { forgets: true, ..Self::in_files() }
    }

    /// How often it is durable that this call is about to be sent, if its intent is.
    pub(crate) fn marks(&self, id: u64) -> usize {
        *self.paper.marks.get(&id).expect("it was intended")
    }

    /// Makes an entry durable, and known by what `ending` the call's faults lead to.
    pub(crate) fn keep(&mut self, id: u64, entry: &Entry, number: u64, ask: &Ask, ending: Ending) {
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
            Entry::Ended { at, .. } => {
                (call.state, call.ended_at) = (State::after(ending), Some(*at));
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
    pub(crate) fn takes(&self, entry: &Entry, at: Wall) -> bool {
        let call = self.known.iter().find(|call| Some(call.id) == entry.id());
        call.is_some_and(|call| call.takes(entry, at))
    }

    /// The call as it is admitted now.
    pub(crate) fn admitted(&self, at: usize, number: u64, ask: &Ask) -> Admitted {
        let known: Vec<_> = self.known.iter().filter(|call| call.is_of(ask)).cloned().collect();
        let despite = ask.despite.as_ref().map(|despite| despite.id);
        let despite = despite.filter(|id| known.iter().any(|call| call.has_number(*id)));
        Admitted { number, key: ask.key, journal: (at, self.life), despite, left: 0, known }
    }

    /// Notes what a compact journal has let go: nobody can speak of it by its number, as long as no
    /// other process reads it again.
    fn forget(&mut self) {
        let Some(process) = &self.process else { return };
        for known in &mut self.known {
            let is_gone = process.book.call(known.id).is_none() && known.state != State::Done;
            known.is_forgotten = is_gone && known.may_be_forgotten();
        }
    }

    /// Holds what the process's book says to what is known.
    pub(crate) fn compare(&self) {
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

impl World {
    /// The process dies, with all its callers.
    pub(crate) fn kill(&mut self, at: usize) {
        self.tell(|_| format!("process {at} dies"));
        self.desks[at].process = None;
    }

    /// A new process reads what is durable.
    pub(crate) fn restart(&mut self, at: usize) {
        if self.desks[at].process.is_some() {
            return;
        }
        self.tell(|_| format!("process {at} starts"));
        let desk = &mut self.desks[at];
        if desk.forgets {
            desk.life += 1;
            desk.paper = Paper::default();
            desk.known.clear();
        }
        let memory = desk.paper.lines.is_empty().then(MemoryJournal::default);
        let (book, first_own) = desk.paper.read();
        let mut process = Process { book, memory, ..Process::default() };
        // Its lock says that nobody else sends; of the calls in a copy it says nothing.
        process.book.senders_are_gone(first_own);
        for call in &mut desk.known {
            call.sending_until = call.written_until.filter(|_| call.id < first_own);
        }
        desk.process = Some(process);
        desk.forget();
        desk.compare();
        if desk.known.iter().any(|known| known.state == State::Doubt) {
            self.tally.note("restart: with calls in doubt");
        }
    }

    /// The process that holds a file compacts it; what it has in mind, too, or not.
    pub(crate) fn compact(&mut self, at: usize) {
        let is_in_mind = self.dice.one_in(2);
        let desk = &mut self.desks[at];
        let Some(process) = desk.process.as_mut().filter(|it| !it.is_broken) else { return };
        if desk.forgets {
            return;
        }
        let before = desk.paper.lines.len();
        desk.paper.compact();
        if is_in_mind {
            process.memory = None;
            process.book.compact(None);
            desk.forget();
        }
        desk.compare();
        self.tell(|_| format!("journal {at} is compacted"));
        if before > 3 {
            self.tally.note("a journal is compacted");
        }
    }

    /// Copies a journal, as a backup does.
    pub(crate) fn copy(&mut self, at: usize) {
        let desk = &mut self.desks[at];
        if !desk.forgets {
            desk.copy = Some((desk.paper.clone(), desk.known.clone()));
        }
    }

    /// Puts the copy back in its place, and accepts it.
    pub(crate) fn put_back(&mut self, at: usize) {
        let Some((paper, known)) = self.desks[at].copy.clone() else { return };
        self.kill(at);
        self.tell(|_| format!("the copy of journal {at} is put back"));
        let desk = &mut self.desks[at];
        (desk.paper, desk.known) = (paper, known);
        desk.paper.lines.push(Line::Accepted);
        desk.life += 1;
        for call in desk.known.iter_mut().filter(|call| call.state == State::Intended) {
            call.state = State::Doubt;
            self.tally.note("a copy puts an intent in doubt");
        }
        self.tally.note("a copy is put back");
    }

    /// A journal that begins with records of its first version.
    pub(crate) fn inherit(&mut self, at: usize) {
        for id in 1..=u64::try_from(1 + self.dice.below(2)).unwrap() {
            let key = self.keys[self.dice.below(self.keys.len())];
            let ask = Ask::by(key, &mut self.dice);
            let is_named = self.dice.one_in(2);
            let intent = Intent {
                operation: ask.name.to_owned(),
                scope: None,
                reference: is_named.then(|| key.reference().to_owned()),
                digest: Digest::of(ask.body.as_bytes()),
                meaning: None,
                at: self.now.wall,
                despite: None,
            };
            let ending = if self.dice.one_in(2) { Ending::Done } else { Ending::Unknown };
            let (desk, at) = (&mut self.desks[at], self.now.wall);
            let ended = Entry::Ended { id, at, ending };
            for entry in [Entry::Intent(intent), Entry::Sending { id, at, until: None }, ended] {
                desk.keep(id, &entry, 0, &ask, ending);
            }
            let known = desk.known.last_mut().expect("it was kept");
            known.version = if is_named { Version::FirstNamed } else { Version::FirstNameless };
        }
    }
}
