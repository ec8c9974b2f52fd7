//! Where a profile's secret comes from: a file, a variable, a command, the platform's keychain.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Command;

use imts_sandbox::{Front, Sandbox};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use crate::profiles::{Profiles, sandbox_profile};
use crate::reconcile_signals::last_words;
use crate::running::{Running, only};
use crate::signals::SIGNALS;
use crate::{Ran, SECRET, TRANSPORTS, run};

/// A profile `p` whose secret comes from there, and a service.
struct Sourced {
    front: Front,
    profiles: Profiles,
}

impl Sourced {
    fn new(name: &str) -> Self {
        Self { front: Front::start(Sandbox::default()).unwrap(), profiles: Profiles::new(name, "") }
    }

    fn token(&self, source: &str, more: &[&str]) -> Command {
        let profile = sandbox_profile(&self.front.url());
        self.profiles.write(format!("[profile.p]\n{profile}secret.{source}\n"));
        self.profiles.imts(&[&["token", "--profile", "p", "--json"], more].concat())
    }

    fn script(&self, script: &str, more: &[&str]) -> Command {
        self.token(&format!("command = [\"sh\", \"-c\", '''{script}''']"), more)
    }

    #[track_caller]
    fn assert_not_sent(&self, ran: &Ran, kind: &str, words: &[&str]) {
        assert_eq!(ran.error().0, kind, "{ran:?}");
        for words in words {
            assert!(ran.out.contains(words), "{words:?} is not in: {ran:?}");
        }
        assert!(!ran.out.contains("zq") && !ran.err.contains("zq"), "{ran:?}");
        assert!(self.front.log().is_empty(), "nothing was sent");
    }
}

#[test]
fn a_secret_comes_from_each_source_as_one_line() {
    let sourced = Sourced::new("each-source");
    let folder = &sourced.profiles.0;
    for transport in TRANSPORTS {
        let by = ["--transport", transport];
        for (before, after) in [("", ""), ("", "\n"), ("\u{feff}", "\r\n")] {
            let text = format!("{before}{SECRET}{after}");
            let file = folder.write("secret", &text);
            assert_eq!(run(&mut sourced.token(&format!("file = \"{file}\""), &by)).code, 0);
            let mut by_variable = sourced.token("variable = \"SANDBOX_SECRET\"", &by);
            assert_eq!(run(by_variable.env("SANDBOX_SECRET", &text)).code, 0);
            let by_command = format!("command = [\"cat\", \"{file}\"]");
            assert_eq!(run(&mut sourced.token(&by_command, &by)).code, 0);
        }
    }
    assert_eq!(sourced.front.log().len(), 18);
}

#[test]
fn a_command_gets_its_arguments_as_they_are_no_shell_and_no_input() {
    let sourced = Sourced::new("no-shell");
    let odd = r#"command = ["printf", "%s", "sandbox-secret"]"#;
    assert_eq!(run(&mut sourced.token(odd, &[])).code, 0);
    let ran = run(&mut sourced.token(r#"command = ["echo sandbox-secret"]"#, &[]));
    assert!(ran.out.contains("command `echo` cannot be run") && ran.code == 2, "{ran:?}");
    // It reads nothing of what is meant for this command.
    let mut command = sourced.script("cat; echo sandbox-secret", &[]);
    assert_eq!(crate::run_with_stdin(&mut command, "zq7x\n").code, 0);
    // What it says on stderr is passed on.
    let ran = run(&mut sourced.script("echo unlock the store first >&2; exit 3", &[]));
    assert_eq!(ran.err, "unlock the store first\n");
    assert_eq!(sourced.front.log().len(), 2);
}

#[test]
fn a_source_that_yields_no_secret_is_an_error_that_names_it_and_nothing_is_sent() {
    let sourced = Sourced::new("no-secret");
    let config = sourced.profiles.file();
    for (script, words) in [
        ("echo zq7x; exit 1", "the secret's command `sh` failed (exit status: 1)"),
        ("exit 0", "blank"),
        ("echo", "blank"),
        ("echo zq; echo 7x", "more than one line"),
        ("printf 'zq\\t7x'", "U+0009"),
        ("printf 'zq\\377'", "UTF-8"),
        ("kill -9 $$", "failed (signal: 9"),
        ("head -c 65537 /dev/zero | tr '\\0' z", "printed more than 65536 bytes"),
    ] {
        let ran = run(&mut sourced.script(script, &[]));
        sourced.assert_not_sent(&ran, "usage", &[words, "`sh`"]);
    }
    for (source, words) in [
        ("command = [\"/no/such/program\", \"zq7x\"]", "`/no/such/program` cannot be run"),
        ("file = \"missing\"", "missing"),
        ("variable = \"NO_SUCH_VARIABLE\"", "NO_SUCH_VARIABLE"),
    ] {
        let ran = run(&mut sourced.token(source, &[]));
        sourced.assert_not_sent(&ran, "usage", &[words, "the secret"]);
        // For people, the line of the profile is named too.
        let mut command = sourced.token(source, &[]);
        command.env("IMTS_JSON", "false");
        let ran = run(sourced.profiles.imts(&["token", "--profile", "p"]).env_remove("IMTS_JSON"));
        assert!(ran.err.contains(&format!("profile p in {config}, line 5")), "{ran:?}");
    }
    for text in ["sandbox-secret", " "] {
        let mut command = sourced.token("variable = \"S\"", &["--agent-id", "sandbox-secret-7"]);
        let ran = run(command.env("S", text));
        sourced.assert_not_sent(&ran, "usage", &[if text == " " { "blank" } else { "argument" }]);
    }
}

#[cfg(not(feature = "keyring"))]
#[test]
fn a_build_without_a_keychain_says_how_to_get_one() {
    let sourced = Sourced::new("keychain");
    let ran = run(&mut sourced.token("keyring = { service = \"imts\", user = \"a\" }", &[]));
    sourced.assert_not_sent(&ran, "usage", &["--features keyring"]);
}

/// Says on the pipe `up` that it has begun, and at SIGTERM that it ends. Its own process holds the pipe
/// open as well.
const STAYS: &str =
    "exec 3>\"$UP\"; trap 'echo bye >&3; exit' TERM; sleep 1000 & echo up >&3; wait";
/// The same without heed for SIGTERM.
const DEAF: &str = "exec 3>\"$UP\"; trap '' TERM; sleep 1000 & echo up >&3; wait";

impl Sourced {
    fn with_pipe(name: &str) -> Self {
        let sourced = Self::new(name);
        nix::unistd::mkfifo(sourced.profiles.0.path("up").as_str(), Mode::S_IRWXU).unwrap();
        sourced
    }

    fn start(&self, script: &str, more: &[&str]) -> (Running, BufReader<File>) {
        let mut command = self.script(script, more);
        let up = self.profiles.0.path("up");
        let running = Running::start({
            command.env("UP", &up);
            command
        });
        let mut up = BufReader::new(File::open(up).unwrap());
        assert_eq!(up.read_line(&mut String::new()).unwrap(), 3);
        (running, up)
    }
}

#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let sourced = Sourced::with_pipe("hangs");
    for (script, last) in [(STAYS, "bye\n"), (DEAF, "")] {
        let (running, up) = sourced.start(script, &["--timeout", "1s"]);
        assert_eq!(last_words(up), last);
        sourced.assert_not_sent(&running.end(), "timed_out", &["took longer than --timeout"]);
    }
    // It may close its output and stay.
    let (running, up) =
        sourced.start(&STAYS.replace("wait", "exec >&-; wait"), &["--timeout", "1s"]);
    assert_eq!(last_words(up), "bye\n");
    sourced.assert_not_sent(&running.end(), "timed_out", &["took longer than --timeout"]);
}

#[test]
fn a_signal_ends_the_command_with_all_that_it_started_and_nothing_is_sent() {
    let sourced = Sourced::with_pipe("signals");
    for signal in SIGNALS {
        for (script, last) in [(STAYS, "bye\n"), (DEAF, "")] {
            let (running, up) = sourced.start(script, &["--timeout", "60s"]);
            running.signal(signal);
            assert_eq!(last_words(up), last);
            let ran = running.end();
            assert_eq!((&only(&ran)["signal"], ran.code), (&signal.as_str().into(), 5), "{ran:?}");
            sourced.assert_not_sent(&ran, "interrupted", &[]);
        }
    }
    // The same for a call that moves money, and for a check.
    drop(sourced.script(STAYS, &[]));
    let up = sourced.profiles.0.path("up");
    for args in [
        &["call", "confirm", "--path", "/x", "--profile", "p", "--json"][..],
        &["config", "check", "--profile", "p", "--json"],
        &["watch", "--profile", "p", "--json"],
    ] {
        let mut command = sourced.profiles.imts(args);
        command.env("UP", &up).env("IMTS_TIMEOUT", "60s");
        let running = Running::start(command);
        let mut pipe = BufReader::new(File::open(&up).unwrap());
        assert_eq!(pipe.read_line(&mut String::new()).unwrap(), 3);
        running.signal(Signal::SIGINT);
        assert_eq!(last_words(pipe), "bye\n");
        let ran = running.end();
        assert_eq!((ran.error().0.as_str(), ran.code), ("interrupted", 5), "{args:?}: {ran:?}");
    }
    assert!(sourced.front.log().is_empty());
}
