//! A journal that several processes want at once: they wait for each other, within their time.

use std::io::{BufRead, BufReader};
use std::sync::mpsc;
use std::thread;

use imts::JournalFile;
use imts::journal::CallState;
use imts_sandbox::{Front, Sandbox};
use nix::sys::signal::Signal;

use crate::journal::journal;
use crate::running::{PATIENCE, Running, only};
use crate::{Folder, SERVICE_FILE, TRANSPORTS, call, imts};

/// Starts it with `-v`, and comes back once it waits for the journal.
pub(crate) fn waiting(mut command: std::process::Command) -> Running {
    command.arg("-v");
    let mut running = Running::start(command);
    let mut lines = BufReader::new(running.child.stderr.take().unwrap()).lines();
    let (heard, waits) = mpsc::channel();
    // Reads on to the end: a command whose stderr is full would stop.
    thread::spawn(move || {
        while let Some(Ok(line)) = lines.next() {
            if line.contains("waiting for it") {
                let _listening = heard.send(());
            }
        }
    });
    waits.recv_timeout(PATIENCE).unwrap();
    running
}

#[test]
fn four_calls_at_once_are_sent_one_after_the_other() {
    let folder = Folder::new("lock-four");
    let service = folder.service_file();
    for transport in TRANSPORTS {
        let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
        let path = folder.path(transport);
        let held = JournalFile::open(&path).unwrap();
        let flags = ["--service-file", &service, "--transport", transport, "--journal", &path];
        let four: Vec<_> = (0..4)
            .map(|number| {
                let data = format!(r#"{{"client_uuid":"{number}"}}"#);
                let mut command = call(&front.url(), "confirm", &flags);
                command.args(["--json", "--timeout", "60s", "-d", &data]);
                command.args(["--reference", &number.to_string()]);
                waiting(command)
            })
            .collect();
        drop(held);
        for running in four {
            let ran = running.end();
            assert_eq!((ran.code, &ran.json()["outcome"]), (0, &"done".into()), "{ran:?}");
        }
        let book = JournalFile::read(&path).unwrap();
        assert_eq!(book.calls().filter(|call| call.state == CallState::Done).count(), 4);
        let sandbox = front.sandbox();
        for number in 0..4 {
            let applied = sandbox.ledger().applied("confirm".parse().unwrap(), &number.to_string());
            assert_eq!(applied, 1, "{transport}: {number}");
        }
    }
}

#[test]
fn a_call_in_doubt_is_resolved_once_the_journal_is_free() {
    let folder = Folder::new("lock-resolve");
    for command in [
        &["journal", "resolve", "2", "--as", "done"][..],
        &["journal", "reconcile", "--with", "echo done"],
    ] {
        let path = journal(&folder);
        let held = JournalFile::open(&path).unwrap();
        let mut args = imts(&command[..2]);
        args.arg(&path).args(&command[2..]).args(["--timeout", "60s"]);
        let running = waiting(args);
        drop(held);
        let ran = running.end();
        assert_eq!(ran.code, 0, "{ran:?}");
        let book = JournalFile::read(&path).unwrap();
        assert_eq!(book.call(2).unwrap().state, CallState::Done);
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_signal_while_the_journal_is_waited_for_is_interrupted_and_nothing_is_written() {
    let folder = Folder::new("lock-signal");
    let service = folder.service_file();
    for transport in TRANSPORTS {
        let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
        let path = folder.path(transport);
        let held = JournalFile::open(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        let flags = ["--service-file", &service, "--transport", transport, "--journal", &path];
        let mut command = call(&front.url(), "confirm", &flags);
        command.args(["--json", "--reference", "17", "--timeout", "60s"]);
        let running = waiting(command);
        running.signal(Signal::SIGTERM);
        let ran = running.end();
        let error = only(&ran);
        assert_eq!((&error["kind"], ran.code), (&"interrupted".into(), 5), "{ran:?}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(front.log().is_empty(), "nobody signed in");
        drop(held);
    }
}
