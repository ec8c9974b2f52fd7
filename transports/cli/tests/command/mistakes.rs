//! What a person gets wrong on the command line: told as usage or endpoint, in JSON too, and
//! nothing is sent.

use std::fs;
use std::path::PathBuf;

use crate::{AGENT, Ran, SECRET, TRANSPORTS, imts, run, token};

fn assert_usage(ran: &Ran, what: &str) {
    assert_eq!(ran.error(), ("usage".into(), "fix".into()), "{what}: {ran:?}");
    assert_eq!(ran.code, 2, "{what}");
}

#[test]
fn a_mistake_on_the_command_line_is_usage_in_json_too() {
    let cases: [&[&str]; 11] = [
        &["token", "--json", "--transport", "curl"],
        &["watch", "--json"],
        &["watch", "--json", "--no-such-flag"],
        &["demo", "--json", "--no-such-flag"],
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
        assert_usage(&run(&mut imts(args)), &format!("{args:?}"));
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
fn no_time_at_all_is_usage() {
    for zero in ["0s", "0", "0ms", "-1s"] {
        for command in ["token", "watch"] {
            let flags = [command, "--json", "--base-url", "https://host.invalid"];
            let flag = format!("--timeout={zero}");
            let ran = run(imts(&flags).arg(flag).env("IMTS_AGENT_ID", "a"));
            assert_usage(&ran, zero);
            assert!(ran.out.contains("--timeout"), "{ran:?}");
        }
    }
}

/// A file of this test run's own.
fn file(name: &str, content: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("imts-{name}-{}", std::process::id()));
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn certificates_that_cannot_be_used_are_usage_and_the_message_names_the_file() {
    let text = file("no-pem", "no certificate");
    let broken = file("bad-pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for path in ["/no/such/file", text.to_str().unwrap(), broken.to_str().unwrap()] {
        for url in ["https://host.invalid", "http://127.0.0.1:1"] {
            for transport in TRANSPORTS {
                let with = ["--json", "--ca-file", path, "--transport", transport];
                let ran = run(&mut token(url, &with));
                // Plain http to this machine needs no certificate: a good file is read all the same.
                if url.starts_with("http:") && path == broken.to_str().unwrap() {
                    continue;
                }
                assert_usage(&ran, path);
                assert!(ran.out.contains(path), "{ran:?}");
            }
        }
    }
    fs::remove_file(text).unwrap();
    fs::remove_file(broken).unwrap();
}

#[test]
fn a_proxy_that_cannot_be_used_is_usage_and_its_password_is_not_told() {
    for proxy in ["", "host", "ftp://canary-7f3a@host:1", "http://u:canary-7f3a@ho st:1", "http://"]
    {
        for transport in TRANSPORTS {
            let with = ["--json", "-vv", "--proxy", proxy, "--transport", transport];
            let ran = run(&mut token("https://host.invalid", &with));
            assert_usage(&ran, proxy);
            assert!(ran.out.contains("--proxy"), "{ran:?}");
            assert!(!ran.out.contains("canary") && !ran.err.contains("canary"), "{ran:?}");
            let env = run(token("https://host.invalid", &["--json", "--proxy", "env"])
                .args(["--transport", transport])
                .env("HTTPS_PROXY", if proxy.is_empty() { "x y" } else { proxy }));
            assert_usage(&env, proxy);
            assert!(!env.out.contains("canary") && !env.err.contains("canary"), "{env:?}");
        }
    }
}

#[test]
fn a_url_with_a_password_is_refused_and_the_password_is_not_told() {
    let ran = run(&mut token("https://user:canary-7f3a@host.example", &["--json", "-vv"]));
    assert_eq!(ran.error(), ("endpoint".into(), "fix".into()));
    assert!(!ran.out.contains("canary") && !ran.err.contains("canary"), "{ran:?}");
}

#[test]
fn a_secret_among_the_arguments_is_not_repeated() {
    for stray in
        [&["canary-7f3a"][..], &["--agent-secret", "canary-7f3a"], &["--secret=canary-7f3a"]]
    {
        for json in [&["--json"][..], &[]] {
            let ran =
                run(imts(&["token", "--base-url", "https://host.invalid"]).args(stray).args(json));
            assert_eq!(ran.code, 2, "{stray:?}");
            assert!(!ran.out.contains("canary") && !ran.err.contains("canary"), "{ran:?}");
        }
    }
}

#[test]
fn without_a_command_the_help_is_shown() {
    let ran = run(&mut imts(&[]));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("Usage: imts") && !ran.err.contains("error:"), "{}", ran.err);
}

#[test]
fn the_demo_speaks_to_nothing_beyond_this_machine() {
    for url in ["https://host.invalid", "http://host.invalid", "https://127.0.0.1:1"] {
        let ran = run(&mut imts(&["demo", "--json", "--base-url", url]));
        assert_eq!((ran.code, ran.error().0.as_str()), (2, "endpoint"), "{url}: {ran:?}");
    }
}

#[test]
fn the_help_tells_no_value_of_the_environment() {
    let ran = run(imts(&["token", "--help"]).env("IMTS_BASE_URL", "https://u:canary-7f3a@host"));
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("IMTS_BASE_URL") && !ran.out.contains("canary"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_no_text_is_usage() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let no_text = OsStr::from_bytes(b"\xff\xfe");
    assert_usage(&run(imts(&["token", "--json", "--base-url"]).arg(no_text)), "a flag's value");
    assert_usage(&run(imts(&["token", "--json"]).arg(no_text)), "an argument");
    assert_usage(&run(imts(&["--json"]).arg(no_text)), "a command");
    for name in ["IMTS_BASE_URL", "IMTS_AGENT_ID", "IMTS_AGENT_SECRET"] {
        let mut command = token("https://host.invalid", &["--json"]);
        let mut bare = imts(&["token", "--json"]);
        let command = if name == "IMTS_BASE_URL" { &mut bare } else { &mut command };
        assert_usage(&run(command.env(name, no_text)), name);
    }
}
