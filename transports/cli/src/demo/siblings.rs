//! Four processes of one agent that share a store, one of which is killed while it renews.
//!
//! Owns the processes and their folder. Does not know how many requests reach the service: the
//! service's log does.

use std::env;
use std::fs::{self, DirBuilder};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::control::{AGENT, SECRET};
use super::stage::Stage;

/// How long the reply is held, in milliseconds, so that its process dies before it comes.
const HELD_MS: u32 = 1_000;

/// The requests that reach the service: the first process, the killed one, and one of the last two.
pub(super) const CALLS: &[(&str, u16)] =
    &[("get_token", 200), ("refresh", 200), ("get_token", 200)];

pub(super) fn run(stage: &mut Stage) -> Result<(), String> {
    let folder = Folder::new()?;
    stage.set_lifetime(2)?;
    let first = token(stage, &folder)?.ended()?;
    first.expect("renewed")?;
    let lives = first.report["lifetime_s"].as_f64().unwrap_or_default();
    stage.tell("process 1 has signed in, and put its session into the store");
    let end = Instant::now() + Duration::from_secs_f64(lives);
    stage.wait_until("the token's end", || Instant::now() > end)?;
    stage.control.hold_replies(HELD_MS * stage.pace.factor())?;
    let killed = kill_while_it_renews(stage, &folder);
    stage.control.hold_replies(0)?;
    killed?;
    stage.tell("process 2 was killed while its refresh was under way");
    stage.set_lifetime(900)?;
    let both = [token(stage, &folder)?, token(stage, &folder)?];
    let [third, fourth] = both.map(Process::ended);
    let (third, fourth) = (third?, fourth?);
    let (renewed, found) = match third.outcome() {
        "renewed" => (&third, &fourth),
        _ => (&fourth, &third),
    };
    renewed.expect("renewed")?;
    found.expect("found")?;
    if third.report["access_token"] != fourth.report["access_token"] {
        return Err("the last two processes have different tokens".to_owned());
    }
    stage.tell("processes 3 and 4 asked at once: one has signed in, and both have its token");
    stage.nothing_used_twice()
}

/// Lets a process claim the renewal and send its refresh. The process dies before the reply.
fn kill_while_it_renews(stage: &Stage, folder: &Folder) -> Result<(), String> {
    let mark = stage.control.mark()?;
    let second = token(stage, folder)?;
    let is_sent = || {
        let calls = stage.control.calls_since(mark).unwrap_or_default();
        calls.iter().any(|call| call.operation == "refresh")
    };
    stage.wait_until("the refresh of process 2", is_sent)?;
    // This kills it.
    drop(second);
    Ok(())
}

/// A folder for the store, gone with the step.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let path = env::temp_dir().join(format!("imts-demo-{}", std::process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(&path);
        made.map_err(|error| format!("cannot create {}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A process that asks for a token. Dropping it kills it.
struct Process(Option<Child>);

/// Starts `imts token` with the store.
fn token(stage: &Stage, folder: &Folder) -> Result<Process, String> {
    let failed = |error: std::io::Error| format!("cannot run this program again: {error}");
    let mut command = Command::new(env::current_exe().map_err(failed)?);
    let variables = env::vars_os().map(|(name, _)| name);
    variables.filter(|name| name.to_string_lossy().starts_with("IMTS_")).for_each(|name| {
        command.env_remove(name);
    });
    let store = format!("file:{}", folder.0.join("session").display());
    command.args(["token", "--json", "--show", "--plain-http", "--timeout", "30s"]);
    command.args(["--base-url", stage.control.url(), "--store", &store]);
    command.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(Process(Some(command.spawn().map_err(failed)?)))
}

impl Process {
    /// Waits for its end, and reads what it reports.
    fn ended(mut self) -> Result<Ended, String> {
        let output = self.0.take().map(Child::wait_with_output);
        match output {
            Some(Ok(Output { status, stdout, .. })) if status.success() => {
                let report = serde_json::from_slice(&stdout);
                report.map(|report| Ended { report }).map_err(|error| error.to_string())
            }
            Some(Ok(Output { status, stderr, .. })) => {
                Err(format!("a process failed ({status}): {}", String::from_utf8_lossy(&stderr)))
            }
            Some(Err(error)) => Err(error.to_string()),
            None => Err("a process is gone".to_owned()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// What a process has reported.
struct Ended {
    report: Value,
}

impl Ended {
    /// Returns where its token came from.
    fn outcome(&self) -> &str {
        self.report["store"]["outcome"].as_str().unwrap_or_default()
    }

    fn expect(&self, wanted: &str) -> Result<(), String> {
        match self.outcome() {
            outcome if outcome == wanted => Ok(()),
            outcome => Err(format!("a process has {outcome} its token, promised was {wanted}")),
        }
    }
}
