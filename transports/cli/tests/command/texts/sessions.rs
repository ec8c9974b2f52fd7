//! `imts watch` and `imts sandbox`, which go on until they are interrupted.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use imts_sandbox::{Front, GET_TOKEN_PATH, Outage, Sandbox};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::scenes::{Scenes, plain};
use crate::running::{Holding, PATIENCE};
use crate::{AGENT, SECRET, imts, token};

/// A command that goes on, and the lines that it prints.
pub(super) struct Going {
    child: Child,
    lines: Receiver<String>,
}

impl Going {
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child =
            plain(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (heard, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines() {
                if heard.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line that contains this.
    pub(super) fn line_with(&self, text: &str) -> String {
        self.lines_to(text).pop().unwrap()
    }

    /// Waits for a line that contains this; returns all lines up to it.
    fn lines_to(&self, text: &str) -> Vec<String> {
        let (began, mut heard) = (Instant::now(), Vec::new());
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line with {text}: {heard:?}"));
            heard.push(format!("{line}\n"));
            if line.contains(text) {
                return heard;
            }
            assert!(began.elapsed() < PATIENCE, "no line with {text}: {heard:?}");
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for the end; returns what was printed since, and stderr.
    pub(super) fn end(mut self) -> (String, String) {
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        self.child.wait().unwrap();
        (self.lines.iter().map(|line| line + "\n").collect(), err)
    }
}

pub(super) fn shoot(scenes: &mut Scenes) {
    for json in [false, true] {
        watched(scenes, json);
    }
    refused(scenes);
    served(scenes);
}

fn watch(url: &str, json: bool) -> Command {
    let mut command = imts(&["watch", "--plain-http", "--base-url", url]);
    command.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    command.args(json.then_some("--json"));
    command
}

fn watched(scenes: &mut Scenes, json: bool) {
    let key = |words: &'static str, event: &'static str| if json { event } else { words };
    let Holding { front, came, release } = Holding::new(GET_TOKEN_PATH);
    front.sandbox().settings_mut().access_lifetime = Duration::from_secs(3);
    let going = Going::start(&mut watch(&front.url(), json));
    let mut shown = format!("$ imts watch{}\n", if json { " --json" } else { "" });
    shown += &going.line_with(key("watching", "started"));
    came.recv_timeout(PATIENCE).unwrap();
    shown += &going.line_with("unauthenticated");
    // From now on, no sign-in is held.
    drop(release);
    shown += &going.line_with(key("signed in", "granted"));
    shown += &going.line_with(key("renewed", "granted"));
    front.sandbox().settings_mut().outage = Some(Outage::default());
    // The failure and the phase may come in either order.
    let expired = key("expired: ", "\"phase\",\"phase\":\"expired\"");
    let lines = going.lines_to(expired);
    for text in [
        key("failed", "renewal_error"),
        key("expiring: ", "\"phase\",\"phase\":\"expiring\""),
        expired,
    ] {
        shown += &then(lines.iter().find(|line| line.contains(text)).unwrap());
    }
    going.signal(Signal::SIGINT);
    let (rest, err) = going.end();
    let last = rest.lines().last().unwrap_or_default();
    scenes.note("a session is watched", &format!("{shown}{last}\n{err}"));
}

/// Whether the next try has begun depends on the moment.
fn then(line: &str) -> String {
    line.replace("; renewing", "; next try in 1.0 s")
        .replace("\"renewal_in_s\":null", "\"renewal_in_s\":1")
}

fn refused(scenes: &mut Scenes) {
    let front = Front::start(Sandbox::default()).unwrap();
    let mut command = watch(&front.url(), false);
    let (_, err) = Going::start(command.env("IMTS_AGENT_SECRET", "another")).end();
    scenes.note("a watch with a wrong secret", &format!("$ imts watch\n! {err}"));
}

fn served(scenes: &mut Scenes) {
    let service = scenes.folder.service_file();
    for flags in [&[][..], &["--service-file", &service]] {
        let mut command = imts(&["sandbox"]);
        let going = Going::start(command.args(flags).arg("-v"));
        let mut shown = going.line_with("A sandbox");
        let url =
            shown.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        for secret in [SECRET, "another"] {
            crate::run(token(&url, &[]).env("IMTS_AGENT_SECRET", secret));
        }
        crate::run(&mut crate::call(&url, "fees", &["-d", "{}"]));
        crate::run(&mut crate::call(&url, "status", &["--path", "/elsewhere"]));
        going.signal(Signal::SIGINT);
        let (rest, err) = going.end();
        shown += &rest;
        for line in err.lines() {
            shown += &format!("! {line}\n");
        }
        scenes.note(
            "a sandbox, and what it logs",
            &format!("$ imts sandbox {}\n{shown}", flags.concat()),
        );
    }
    let going = Going::start(&mut imts(&["sandbox", "--host", "0.0.0.0"]));
    let first = going.line_with("A sandbox");
    let port: String = first.split("127.0.0.1:").nth(1).unwrap().chars().take(5).collect();
    let port = port.trim_end_matches(|c: char| !c.is_ascii_digit()).to_owned();
    going.signal(Signal::SIGINT);
    let (rest, err) = going.end();
    let (_, last) = rest.split_once("that reply is published or assumed.").unwrap();
    let shown = format!("$ imts sandbox --host 0.0.0.0\n! {err}{first}…{last}");
    let shown = shown.replace(&format!(" 0.0.0.0:{port}"), " 0.0.0.0:PORT");
    let shown = shown.replace(&format!("NAME:{port}"), "NAME:PORT");
    scenes.note("a sandbox for other containers", &shown);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = crate::run(&mut imts(&["sandbox", "--port", &port]));
    let shown = format!("$ imts sandbox --port PORT\n! {}", ran.err);
    scenes.note("a port that is taken", &shown);
    // 192.0.2.1 is for documentation: no machine has it.
    let elsewhere = ["sandbox", "--host", "192.0.2.1", "--port", "8080"];
    scenes.run("another machine's address", &mut imts(&elsewhere));
    scenes.run("an empty agent id", &mut imts(&["sandbox", "--agent", ""]));
}
