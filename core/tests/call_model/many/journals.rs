//! Journals and the processes that hold them: records that become durable or do not, crashes,
//! restarts, older copies, and what people find out.

use imts_core::{Ending, Wall};
use std::collections::BTreeSet;

use imts_core::journal::{
    Book, CallRecord, Digest, Entry, Finding, Intent, MemoryJournal, UnderWay,
};

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
    paper: Vec<Line>,
    copy: Option<(Vec<Line>, Vec<Known>)>,
    pub(crate) known: Vec<Known>,
    /// How often its records were lost.
    life: u64,
    pub(crate) process: Option<Process>,
}

#[derive(Clone, Debug)]
enum Line {
    Record(u64, Entry),
    /// Someone accepted it as a copy that may be older than another one.
    Accepted,
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
            paper: Vec::new(),
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
        let own = |line: &&Line| matches!(line, Line::Record(it, _) if *it == id);
        let mut lines = self.paper.iter().filter(own);
        assert!(matches!(lines.next(), Some(Line::Record(_, Entry::Intent(_)))));
        lines.filter(|line| matches!(line, Line::Record(_, Entry::Sending { .. }))).count()
    }

    /// Makes an entry durable, and known by what `ending` the call's faults lead to.
    pub(crate) fn keep(&mut self, id: u64, entry: &Entry, number: u64, ask: &Ask, ending: Ending) {
        self.paper.push(Line::Record(id, entry.clone()));
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
        let despite = despite.filter(|id| known.iter().any(|call| call.id == *id));
        Admitted { number, key: ask.key, journal: (at, self.life), despite, left: 0, known }
    }

    /// Holds what the process's book says to what is known.
    pub(crate) fn compare(&self) {
        let Some(process) = self.process.as_ref().filter(|process| !process.is_broken) else {
            return;
        };
        let (book, mut expected) = (&process.book, self.known.iter());
        for record in book.calls() {
            let known = expected.next().expect("no call but those that were recorded");
            known.compare(record);
        }
        assert_eq!(expected.next().map(|known| known.id), None, "a record is lost");
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
        }
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
            desk.paper.clear();
            desk.known.clear();
        }
        let mut first_own = 1;
        let memory = desk.paper.is_empty().then(MemoryJournal::default);
        let mut process = Process { memory, ..Process::default() };
        for line in &desk.paper {
            let Line::Record(id, entry) = line else {
                process.book.doubt_all();
                first_own = process.book.next_id();
                continue;
            };
            assert!(process.book.takes(*id, entry), "it was recorded: {entry:?}");
            process.book.apply(*id, entry);
        }
        // Its lock says that nobody else sends; of the calls in a copy it says nothing.
        process.book.senders_are_gone(first_own);
        for call in &mut desk.known {
            call.sending_until = call.written_until.filter(|_| call.id < first_own);
        }
        desk.process = Some(process);
        desk.compare();
        if desk.known.iter().any(|known| known.state == State::Doubt) {
            self.tally.note("restart: with calls in doubt");
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
        desk.paper.push(Line::Accepted);
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
