//! What a process asked of the kernel, in order, by strace: a sync that is left out shows nowhere else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Folder;

/// Where a traced process has its journal.
pub(crate) const FILE: &str = "IMTS_TEST_TRACED_JOURNAL";

/// The file by which a traced process says where it is.
const MARKS: &str = "IMTS_TEST_TRACED_MARKS";

/// One system call on the journal, its folder or the marks.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Its name.
    pub(crate) call: String,
    /// The file that it is about.
    path: PathBuf,
    /// Its arguments, as strace shows them.
    pub(crate) arguments: String,
    /// What it returned; negative where it failed.
    pub(crate) result: i64,
    /// The line of the trace at which it began.
    pub(crate) began: usize,
    /// The line of the trace at which it returned.
    pub(crate) ended: usize,
}

/// A process's system calls, by when they returned.
pub(crate) struct Trace {
    journal: PathBuf,
    events: Vec<Event>,
}

/// Says in a traced process where it is. `pwrite`, so that no `write` is counted but the journal's.
pub(crate) struct Marks(fs::File);

impl Marks {
    /// Those of this process; `None` in a process that nobody traces.
    pub(crate) fn of_this_process() -> Option<Self> {
        let path = std::env::var(MARKS).ok()?;
        let file = fs::File::options().create(true).truncate(true).write(true).open(path);
        Some(Self(file.unwrap()))
    }

    pub(crate) fn say(&self, mark: &str) {
        std::os::unix::fs::FileExt::write_all_at(&self.0, mark.as_bytes(), 0).unwrap();
    }
}

impl Trace {
    /// Runs one test of this program under strace, with the folder's journal, and with faults
    /// injected into its system calls.
    pub(crate) fn of(
        test: &str,
        folder: &Folder,
        variables: &[(&str, &str)],
        faults: &[&str],
    ) -> Self {
        let journal = folder.path();
        let (marks, trace) = (journal.with_extension("marks"), journal.with_extension("trace"));
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-y", "-s", "4096", "-o"]).arg(&trace);
        strace.args(["-e", CALLS]);
        let target = fs::read_link(&journal).unwrap_or_else(|_| journal.clone());
        let mut beside = target.clone().into_os_string();
        beside.push(".compacting");
        for path in [&*journal, &*marks, &*target, Path::new(&beside)] {
            strace.arg("-P").arg(path).arg("-P").arg(path.parent().unwrap());
        }
        for fault in faults {
            strace.args(["-e", &format!("inject={fault}")]);
        }
        strace.arg(std::env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
        strace.env(FILE, &journal).env(MARKS, &marks).envs(variables.iter().copied());
        let output = strace.output().expect("install strace: these tests look at system calls");
        let said = String::from_utf8_lossy(&output.stdout);
        let cried = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{test} {faults:?}: {said}{cried}");
        assert!(said.contains("1 passed"), "{test} ran: {said}{cried}");
        let text = fs::read_to_string(&trace).unwrap();
        let _ = fs::remove_file(&trace);
        let events = events(&text);
        assert!(!events.is_empty(), "strace could trace nothing here: {said}{cried}");
        Self { journal, events }
    }

    /// All events, by when they returned.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }

    /// What was asked for the journal's file.
    pub(crate) fn on_journal(
        &self,
        calls: &'static [&'static str],
    ) -> impl Iterator<Item = &Event> {
        self.all().filter(|it| it.path == self.journal && calls.contains(&&*it.call))
    }

    /// What was asked for the journal's folder.
    pub(crate) fn on_folder(&self, calls: &'static [&'static str]) -> impl Iterator<Item = &Event> {
        self.on(self.journal.parent().unwrap(), calls)
    }

    /// What was asked for this file or folder.
    pub(crate) fn on(
        &self,
        path: &Path,
        calls: &'static [&'static str],
    ) -> impl Iterator<Item = &Event> {
        let path = path.to_owned();
        self.all().filter(move |it| it.path == path && calls.contains(&&*it.call))
    }

    /// Writes to the journal that hold such a record.
    pub(crate) fn records(&self, kind: &str) -> impl Iterator<Item = &Event> {
        let mark = format!(r#"\"record\":\"{kind}\""#);
        self.on_journal(WRITES).filter(move |it| it.arguments.contains(&mark))
    }

    /// What the process said, with where it said it.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (&str, &Event)> {
        let said = self.all().filter(|it| it.call == "pwrite64" && it.path != self.journal);
        said.filter_map(|it| Some((it.arguments.split('"').nth(1)?, it)))
    }

    /// Where the process said this.
    pub(crate) fn mark(&self, text: &str) -> &Event {
        let all = || self.marks().map(|(mark, _)| mark).collect::<Vec<_>>();
        self.marks()
            .find(|(mark, _)| *mark == text)
            .unwrap_or_else(|| panic!("{text}: {:?}", all()))
            .1
    }

    /// Whether the journal was synced after this event returned, and before the other began.
    pub(crate) fn is_synced_between(&self, one: &Event, other: &Event) -> bool {
        self.on_journal(SYNCS).any(|sync| sync.is_ok() && sync.is_between(one, other))
    }

    /// The system calls that a fault was injected into: one of each thread, at most.
    pub(crate) fn faults(&self) -> impl Iterator<Item = &Event> {
        self.all().filter(|it| it.arguments.contains("(INJECTED"))
    }
}

impl Event {
    pub(crate) fn is_ok(&self) -> bool {
        self.result >= 0
    }

    /// Whether it began after the one had returned, and returned before the other began.
    pub(crate) fn is_between(&self, one: &Self, other: &Self) -> bool {
        one.ended < self.began && self.ended < other.began
    }
}

pub(crate) const WRITES: &[&str] = &["write", "pwrite64"];
pub(crate) const READS: &[&str] = &["read", "pread64"];
pub(crate) const SYNCS: &[&str] = &["fsync", "fdatasync"];

const CALLS: &str = "trace=openat,flock,read,pread64,write,pwrite64,ftruncate,fchmod,fsync,fdatasync,\
                     rename,renameat,renameat2";

fn events(trace: &str) -> Vec<Event> {
    let mut begun: Vec<(&str, usize, String)> = Vec::new();
    let mut events = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        let (began, whole) = if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.push((thread, number, start.to_owned()));
            continue;
        } else if let Some((_, end)) =
            rest.split_once(" resumed>").filter(|_| rest.starts_with("<..."))
        {
            let Some(place) = begun.iter().position(|it| it.0 == thread) else { continue };
            let (_, began, start) = begun.swap_remove(place);
            (began, start + end)
        } else {
            (number, rest.to_owned())
        };
        events.extend(event(&whole, began, number));
    }
    events
}

/// `CALL(ARGUMENTS) = RESULT`; `None` for what is no system call, such as a signal.
fn event(line: &str, began: usize, ended: usize) -> Option<Event> {
    let (call, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let digits = result.split(|it: char| it != '-' && !it.is_ascii_digit()).next()?;
    let path = if ["openat", "rename"].contains(&call) {
        arguments.split('"').nth(1)?
    } else {
        arguments.split_once('<')?.1.split_once('>')?.0
    };
    let (call, path) = (call.to_owned(), PathBuf::from(path));
    let arguments = format!("{arguments} = {result}");
    Some(Event { call, path, arguments, result: digits.parse().ok()?, began, ended })
}

/// A traced process's journal, where this process is one.
pub(crate) fn journal_of_this_process() -> Option<PathBuf> {
    std::env::var_os(FILE).map(|file| Path::new(&file).to_owned())
}
