//! What a signal does to `imts journal reconcile` and to the command that it runs.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use imts::JournalFile;
use imts::journal::CallState;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use crate::journal::journal_of;
use crate::running::{PATIENCE, Running};
use crate::signals::SIGNALS;
use crate::{Folder, imts, run};

/// A command that does something with the pipe `up`, and a journal with two calls in doubt.
struct Asking {
    folder: Folder,
    journal: String,
}

impl Asking {
    fn new(name: &str) -> Self {
        let folder = Folder::new(&format!("reconcile-{name}"));
        let journal = journal_of(&folder, &[None, None]);
        nix::unistd::mkfifo(folder.path("up").as_str(), Mode::S_IRWXU).unwrap();
        Self { folder, journal }
    }

    fn command(&self, script: &str, more: &[&str]) -> Command {
        let script = format!("up='{}'\n{script}", self.folder.path("up"));
        let args = ["journal", "reconcile", &self.journal, "--json", "--with", &script];
        let mut command = imts(&args);
        command.args(more);
        command
    }

    /// The pipe's other end, once somebody has written a line to it.
    fn up(&self) -> BufReader<File> {
        let mut up = BufReader::new(File::open(self.folder.path("up")).unwrap());
        assert_eq!(up.read_line(&mut String::new()).unwrap(), 3);
        up
    }

    fn states(&self) -> Vec<CallState> {
        JournalFile::read(&self.journal).unwrap().calls().map(|call| call.state).collect()
    }
}

/// Returns what was written to the pipe, once every process that has it open has ended.
pub(crate) fn last_words(mut up: impl Read + Send + 'static) -> String {
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        let mut words = String::new();
        up.read_to_string(&mut words).unwrap();
        ended.send(words)
    });
    end.recv_timeout(PATIENCE).expect("a process goes on")
}

/// Says of the first call that it was done, and stays at the second, with a process of its own.
const STAYS: &str = r#"
if grep -q '"id":1,' ; then echo done; exit; fi
exec 3>"$up"
trap 'echo bye >&3; exit' TERM
sleep 1000 >&- &
echo up >&3
wait
"#;

#[test]
fn a_signal_ends_the_command_with_all_that_it_started_and_what_was_decided_stays() {
    for signal in SIGNALS {
        let asking = Asking::new(&format!("signal-{signal}"));
        let running = Running::start(asking.command(STAYS, &["--pause", "0s"]));
        let up = asking.up();
        running.signal(signal);
        assert_eq!(last_words(up), "bye\n", "{signal}");
        let ran = running.end();
        assert_eq!((ran.code, ran.out.lines().count()), (5, 2), "{ran:?}");
        let first: serde_json::Value =
            serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
        assert_eq!((&first["id"], &first["answer"]), (&1.into(), &"done".into()));
        assert_eq!(ran.error(), ("interrupted".to_owned(), "retry".to_owned()));
        let error = &ran.json()["error"];
        assert_eq!((&error["signal"], &error["in_doubt"]), (&signal.as_str().into(), &1.into()));
        assert_eq!(asking.states(), [CallState::Done, CallState::InDoubt]);
    }
}

#[test]
fn a_command_that_does_not_heed_sigterm_is_killed() {
    let asking = Asking::new("deaf");
    let deaf = STAYS.replace("trap 'echo bye >&3; exit' TERM", "trap '' TERM");
    let running = Running::start(asking.command(&deaf, &["--pause", "0s"]));
    let up = asking.up();
    running.signal(Signal::SIGTERM);
    assert_eq!(last_words(up), "");
    let ran = running.end();
    assert_eq!((ran.error().0.as_str(), ran.code), ("interrupted", 5), "{ran:?}");
    assert_eq!(asking.states(), [CallState::Done, CallState::InDoubt]);
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
    let asking = Asking::new("each");
    let script = "exec 3>\"$up\"; sleep 1000 & echo up >&3; wait";
    // The second call is asked about as well: what is left of the first is gone by then.
    let running = Running::start(asking.command(script, &["--pause", "0s", "--each", "1s"]));
    for _ in 0..2 {
        assert_eq!(last_words(asking.up()), "");
    }
    assert_eq!(running.end().code, 7);
}

#[test]
fn a_signal_in_the_pause_between_two_calls_ends_it_too() {
    for signal in SIGNALS {
        let asking = Asking::new(&format!("pause-{signal}"));
        let mut running = Running::start(asking.command("echo refused", &["--pause", "1h"]));
        let mut lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
        // It is printed once it was written down.
        assert!(lines.next().unwrap().unwrap().contains("refused"));
        running.signal(signal);
        let last: serde_json::Value =
            serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert!(lines.next().is_none());
        let error = &last["error"];
        assert_eq!((&error["kind"], &error["in_doubt"]), (&"interrupted".into(), &1.into()));
        assert_eq!(running.end().code, 5);
        assert_eq!(asking.states(), [CallState::Refused, CallState::InDoubt]);
    }
}

#[test]
fn answers_are_written_down_though_nobody_reads_what_is_printed() {
    let closed = r#"exec "$0" "$@" <&- >&- 2>&-"#;
    for shut in [false, true] {
        let asking = Asking::new(&format!("unread-{shut}"));
        let command = asking.command("echo done", &["--pause", "0s"]);
        if shut {
            let mut sh = Command::new("sh");
            sh.args(["-c", closed]).arg(command.get_program()).args(command.get_args());
            assert_eq!(run(&mut sh).code, 0);
        } else {
            let mut running = Running::start(command);
            drop((running.child.stdout.take(), running.child.stderr.take()));
            assert_eq!(running.end().code, 0);
        }
        assert_eq!(asking.states(), [CallState::Done, CallState::Done]);
    }
}
