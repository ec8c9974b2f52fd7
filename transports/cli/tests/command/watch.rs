//! `imts watch`: what it shows, what it survives, and how it ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use imts_sandbox::{Front, Operation, Outage, Sandbox};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::{AGENT, SECRET, TRANSPORTS, imts};

/// Longer than anything here takes on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

fn watch(url: &str, flags: &[&str]) -> Command {
    let mut command = imts(&["watch", "--plain-http", "--base-url", url]);
    command.args(flags).env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    command
}

/// A service whose tokens live for a few seconds.
fn front() -> Front {
    let mut sandbox = Sandbox::default();
    sandbox.settings_mut().access_lifetime = Duration::from_secs(3);
    Front::start(sandbox).unwrap()
}

/// A watch under way, ended with the test.
struct Watched {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Watched {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (heard, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines() {
                heard.send(line.unwrap()).unwrap();
            }
        });
        Self { child, lines, heard: Vec::new() }
    }

    /// Waits for a line that contains this.
    fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no line with {text}: {:?}", self.heard));
            self.heard.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    fn end(&mut self, signal: Signal) -> Option<i32> {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        ended(&mut self.child)
    }
}

/// Waits for the child's end; yields its exit code.
fn ended(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn it_renews_tells_of_an_outage_outlives_it_and_ends_well() {
    for transport in TRANSPORTS {
        let front = front();
        let mut watched = Watched::start(&mut watch(&front.url(), &["--transport", transport]));
        watched.wait_for("signed in: token number 1 ");
        watched.wait_for("renewed: token number 2 ");
        front.sandbox().settings_mut().outage = Some(Outage::default());
        let error = watched.wait_for("failed");
        assert!(error.contains("503") && error.contains("next try in "), "{error}");
        watched.wait_for("expired: no token");
        front.sandbox().settings_mut().outage = None;
        watched.wait_for("renewed: token number 3 ");
        assert_eq!(watched.end(Signal::SIGINT), Some(0), "{transport}");
        watched.wait_for("interrupted");
        let heard = watched.heard.join("\n");
        assert!(!heard.contains(SECRET) && !heard.contains("eyJ"), "{heard}");
        let sign_ins = front.log().iter().filter(|it| it.operation == Operation::GetToken).count();
        assert_eq!(sign_ins, 1, "{transport}: {:?}", front.log());
    }
}

#[test]
fn as_json_each_line_is_an_event_and_the_last_says_how_many_tokens_came() {
    let front = front();
    let mut watched = Watched::start(&mut watch(&front.url(), &["--json"]));
    watched.wait_for("granted");
    watched.wait_for("granted");
    front.sandbox().settings_mut().outage = Some(Outage::default());
    let error: Value = serde_json::from_str(&watched.wait_for("renewal_error")).unwrap();
    assert_eq!(error["phase"], "expiring", "it is printed while the old token serves: {error}");
    assert!(error["remaining_s"].as_f64().unwrap() > 0.0, "{error}");
    assert_eq!(watched.end(Signal::SIGTERM), Some(0));
    watched.wait_for("ended");
    let events: Vec<Value> =
        watched.heard.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "started");
    assert_eq!(events[1]["number"], 1);
    assert!(events[1]["lifetime_s"].as_f64().unwrap() > 1.0, "{events:?}");
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["grants"]), (&"ended".into(), &2.into()));
}

#[test]
fn a_dead_service_is_told_and_waited_for() {
    let front = front();
    let url = front.url();
    drop(front);
    for transport in TRANSPORTS {
        let mut watched = Watched::start(&mut watch(&url, &["--transport", transport]));
        watched.wait_for("could not be reached");
        watched.wait_for("could not be reached");
        assert_eq!(watched.end(Signal::SIGINT), Some(0));
    }
}

#[test]
fn it_ends_by_itself_where_only_other_credentials_help() {
    let front = front();
    for transport in TRANSPORTS {
        let mut command = watch(&front.url(), &["--json", "--transport", transport]);
        let mut watched = Watched::start(command.env("IMTS_AGENT_SECRET", "canary-7f3a"));
        let refused = watched.wait_for(r#""error":"#);
        assert!(refused.contains("refused") && refused.contains("sign_in"), "{refused}");
        assert!(!refused.contains("canary"), "{refused}");
        assert_eq!(ended(&mut watched.child), Some(3), "{transport}");
    }
    assert_eq!(front.log().len(), 2, "one request each, and no other try");
}

#[test]
fn it_ends_where_nobody_reads_on() {
    let front = front();
    let mut child = watch(&front.url(), &[]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(ended(&mut child), Some(0));
}

#[test]
fn on_a_terminal_a_bar_drains_and_an_interrupt_leaves_the_cursor_as_it_was() {
    let front = front();
    let terminal = openpty(None, None).unwrap();
    let mut command = watch(&front.url(), &[]);
    command.env("TERM", "xterm").stdout(Stdio::from(terminal.slave));
    let mut child = command.spawn().unwrap();
    // The command holds the terminal's other end too.
    drop(command);
    let (heard, pieces) = mpsc::channel();
    thread::spawn(move || {
        let mut screen = File::from(terminal.master);
        let mut piece = [0; 4_096];
        while let Ok(length @ 1..) = screen.read(&mut piece) {
            drop(heard.send(String::from_utf8_lossy(&piece[..length]).into_owned()));
        }
    });
    let mut seen = String::new();
    let shows = |seen: &str| seen.contains("##-") && seen.contains("renewed");
    let began = Instant::now();
    while !shows(&seen) {
        assert!(began.elapsed() < PATIENCE, "no bar in {seen}");
        seen.push_str(&pieces.recv_timeout(PATIENCE).unwrap());
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(ended(&mut child), Some(0));
    seen.extend(pieces.iter());
    assert!(seen.contains("interrupted; tokens in all: "), "{seen}");
    let (hidden, shown) = (seen.matches("\x1b[?25l").count(), seen.matches("\x1b[?25h").count());
    assert_eq!(hidden, shown, "as often as it is hidden, the cursor is shown again");
}

#[test]
fn the_systemd_unit_starts_it_and_a_stop_is_a_success() {
    let unit = include_str!("../../packaging/imts-watch.service");
    let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/imts "));
    let folder = crate::Folder::new("unit");
    // An editor ends a file with a line break.
    folder.write("secret", format!("{SECRET}\n"));
    let started = started.unwrap().replace("${CREDENTIALS_DIRECTORY}", &folder.path(""));
    let arguments: Vec<_> = started.split_whitespace().collect();
    let front = front();
    let mut command = imts(&arguments);
    // The service of the unit speaks https.
    command.arg("--plain-http").env("IMTS_BASE_URL", front.url()).env("IMTS_AGENT_ID", AGENT);
    let mut watched = Watched::start(&mut command);
    watched.wait_for(r#""event":"granted""#);
    assert_eq!(watched.end(Signal::SIGTERM), Some(0));
}
