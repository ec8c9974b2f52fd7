//! Signals that ask a command to end: it ends with one outcome, and never with the wrong one.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use imts::journal::CallState;
use imts_sandbox::{Break, Delivery, Fault, Front, GET_TOKEN_PATH, Position, Rule, Sandbox};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::running::{DATA, Holding, PATIENCE, Running, money, only, state};
use crate::{AGENT, Folder, SECRET, SERVICE_FILE, TRANSPORTS, call, imts, run, token};

pub(crate) const SIGNALS: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

/// A money call whose request to this path has arrived, and is not answered.
fn held(path: &'static str, transport: &str, folder: &Folder, journal: &str) -> (Holding, Running) {
    let service = Holding::new(path);
    let mut command = money(&service.front.url(), "confirm", transport, folder, journal);
    command.arg("--json");
    let running = Running::start(command);
    service.wait();
    (service, running)
}

#[test]
fn a_signal_while_money_is_on_the_wire_is_told_as_unknown_and_the_journal_is_in_doubt() {
    let folder = Folder::new("signal-money");
    for transport in TRANSPORTS {
        for signal in SIGNALS {
            let journal = folder.path(&format!("{transport}-{signal}"));
            let (_service, running) = held("/confirm-example", transport, &folder, &journal);
            running.signal(signal);
            let ran = running.end();
            let error = only(&ran);
            assert_eq!((&error["kind"], ran.code), (&"unknown".into(), 6), "{ran:?}");
            assert_eq!((&error["recovery"], &error["journal_id"]), (&"resolve".into(), &1.into()));
            assert_eq!(
                (&error["reference"], &error["operation"]),
                (&"17".into(), &"confirm".into())
            );
            let words = error["message"].as_str().unwrap();
            assert!(words.contains(signal.as_str()) && words.contains("do not send it again"));
            assert!(error["sent_at"].as_str().unwrap().ends_with("+00:00"), "{error}");
            assert_eq!(state(&journal), CallState::InDoubt, "{transport} {signal}");
        }
    }
}

#[test]
fn what_creates_something_is_unknown_too_with_or_without_a_journal() {
    let folder = Folder::new("signal-create");
    let service_file = folder.write(
        "service.toml",
        format!("{SERVICE_FILE}[operation.create-person]\npath = \"/x/person\"\n"),
    );
    for (transport, operation, path) in
        [("ureq", "create-person", "/person"), ("hyper-util", "confirm", "/confirm-example")]
    {
        let service = Holding::new(path);
        let flags = ["--service-file", &service_file, "--transport", transport, "-d", DATA];
        let running = Running::start(call(&service.front.url(), operation, &flags));
        service.wait();
        running.signal(Signal::SIGINT);
        let ran = running.end();
        assert_eq!((ran.code, ran.out.as_str()), (6, ""), "{ran:?}");
        assert!(ran.err.contains("do not send it again"), "{ran:?}");
    }
}

#[test]
fn what_only_reads_is_interrupted_and_never_unknown() {
    let folder = Folder::new("signal-read");
    for transport in TRANSPORTS {
        for signal in SIGNALS {
            let service = Holding::new("/report");
            let service_file = folder.service_file();
            let flags = ["--service-file", &service_file, "--transport", transport, "--json"];
            let running = Running::start(call(&service.front.url(), "daily-report", &flags));
            service.wait();
            running.signal(signal);
            let ran = running.end();
            let error = only(&ran);
            assert_eq!((&error["kind"], ran.code), (&"interrupted".into(), 5), "{ran:?}");
            assert_eq!(
                (&error["recovery"], &error["signal"]),
                (&"retry".into(), &signal.as_str().into())
            );
        }
    }
}

#[test]
fn a_signal_during_the_sign_in_leaves_money_unsent_and_the_journal_says_so() {
    let folder = Folder::new("signal-sign-in");
    for transport in TRANSPORTS {
        for signal in SIGNALS {
            let journal = folder.path(&format!("{transport}-{signal}"));
            let (service, running) = held(GET_TOKEN_PATH, transport, &folder, &journal);
            let url = service.front.url();
            running.signal(signal);
            let ran = running.end();
            let error = only(&ran);
            assert_eq!((&error["kind"], ran.code), (&"interrupted".into(), 5), "{ran:?}");
            assert_eq!(error["sent_at"], serde_json::Value::Null, "{error}");
            assert_eq!(state(&journal), CallState::NotSent, "{transport} {signal}");
            drop(service.release);
            assert_eq!(service.front.sandbox().count("confirm".parse().unwrap()), 0);
            // It may be sent, and is sent once.
            let again = run(money(&url, "confirm", transport, &folder, &journal).arg("--json"));
            assert_eq!(
                (again.code, service.front.sandbox().ledger().applied_twice().count()),
                (0, 0)
            );
        }
    }
}

#[test]
fn a_signal_while_data_is_waited_for_is_interrupted_and_nothing_is_sent() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let folder = Folder::new("signal-data");
    let pipe = folder.path("pipe");
    nix::unistd::mkfifo(pipe.as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let service_file = folder.service_file();
    let data = format!("@{pipe}");
    let flags = ["--service-file", &service_file, "-d", &data, "--json"];
    let running = Running::start(call(&front.url(), "confirm", &flags));
    // It has the pipe open once this is through.
    let held = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    running.signal(Signal::SIGTERM);
    let ran = running.end();
    assert_eq!((&only(&ran)["kind"], ran.code), (&"interrupted".into(), 5), "{ran:?}");
    assert!(front.log().is_empty());
    drop(held);
}

#[test]
fn a_second_signal_changes_nothing() {
    let folder = Folder::new("signal-twice");
    for transport in TRANSPORTS {
        let journal = folder.path(transport);
        let (_service, running) = held("/confirm-example", transport, &folder, &journal);
        for signal in [Signal::SIGTERM, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            running.signal(signal);
        }
        let ran = running.end();
        assert_eq!((&only(&ran)["kind"], ran.code), (&"unknown".into(), 6), "{ran:?}");
        assert_eq!(state(&journal), CallState::InDoubt);
    }
}

#[test]
fn the_exit_code_is_the_same_though_nobody_reads() {
    let folder = Folder::new("signal-unread");
    for transport in TRANSPORTS {
        let journal = folder.path(transport);
        let (_service, mut running) = held("/confirm-example", transport, &folder, &journal);
        drop(running.child.stdout.take());
        running.signal(Signal::SIGTERM);
        assert_eq!(running.end().code, 6);
        assert_eq!(state(&journal), CallState::InDoubt);
    }
}

#[test]
fn a_closed_pipes_signal_and_one_that_was_ignored_from_the_start_end_nothing() {
    let folder = Folder::new("signal-ignored");
    for transport in TRANSPORTS {
        let service = Holding::new("/confirm-example");
        let journal = folder.path(transport);
        let inner = money(&service.front.url(), "confirm", transport, &folder, &journal);
        // As under `nohup`.
        let mut command = Command::new("sh");
        command.args(["-c", r#"trap "" HUP; exec "$0" "$@""#]).arg(inner.get_program());
        command.args(inner.get_args()).arg("--json").stdin(Stdio::null());
        command.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
        let running = Running::start(command);
        service.wait();
        running.signal(Signal::SIGHUP);
        running.signal(Signal::SIGPIPE);
        service.release.send(()).unwrap();
        let ran = running.end();
        assert_eq!((ran.code, &ran.json()["outcome"]), (0, &"done".into()), "{ran:?}");
        assert_eq!(state(&journal), CallState::Done);
    }
}

/// A pipe that takes no byte more, and its other end.
fn full_pipe() -> (io::PipeReader, io::PipeWriter, usize) {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let (reader, mut writer) = io::pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    let mut filled = 0;
    while let Ok(more) = writer.write(&[b'.'; 4_096]) {
        filled += more;
    }
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    (reader, writer, filled)
}

#[test]
fn an_outcome_that_has_arrived_is_told_as_it_is() {
    let folder = Folder::new("signal-arrived");
    for transport in TRANSPORTS {
        let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
        let journal = folder.path(transport);
        let (mut reader, writer, filled) = full_pipe();
        let mut command = money(&front.url(), "confirm", transport, &folder, &journal);
        command.args(["--json", "-v"]).stdout(writer).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The parent's own copy of the pipe's end.
        command.stdout(Stdio::null());
        let mut told = String::new();
        let mut stderr = child.stderr.take().unwrap();
        while told.matches("< 200").count() < 2 {
            let mut some = [0; 512];
            let length = stderr.read(&mut some).unwrap();
            assert!(length > 0, "{told}");
            told.push_str(std::str::from_utf8(&some[..length]).unwrap());
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let mut out = String::new();
        reader.read_to_string(&mut out).unwrap();
        let out = out.split_off(filled);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{transport}: {out} {told}");
        let json: serde_json::Value = serde_json::from_str(out.trim_end()).unwrap();
        assert_eq!((json["outcome"].as_str(), out.lines().count()), (Some("done"), 1));
        assert_eq!(state(&journal), CallState::Done);
    }
}

#[test]
fn a_stdout_that_takes_nothing_does_not_hold_it_for_ever() {
    let folder = Folder::new("signal-stuck");
    let service = Holding::new("/confirm-example");
    let journal = folder.path("journal");
    let (reader, writer, _) = full_pipe();
    let mut command = money(&service.front.url(), "confirm", "ureq", &folder, &journal);
    let mut running = {
        command.arg("--json").stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        command.stdout(Stdio::null());
        Running { command, child, began: Instant::now() }
    };
    service.wait();
    running.signal(Signal::SIGTERM);
    let (ended, code) = mpsc::channel();
    thread::spawn(move || {
        let _heard = ended.send(running.child.wait().unwrap().code());
    });
    assert_eq!(code.recv_timeout(PATIENCE).unwrap(), Some(6));
    assert_eq!(state(&journal), CallState::InDoubt);
    drop(reader);
}

#[test]
fn a_sign_in_is_interrupted_with_one_object() {
    for transport in TRANSPORTS {
        for signal in SIGNALS {
            let service = Holding::new(GET_TOKEN_PATH);
            let flags = ["--json", "--show", "--transport", transport];
            let running = Running::start(token(&service.front.url(), &flags));
            service.wait();
            running.signal(signal);
            let ran = running.end();
            assert_eq!((&only(&ran)["kind"], ran.code), (&"interrupted".into(), 5), "{ran:?}");
        }
    }
}

#[test]
fn a_reply_that_breaks_off_is_unknown_though_a_signal_follows() {
    let folder = Folder::new("signal-late");
    let mut sandbox = Sandbox::with_service_file(SERVICE_FILE).unwrap();
    let fault = Fault::Delivery(Delivery::Broken { at: Position::MidBody, by: Break::Stall });
    sandbox.set_faults(vec![Rule::always("confirm".parse().unwrap(), fault)]);
    let (coming, came) = mpsc::channel();
    let front = Front::builder(sandbox)
        .handler(move |sandbox, now, request| {
            let response = sandbox.handle(now, request);
            if request.uri().path() != GET_TOKEN_PATH {
                coming.send(()).unwrap();
            }
            response
        })
        .start()
        .unwrap();
    for transport in TRANSPORTS {
        let journal = folder.path(transport);
        let mut command = money(&front.url(), "confirm", transport, &folder, &journal);
        command.arg("--json");
        let running = Running::start(command);
        came.recv_timeout(PATIENCE).unwrap();
        running.signal(Signal::SIGINT);
        let ran = running.end();
        assert_eq!((&only(&ran)["kind"], ran.code), (&"unknown".into(), 6), "{ran:?}");
        let listed = run(&mut imts(&["journal", "list", &journal, "--json"])).json();
        assert_eq!(listed[0]["state"], "in_doubt");
    }
}
