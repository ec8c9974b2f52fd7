//! `imts token`: what it takes, what it prints, what it keeps to itself.

use std::fs;
use std::net::TcpListener;

use imts_sandbox::{Front, Sandbox};

use crate::{AGENT, SECRET, imts, run, run_with_stdin, token};

fn front() -> Front {
    Front::start(Sandbox::default()).unwrap()
}

#[test]
fn one_run_is_one_request() {
    let front = front();
    let ran = run(&mut token(&front.url(), &[]));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(ran.out.starts_with("signed in: the session is valid\n"), "{}", ran.out);
    assert_eq!(front.log().len(), 1);
}

#[test]
fn json_has_phase_dates_and_the_lifetime_with_its_fraction() {
    let front = front();
    let json = run(&mut token(&front.url(), &["--json"])).json();
    assert_eq!(json["phase"], "valid");
    let lifetime = json["lifetime_s"].as_f64().unwrap();
    assert!((899.0..=900.0).contains(&lifetime), "{json}");
    for field in ["access_expire_at", "refresh_expire_at"] {
        assert!(json[field].as_str().unwrap().ends_with("+00:00"), "{json}");
    }
    assert_eq!(json.as_object().unwrap().len(), 4, "nothing else, the token least of all: {json}");
}

#[test]
fn the_token_is_printed_only_when_asked_for_and_then_alone() {
    let front = front();
    let shown = run(&mut token(&front.url(), &["--show"]));
    let line = shown.out.strip_suffix('\n').unwrap();
    assert_eq!(line.split('.').count(), 3, "{line}");
    assert!(!line.contains(char::is_whitespace));
    let json = run(&mut token(&front.url(), &["--show", "--json"])).json();
    assert_eq!(json["access_token"].as_str().unwrap().split('.').count(), 3);
    let silent = run(&mut token(&front.url(), &["-vv"]));
    assert!(!silent.out.contains("eyJ") && !silent.err.contains("eyJ"), "{silent:?}");
}

#[test]
fn the_log_tells_of_requests_and_of_no_secret() {
    let front = front();
    let ran = run(&mut token(&front.url(), &["-vv"]));
    assert!(ran.err.contains("> POST http://127.0.0.1"), "{}", ran.err);
    assert!(ran.err.contains("< 200"), "{}", ran.err);
    assert!(!ran.err.contains(SECRET) && !ran.out.contains(SECRET), "{ran:?}");
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
fn a_mistake_on_the_command_line_is_usage_in_json_too() {
    let cases: [&[&str]; 7] = [
        &["token", "--json"],
        &["token", "--json", "--no-such-flag"],
        &["token", "--json", "--timeout", "soon"],
        &["token", "--json", "--base-url", "https://localhost:1"],
        &["token", "--json", "--base-url", "https://localhost:1", "--agent-id", "a"],
        &[
            "token",
            "--json",
            "--base-url",
            "https://h",
            "--agent-id",
            "a",
            "--secret-file",
            "/no/such",
        ],
        &["tokn", "--json"],
    ];
    for args in cases {
        let ran = run(&mut imts(args));
        assert_eq!(ran.error(), ("usage".into(), "fix".into()), "{args:?}");
        assert_eq!(ran.code, 2, "{args:?}");
    }
}

#[test]
fn a_url_that_is_not_safe_is_an_endpoint_error_and_nothing_is_sent() {
    let cases = [
        ("host.example", false),
        ("ftp://host.example", false),
        ("http://host.example", false),
        ("http://host.example", true),
        ("http://127.0.0.1:1", false),
        ("http://localhost.example", true),
        ("http://127.0.0.1.example", true),
        ("https://user@host.example", false),
        ("https://host.example/?q", false),
        ("https://host.example:99999", false),
        ("https://", false),
        ("https://host.example/../x", false),
    ];
    for (url, plain) in cases {
        let mut command = imts(&["token", "--json", "--base-url", url]);
        command.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
        if plain {
            command.arg("--plain-http");
        }
        let ran = run(&mut command);
        assert_eq!(ran.error(), ("endpoint".into(), "fix".into()), "{url}");
        assert_eq!(ran.code, 2, "{url}");
    }
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
    let ran = run(token(&front.url(), &["-vv", "--json"]).env("IMTS_AGENT_SECRET", "canary-7f3a"));
    assert_eq!(ran.error().0, "refused");
    assert!(!ran.out.contains("canary-7f3a") && !ran.err.contains("canary-7f3a"), "{ran:?}");
    assert!(ran.out.contains("[redacted]"), "{ran:?}");
}

#[test]
fn a_dead_port_is_a_transport_error_that_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ran = run(&mut token(&format!("http://127.0.0.1:{port}"), &["--json"]));
    assert_eq!(ran.error(), ("transport".into(), "retry".into()));
    assert_eq!(ran.code, 5);
}
