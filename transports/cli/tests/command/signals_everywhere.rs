//! A signal to any command, whatever it waits for: one object says that it was interrupted.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};

use imts_sandbox::{Front, Sandbox};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use crate::journal::journal;
use crate::running::{Running, only};
use crate::signals::SIGNALS;
use crate::{AGENT, Folder, call, imts, token};

fn assert_interrupted(ran: &crate::Ran, signal: Signal, what: &[&str]) {
    let error = only(ran);
    assert_eq!((&error["kind"], ran.code), (&"interrupted".into(), 5), "{what:?}: {ran:?}");
    assert_eq!(error["signal"], signal.as_str(), "{what:?}");
}

#[test]
fn a_command_that_waits_for_its_input_is_interrupted() {
    let front = Front::start(Sandbox::default()).unwrap();
    let folder = Folder::new("signals-input");
    let pipe = folder.path("pipe");
    nix::unistd::mkfifo(pipe.as_str(), Mode::S_IRWXU).unwrap();
    let url = front.url();
    let (contract, secret) = (["--contract", &pipe], ["--secret-file", &pipe]);
    let watch = ["watch", "--plain-http", "--base-url", &url, "--agent-id", AGENT];
    for command in [
        &[&["operations"][..], &contract].concat()[..],
        &[&watch[..], &contract].concat(),
        &[&watch[..], &secret].concat(),
    ] {
        for signal in SIGNALS {
            let mut imts = imts(command);
            let running = Running::start({
                imts.arg("--json");
                imts
            });
            // It has the pipe open once this is through.
            let held = OpenOptions::new().write(true).open(&pipe).unwrap();
            running.signal(signal);
            assert_interrupted(&running.end(), signal, command);
            drop(held);
        }
    }
    for mut command in [token(&url, &secret), call(&url, "status", &contract)] {
        command.arg("--json");
        let running = Running::start(command);
        let held = OpenOptions::new().write(true).open(&pipe).unwrap();
        running.signal(Signal::SIGHUP);
        assert_interrupted(&running.end(), Signal::SIGHUP, &["token", "call"]);
        drop(held);
    }
    assert!(front.log().is_empty());
}

#[test]
fn a_sandbox_that_does_not_serve_yet_ends_at_a_signal() {
    let folder = Folder::new("signals-sandbox");
    let pipe = folder.path("pipe");
    nix::unistd::mkfifo(pipe.as_str(), Mode::S_IRWXU).unwrap();
    for signal in SIGNALS {
        let running = Running::start(imts(&["sandbox", "--contract", &pipe]));
        let held = OpenOptions::new().write(true).open(&pipe).unwrap();
        running.signal(signal);
        let ran = running.end();
        assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{ran:?}");
        assert!(ran.err.contains(signal.as_str()), "{ran:?}");
        drop(held);
    }
}

#[test]
fn a_demo_that_is_interrupted_says_so_last() {
    for signal in SIGNALS {
        let mut running = Running::start(imts(&["demo", "--json"]));
        let mut out = BufReader::new(running.child.stdout.take().unwrap());
        let mut lines = String::new();
        out.read_line(&mut lines).unwrap();
        assert!(lines.contains("started"), "{lines}");
        running.signal(signal);
        out.read_to_string(&mut lines).unwrap();
        let ran = crate::Ran { out: lines, ..running.end() };
        assert_eq!((ran.error().0.as_str(), ran.code), ("interrupted", 5), "{ran:?}");
        assert!(!ran.out.contains(r#""event":"done""#), "{ran:?}");
    }
}

#[test]
fn an_interrupted_wait_for_a_journal_writes_nothing_down() {
    let folder = Folder::new("signals-lock");
    let path = journal(&folder);
    let held = imts::JournalFile::open(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    for command in [
        &["journal", "resolve", &path, "2", "--as", "done"][..],
        &["journal", "accept", &path, "--reason", "restored"],
        &["journal", "reconcile", &path, "--with", "echo done"],
    ] {
        for signal in SIGNALS {
            let mut imts = imts(command);
            imts.args(["--json", "--timeout", "60s"]);
            let running = crate::journal_lock::waiting(imts);
            running.signal(signal);
            assert_interrupted(&running.end(), signal, command);
            assert_eq!(std::fs::read(&path).unwrap(), before, "{command:?}");
        }
    }
    drop(held);
}
