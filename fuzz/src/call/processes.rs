//! Processes that die and start again, and what is done to the files of their journals: a copy, an older
//! copy, a compaction.

use imts_core::call::Ending;
use imts_core::journal::{Digest, Entry, Intent, MemoryJournal};

use super::asks::Ask;
use super::journals::{Line, Paper, Process};
use super::known::{State, Version};
use super::world::World;

impl World {
    /// The process dies, with all its callers.
    pub(super) fn kill(&mut self, at: usize) {
        self.tell(|_| format!("process {at} dies"));
        self.desks[at].process = None;
    }

    /// A new process reads what is durable.
    pub(super) fn restart(&mut self, at: usize) {
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
    pub(super) fn compact(&mut self, at: usize) {
        let is_in_mind = self.choices.one_in(2);
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
    pub(super) fn copy(&mut self, at: usize) {
        let desk = &mut self.desks[at];
        if !desk.forgets {
            desk.copy = Some((desk.paper.clone(), desk.known.clone()));
        }
    }

    /// Puts the copy back in its place, and accepts it.
    pub(super) fn put_back(&mut self, at: usize) {
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
    pub(super) fn inherit(&mut self, at: usize) {
        for id in 1..=1 + self.choices.below(2) {
            let key = self.choices.pick(&self.keys);
            let ask = Ask::by(key, &mut *self.choices);
            let is_named = self.choices.one_in(2);
            let intent = Intent {
                operation: ask.name.to_owned(),
                scope: None,
                reference: is_named.then(|| key.reference().to_owned()),
                digest: Digest::of(ask.body.as_bytes()),
                meaning: None,
                at: self.now.wall,
                despite: None,
            };
            let ending = if self.choices.one_in(2) { Ending::Done } else { Ending::Unknown };
            let (desk, at) = (&mut self.desks[at], self.now.wall);
            let ended = Entry::Ended { id, at, ending };
            for entry in [Entry::Intent(intent), Entry::Sending { id, at, until: None }, ended] {
                desk.keep(id, &entry, 0, &ask);
            }
            let known = desk.known.last_mut().expect("it was kept");
            known.version = if is_named { Version::FirstNamed } else { Version::FirstNameless };
        }
    }
}
