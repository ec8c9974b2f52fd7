//! What flags and files promise: a secret as it is, one time limit, and what a journal's failure is.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use imts_sandbox::{Front, Sandbox};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::{AGENT, Folder, SECRET, SERVICE_FILE, TRANSPORTS, call, imts, run, run_with_stdin};

#[test]
fn blanks_at_a_secrets_end_are_part_of_it_and_a_line_break_is_not() {
    let folder = Folder::new("secret-blanks");
    for secret in [" blanks ", "no-break\u{a0}", "\u{2003}wide\u{2003}"] {
        let mut sandbox = Sandbox::default();
        sandbox.settings_mut().agents = [(AGENT.to_owned(), secret.to_owned())].into();
        let front = Front::start(sandbox).unwrap();
        for line_break in ["", "\n", "\r\n"] {
            let text = format!("{secret}{line_break}");
            let file = folder.write("secret", &text);
            let url = front.url();
            let from = |source| {
                let mut command = imts(&["token", "--plain-http", "--base-url", &url]);
                command.args(["--agent-id", AGENT, "--secret-file", source]);
                command
            };
            assert_eq!(run(&mut from(&file)).code, 0, "{text:?} in a file");
            assert_eq!(run_with_stdin(&mut from("-"), &text).code, 0, "{text:?} on stdin");
        }
    }
}

/// The time limits of the requests that a run sent, as `-vv` prints them.
fn limits(err: &str) -> Vec<Duration> {
    let limits = err.split("time_limit: ").skip(1).filter_map(|rest| rest.split([' ', '}']).next());
    let limits = limits.map(|limit| {
        let number = limit.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let number: f64 = number.parse().unwrap();
        match limit.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.') {
            "s" => Duration::from_secs_f64(number),
            "ms" => Duration::from_secs_f64(number / 1e3),
            other => panic!("{limit}: in {other}"),
        }
    });
    limits.collect()
}

#[test]
fn what_was_waited_for_is_taken_off_the_time_of_what_follows() {
    const TIMEOUT: Duration = Duration::from_secs(60);
    let folder = Folder::new("one-limit");
    let service = folder.service_file();
    let (data, secret) = (folder.path("data"), folder.path("secret"));
    for pipe in [&data, &secret] {
        mkfifo(pipe.as_str(), Mode::S_IRWXU).unwrap();
    }
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    for transport in TRANSPORTS {
        let at = format!("@{data}");
        let flags = ["--service-file", &service, "--transport", transport, "-vv", "-d", &at];
        let mut command = call(&front.url(), "confirm", &flags);
        command.args(["--timeout", "60s", "--secret-file", &secret]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut held_up = Duration::ZERO;
        for (pipe, text) in [(&data, "{}"), (&secret, SECRET)] {
            // Its time has begun once this is through.
            let mut pipe = OpenOptions::new().write(true).open(pipe).unwrap();
            let began = Instant::now();
            thread::sleep(Duration::from_millis(300));
            pipe.write_all(text.as_bytes()).unwrap();
            held_up += began.elapsed();
        }
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{err}");
        let limits = limits(&err);
        assert_eq!(limits.len(), 2, "a sign-in and a call: {err}");
        for limit in limits {
            assert!(limit <= TIMEOUT - held_up, "{limit:?} after {held_up:?}: {err}");
        }
    }
}

#[test]
fn a_journal_that_cannot_be_written_is_usage_and_nothing_is_sent() {
    let folder = Folder::new("journal-fails");
    let service = folder.service_file();
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    // More than a record may hold.
    let long = "r".repeat(70_000);
    for transport in TRANSPORTS {
        let journal = folder.path(transport);
        let flags = ["--service-file", &service, "--transport", transport, "--journal", &journal];
        let ran = run(call(&front.url(), "confirm", &flags).args(["--json", "--reference", &long]));
        assert_eq!(ran.error(), ("usage".into(), "fix".into()));
        assert_eq!(ran.code, 2);
        assert!(ran.out.contains("nothing was sent"), "it says so");
        assert_eq!(front.sandbox().count("confirm".parse().unwrap()), 0);
        let missing = folder.path("no-such-folder/journal");
        let flags = ["--service-file", &service, "--json", "--journal", &missing];
        let ran = run(call(&front.url(), "confirm", &flags).args(["--reference", "1"]));
        assert_eq!((ran.error().0.as_str(), ran.code), ("usage", 2), "{ran:?}");
    }
}
