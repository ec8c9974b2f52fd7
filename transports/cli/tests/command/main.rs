//! The command `imts` as a person or a script uses it, over real sockets.

mod demo;
mod hostile;
mod mistakes;
mod network;
mod output;
mod replies;
mod sandbox;
mod token;
#[cfg(unix)]
mod watch;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const SECRET: &str = imts_sandbox::DEFAULT_SECRET;
pub(crate) const AGENT: &str = imts_sandbox::DEFAULT_AGENT;

/// The command, with an environment that holds nothing of ours.
pub(crate) fn imts(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imts"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// The HTTP clients that carry what a test says, each in its turn.
pub(crate) const TRANSPORTS: [&str; 2] = ["ureq", "hyper-util"];

/// The variables that could lead a command elsewhere.
const VARIABLES: [&str; 9] = [
    "IMTS_BASE_URL",
    "IMTS_AGENT_ID",
    "IMTS_AGENT_SECRET",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// `imts token` with the sandbox's credentials.
pub(crate) fn token(url: &str, more: &[&str]) -> Command {
    let mut command = imts(&["token", "--plain-http", "--base-url", url]);
    command.args(more).env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    command
}

/// What a run ended with.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

impl Ran {
    /// The last line of stdout, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        let last = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Kind and recovery of the error that was reported as JSON.
    pub(crate) fn error(&self) -> (String, String) {
        let error = &self.json()["error"];
        assert!(!error["message"].as_str().unwrap().is_empty());
        let text = |field: &str| error[field].as_str().unwrap().to_owned();
        (text("kind"), text("recovery"))
    }
}

pub(crate) fn run(command: &mut Command) -> Ran {
    let began = Instant::now();
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
        took: began.elapsed(),
    }
}

pub(crate) fn run_with_stdin(command: &mut Command, stdin: &str) -> Ran {
    let began = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
        took: began.elapsed(),
    }
}
