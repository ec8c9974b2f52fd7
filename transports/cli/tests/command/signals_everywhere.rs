//! A signal to any command, whatever it waits for: one object says that it was interrupted.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use imts::journal::CallState;
use imts_sandbox::{Front, Sandbox};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use socket2::{Domain, Socket, Type};

use crate::journal::journal;
use crate::replies::message;
use crate::running::{PATIENCE, Running, money, only, state};
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
    let (service_file, secret) = (["--service-file", &pipe], ["--secret-file", &pipe]);
    let watch = ["watch", "--plain-http", "--base-url", &url, "--agent-id", AGENT];
    for command in [
        &[&["operations"][..], &service_file].concat()[..],
        &[&watch[..], &service_file].concat(),
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
    for mut command in [token(&url, &secret), call(&url, "status", &service_file)] {
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
        let running = Running::start(imts(&["sandbox", "--service-file", &pipe]));
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

/// Looks again and again whether it is so.
#[cfg(target_os = "linux")]
fn wait_until(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it does not come");
        std::thread::yield_now();
    }
}

/// How often each connection to this port that waits for its first answer has asked again.
#[cfg(target_os = "linux")]
fn waiting_for(port: u16) -> Vec<u64> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let address = format!("0100007F:{port:04X} 02 ");
    let waiting = sockets.lines().filter(|line| line.contains(&address));
    let asked = waiting.map(|line| line.split_whitespace().nth(6).unwrap());
    asked.map(|asked| u64::from_str_radix(asked, 16).unwrap()).collect()
}

/// Connects until the listener's backlog is full: the next connection waits for its first answer.
#[cfg(target_os = "linux")]
fn fill(address: SocketAddr) -> Vec<Socket> {
    let mut full = Vec::new();
    loop {
        assert!(full.len() < 99, "the backlog has no end");
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        drop(socket.connect(&address.into()));
        let is_connected = || socket.peer_addr().is_ok();
        wait_until(|| is_connected() || waiting_for(address.port()).iter().any(|asked| *asked > 0));
        if !is_connected() {
            return full;
        }
        full.push(socket);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn money_that_is_still_connecting_is_interrupted_and_the_journal_says_that_it_was_not_sent() {
    let front = Front::start(Sandbox::default()).unwrap();
    let folder = Folder::new("signals-connecting");
    for signal in SIGNALS {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(0).unwrap();
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().unwrap();
        let journal = folder.path(signal.as_str());
        let url = format!("http://{address}");
        let mut command = money(&url, "confirm", "hyper-util", &folder, &journal);
        command.arg("--json");
        let running = Running::start(command);
        // Hands the sign-in on. Before its reply, nobody can connect any more.
        let (mut client, _) = listener.accept().unwrap();
        let mut service = TcpStream::connect(front.url().trim_start_matches("http://")).unwrap();
        service.write_all(message(&mut client).as_bytes()).unwrap();
        let reply = message(&mut service);
        let full = fill(address);
        assert!(waiting_for(address.port()).is_empty());
        client.write_all(reply.as_bytes()).unwrap();
        drop(client);
        wait_until(|| !waiting_for(address.port()).is_empty());
        running.signal(signal);
        assert_interrupted(&running.end(), signal, &["call"]);
        assert_eq!(state(&journal), CallState::NotSent);
        drop(full);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_while_the_secret_is_typed_gives_the_terminal_its_echo_back() {
    use nix::sys::termios::{LocalFlags, tcgetattr};
    // More than once: the signal may come while the command is still preparing the terminal.
    for signal in [SIGNALS; 10].into_iter().flatten() {
        let terminal = nix::pty::openpty(None, None).unwrap();
        let echoes = || {
            let settings = tcgetattr(&terminal.master).unwrap();
            settings.local_flags.contains(LocalFlags::ECHO)
        };
        assert!(echoes());
        // With the terminal as its own.
        let mut command = Command::new("setsid");
        command.args(["--ctty", env!("CARGO_BIN_EXE_imts"), "token", "--json", "--plain-http"]);
        command.args(["--base-url", "http://127.0.0.1:9", "--secret-file", "-"]);
        command.env("IMTS_AGENT_ID", AGENT).stdin(terminal.slave.try_clone().unwrap());
        let running = Running::start(command);
        wait_until(|| !echoes());
        running.signal(signal);
        assert_interrupted(&running.end(), signal, &["token"]);
        assert!(echoes(), "{signal}");
    }
}
