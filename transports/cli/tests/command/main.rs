//! The command `imts` as a person or a script uses it, over real sockets.

mod advice;
#[cfg(unix)]
mod cache;
mod call;
mod call_mistakes;
mod call_outcomes;
mod canary;
mod causes;
mod color;
mod compact;
#[cfg(unix)]
mod completions;
#[cfg(unix)]
mod config_check;
mod data;
mod decisions;
mod demo;
#[cfg(unix)]
mod exec;
mod hostile;
mod identity;
#[cfg(unix)]
mod input;
mod intents;
mod journal;
#[cfg(unix)]
mod journal_lock;
#[cfg(target_os = "linux")]
mod limits;
mod man;
mod mistakes;
#[cfg(all(target_os = "linux", feature = "test-namespaces"))]
mod namespace;
mod network;
mod operations;
mod output;
#[cfg(unix)]
mod profile_files;
#[cfg(unix)]
mod profiles;
#[cfg(unix)]
mod promises;
mod quiet;
#[cfg(unix)]
mod reconcile;
#[cfg(unix)]
mod reconcile_signals;
mod replies;
#[cfg(unix)]
mod running;
mod sandbox;
#[cfg(unix)]
mod secret_sources;
#[cfg(all(unix, feature = "test-servers"))]
mod servers;
#[cfg(all(unix, feature = "test-servers"))]
mod shared_journal;
#[cfg(all(unix, feature = "test-servers"))]
mod shared_store;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod signals_everywhere;
mod signatures;
#[cfg(unix)]
mod store;
#[cfg(target_os = "linux")]
mod texts;
mod token;
#[cfg(unix)]
mod watch;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use imts_sandbox::{Break, Delivery, Fault, Front, Position, Rule, Sandbox};
use serde_json::Value;

pub(crate) const SECRET: &str = imts_sandbox::DEFAULT_SECRET;
pub(crate) const AGENT: &str = imts_sandbox::DEFAULT_AGENT;

/// The command, with an environment without the variables of `imts`.
pub(crate) fn imts(args: &[&str]) -> Command {
    #[cfg(unix)]
    catch_signals();
    let mut command = Command::new(env!("CARGO_BIN_EXE_imts"));
    let own = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in own.filter(|name| name.starts_with("IMTS_")) {
        command.env_remove(name);
    }
    for name in VARIABLES {
        command.env_remove(name);
    }
    // The tests do not read the profiles of the person who runs them.
    command.env("XDG_CONFIG_HOME", "/no/such/folder");
    // Nor do they use a session that is cached for that person.
    command.env("XDG_STATE_HOME", "/dev/null/no/such/folder");
    command.args(args).stdin(Stdio::null());
    command
}

/// Ends this process at a signal, as it would end anyway. What is caught here is reset for the commands
/// that are started, and what was ignored would stay ignored by them: in the background of a script that is
/// the interrupt.
#[cfg(unix)]
fn catch_signals() {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Once};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag::register_conditional_shutdown;

    static CAUGHT: Once = Once::new();
    CAUGHT.call_once(|| {
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            register_conditional_shutdown(signal, 1, Arc::new(AtomicBool::new(true))).unwrap();
        }
    });
}

/// The HTTP clients that carry what a test says, each in its turn.
pub(crate) const TRANSPORTS: [&str; 2] = ["ureq", "hyper-util"];

/// The variables that could lead a command elsewhere.
const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

/// `imts token` with the sandbox's credentials.
pub(crate) fn token(url: &str, more: &[&str]) -> Command {
    let mut command = imts(&["token", "--plain-http", "--base-url", url]);
    command.args(more).env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    command
}

/// `imts call` with the sandbox's credentials.
pub(crate) fn call(url: &str, operation: &str, more: &[&str]) -> Command {
    let mut command = imts(&["call", operation, "--plain-http", "--base-url", url]);
    command.args(more).env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    command
}

/// A service file as an integrator has it; the paths are examples.
pub(crate) const SERVICE_FILE: &str = r#"
version = 1
[operation.confirm]
path = "/v5/partner/transfer/confirm-example"
[operation.create-transfer]
path = "/v5/partner/transfer/create-example"
[operation.daily-report]
path = "/v5/partner/transfer/report"
class = "read"
"#;

/// A service with the operations of the tests' service file, one of which always meets a fault.
pub(crate) fn faulty(operation: &str, fault: Fault) -> Front {
    let mut sandbox = Sandbox::with_service_file(SERVICE_FILE).unwrap();
    sandbox.set_faults(vec![Rule::always(operation.parse().unwrap(), fault)]);
    Front::start(sandbox).unwrap()
}

pub(crate) fn lost(at: Position) -> Fault {
    Fault::Delivery(Delivery::Broken { at, by: Break::Reset })
}

/// A folder with a service file in it, gone with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("imts-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("service.toml"), SERVICE_FILE).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn service_file(&self) -> String {
        self.path("service.toml")
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
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
    let output = command.output().unwrap();
    ran(command, output, began)
}

pub(crate) fn run_with_stdin(command: &mut Command, stdin: &str) -> Ran {
    let began = Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    ran(command, output, began)
}

/// What a run ended with, once it was seen that it tells no secret.
pub(crate) fn ran(command: &Command, output: Output, began: Instant) -> Ran {
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        took: began.elapsed(),
    };
    canary::assert_silent(command, &ran);
    ran
}
