//! `imts token`: what it takes, what it prints, what it keeps to itself.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use imts_sandbox::{Front, Sandbox};

use crate::{AGENT, SECRET, TRANSPORTS, imts, run, run_with_stdin, token};

fn front() -> Front {
    Front::start(Sandbox::default()).unwrap()
}

#[test]
fn one_run_is_one_request() {
    for transport in TRANSPORTS {
        let front = front();
        let ran = run(&mut token(&front.url(), &["--transport", transport]));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        assert!(ran.out.starts_with("signed in: the session is valid\n"), "{}", ran.out);
        assert_eq!(front.log().len(), 1);
    }
}

#[test]
fn json_has_phase_dates_and_the_lifetime_with_its_fraction() {
    let front = front();
    for transport in TRANSPORTS {
        let json = run(&mut token(&front.url(), &["--json", "--transport", transport])).json();
        assert_eq!(json["phase"], "valid");
        let lifetime = json["lifetime_s"].as_f64().unwrap();
        assert!((899.0..=900.0).contains(&lifetime), "{json}");
        for field in ["access_expire_at", "refresh_expire_at"] {
            assert!(json[field].as_str().unwrap().ends_with("+00:00"), "{json}");
        }
        let fields = json.as_object().unwrap().len();
        assert_eq!(fields, 4, "nothing else, the token least of all: {json}");
    }
}

#[test]
fn the_token_is_printed_only_when_asked_for_and_then_alone() {
    let front = front();
    for transport in TRANSPORTS {
        let by = |flags: &[&str]| run(token(&front.url(), flags).args(["--transport", transport]));
        let shown = by(&["--show"]);
        let line = shown.out.strip_suffix('\n').unwrap();
        assert_eq!(line.split('.').count(), 3, "{line}");
        assert!(!line.contains(char::is_whitespace));
        let json = by(&["--show", "--json"]).json();
        assert_eq!(json["access_token"].as_str().unwrap().split('.').count(), 3);
        let silent = by(&["-vv"]);
        assert!(!silent.out.contains("eyJ") && !silent.err.contains("eyJ"), "{silent:?}");
    }
}

#[test]
fn the_log_tells_of_requests_and_of_no_secret() {
    let front = front();
    for transport in TRANSPORTS {
        let by = |level: &str| run(&mut token(&front.url(), &[level, "--transport", transport]));
        let (once, twice) = (by("-v"), by("-vv"));
        for ran in [&once, &twice] {
            assert!(ran.err.contains("> POST http://127.0.0.1"), "{transport}: {}", ran.err);
            assert!(ran.err.contains("< 200"), "{transport}: {}", ran.err);
            assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{ran:?}");
        }
        assert!(once.err.lines().count() < twice.err.lines().count(), "{once:?} {twice:?}");
    }
}

#[test]
fn the_secret_comes_from_environment_file_or_stdin_and_loses_its_line_break() {
    let front = front();
    let url = front.url();
    let base = ["token", "--plain-http", "--base-url", &url, "--agent-id", AGENT, "--secret-file"];
    let stdin = run_with_stdin(imts(&base).arg("-"), &format!("{SECRET}\n"));
    assert_eq!(stdin.code, 0, "{stdin:?}");
    let path = std::env::temp_dir().join(format!("imts-secret-{}", std::process::id()));
    fs::write(&path, format!("{SECRET}\r\n")).unwrap();
    let file = run(imts(&base).arg(&path));
    fs::remove_file(&path).unwrap();
    assert_eq!(file.code, 0, "{file:?}");
    assert_eq!(run(&mut token(&url, &[])).code, 0);
}

#[test]
fn a_timeout_of_any_length_is_taken() {
    let front = front();
    for timeout in ["5m", "100y", "18446744073709551615s"] {
        for transport in TRANSPORTS {
            let ran =
                run(&mut token(&front.url(), &["--timeout", timeout, "--transport", transport]));
            assert_eq!(ran.code, 0, "{timeout} by {transport}: {ran:?}");
        }
    }
    let ran = run(&mut token(&front.url(), &["--json", "--timeout", "1ns"]));
    assert_eq!(ran.error(), ("timed_out".into(), "retry".into()));
    assert_eq!(ran.code, 5);
}

#[test]
fn a_secret_that_never_comes_does_not_outlast_the_timeout() {
    let front = front();
    let url = front.url();
    let mut command = imts(&["token", "--plain-http", "--base-url", &url, "--agent-id", AGENT]);
    command.args(["--secret-file", "-", "--json", "--timeout", "300ms"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let silent = child.stdin.take();
    thread::spawn(move || {
        // Far too late, and only so that this test has an end.
        thread::sleep(Duration::from_secs(60));
        drop(silent);
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(r#""kind":"timed_out""#) && told.contains("the secret"), "{told}");
    assert!(front.log().is_empty());
}

#[test]
fn localhost_is_dialled_as_loopback() {
    let front = front();
    let url = format!("http://localhost:{}", front.address().port());
    assert_eq!(run(&mut token(&url, &[])).code, 0);
}

#[test]
fn a_wrong_secret_is_refused_and_the_message_says_what_to_check() {
    let front = front();
    let ran = run(token(&front.url(), &[]).env("IMTS_AGENT_SECRET", "wrong"));
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("status 401"), "{}", ran.err);
    assert!(ran.err.contains("Check the agent id and the secret"), "{}", ran.err);
    assert_eq!(front.log().len(), 1, "one request, no retry");
}

#[test]
fn a_server_that_quotes_the_secret_back_does_not_get_it_printed() {
    let mut sandbox = Sandbox::default();
    sandbox.settings_mut().quote_secrets = true;
    let front = Front::start(sandbox).unwrap();
    for transport in TRANSPORTS {
        let ran = run(token(&front.url(), &["-vv", "--json", "--transport", transport])
            .env("IMTS_AGENT_SECRET", "canary-7f3a"));
        assert_eq!(ran.error().0, "refused");
        assert!(!ran.out.contains("canary-7f3a") && !ran.err.contains("canary-7f3a"), "{ran:?}");
        assert!(ran.out.contains("[redacted]"), "{ran:?}");
    }
}

#[test]
fn a_dead_port_is_a_transport_error_that_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for transport in TRANSPORTS {
        let flags = ["--json", "--transport", transport];
        let ran = run(&mut token(&format!("http://127.0.0.1:{port}"), &flags));
        assert_eq!(ran.error(), ("transport".into(), "retry".into()));
        assert_eq!(ran.code, 5);
        assert!(ran.out.contains("could not be reached"), "{ran:?}");
    }
}

#[test]
fn a_secret_is_taken_whole_or_not_at_all() {
    let front = front();
    let folder = crate::Folder::new("secret-length");
    for (bytes, kind) in [(65_536, "refused"), (65_537, "usage")] {
        let file = folder.write("secret", "x".repeat(bytes));
        let url = front.url();
        let base = ["token", "--plain-http", "--base-url", &url, "--agent-id", AGENT, "--json"];
        let ran = run(imts(&base).args(["--secret-file", &file]));
        assert_eq!(ran.error().0, kind, "{bytes}: {ran:?}");
    }
    assert_eq!(front.log().len(), 1, "the longer one was not sent");
}
