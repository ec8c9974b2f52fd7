//! Where output goes: what is printed stays printable, also if a reader has closed its end.

use std::process::{Command, Stdio};

use imts_sandbox::{Front, Sandbox};

use crate::{imts, token};

/// Runs a command whose stdout nobody reads; yields its exit code and what it told on stderr.
fn unheard(command: &mut Command) -> (Option<i32>, String) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_pipe_that_nobody_reads_is_no_error_and_the_exit_code_tells_the_truth() {
    let front = Front::start(Sandbox::default()).unwrap();
    for flags in [&[][..], &["--json"], &["--show"], &["--show", "--json"]] {
        let ended = unheard(&mut token(&front.url(), flags));
        assert_eq!(ended, (Some(0), String::new()), "{flags:?}");
    }
    let refused = unheard(token(&front.url(), &["--json"]).env("IMTS_AGENT_SECRET", "wrong"));
    assert_eq!(refused, (Some(3), String::new()));
    assert_eq!(unheard(&mut imts(&["token", "--json"])), (Some(2), String::new()));
    assert_eq!(unheard(&mut imts(&["demo", "--json"])), (Some(0), String::new()));
    let helps: [&[&str]; 6] = [
        &["--help"],
        &["-h"],
        &["--version"],
        &["help", "token"],
        &["call", "--help"],
        &["token", "--json", "--help"],
    ];
    for help in helps {
        assert_eq!(unheard(&mut imts(help)), (Some(0), String::new()), "{help:?}");
    }
    for other in [&["operations"][..], &["operations", "--json"]] {
        assert_eq!(unheard(&mut imts(other)), (Some(0), String::new()), "{other:?}");
    }
}

#[test]
fn a_stderr_that_nobody_reads_changes_nothing() {
    let front = Front::start(Sandbox::default()).unwrap();
    let mut command = token(&front.url(), &["-vv", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.starts_with(b"{"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_that_could_not_be_written_is_an_error() {
    let front = Front::start(Sandbox::default()).unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = token(&front.url(), &["--show"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: cannot write to stdout"), "{told}");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = imts(&["--help"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "help that is not printed");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: cannot write to stdout"), "{told}");
}
