//! A machine that provides no thread, no memory for one, or no file: an error in JSON, and no panic.

use std::process::Command;

use imts_sandbox::{Front, Sandbox};

use crate::{AGENT, Folder, Ran, SECRET, SERVICE_FILE, TRANSPORTS, call, run, token};

/// The same command under a limit of the system, as a user who has no other processes. The system
/// counts the threads of a user, so each test has a user of its own.
fn under(user: u32, limit: &str, command: &Command) -> Command {
    let is_root = rustix::process::geteuid().is_root();
    let mut limited = Command::new(if is_root { "setpriv" } else { "prlimit" });
    if is_root {
        limited.arg(format!("--reuid={user}")).args(["--clear-groups", "prlimit"]);
    }
    limited.arg(limit).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

fn assert_told(what: &str, ran: &Ran) {
    assert!(!ran.err.contains("panicked"), "{what}: {ran:?}");
    let told = ran.json();
    let is_told = told["error"]["kind"].is_string() || ran.code == 0;
    assert!(is_told && ran.code != 101, "{what}: {ran:?}");
}

#[test]
fn without_a_thread_it_works_or_is_an_error_in_json() {
    let front = Front::start(Sandbox::default()).unwrap();
    let folder = Folder::new("limits-threads");
    let secret = folder.write("secret", SECRET);
    for transport in TRANSPORTS {
        let flags = ["--json", "--transport", transport];
        for more in [&[][..], &["--secret-file", &secret]] {
            let command = token(&front.url(), &[&flags[..], more].concat());
            let ran = run(&mut under(54_321, "--nproc=1", &command));
            assert_told("token", &ran);
            // The blocking client renews on a thread of its own.
            let code = if transport == "ureq" { 5 } else { 0 };
            assert_eq!(ran.code, code, "{transport}: {ran:?}");
        }
        for nproc in ["--nproc=1", "--nproc=2", "--nproc=3", "--nproc=4"] {
            let command = call(&front.url(), "fees", &flags);
            assert_told(nproc, &run(&mut under(54_321, nproc, &command)));
            let named = token("https://host.invalid", &[&flags[..], &["--timeout", "5s"]].concat());
            let ran = run(&mut under(54_321, nproc, &named));
            assert_told(nproc, &ran);
            assert_ne!(ran.code, 0, "{ran:?}");
        }
    }
}

#[test]
fn a_call_without_a_thread_is_a_failure_of_the_machine_and_nothing_is_sent() {
    let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
    let folder = Folder::new("limits-call");
    let service = folder.service_file();
    for transport in TRANSPORTS {
        for operation in ["confirm", "daily-report"] {
            let flags = ["--json", "--transport", transport, "--service-file", &service];
            let ran = run(&mut under(54_324, "--nproc=1", &call(&front.url(), operation, &flags)));
            let (kind, recovery) = ran.error();
            assert_eq!(
                (kind.as_str(), recovery.as_str(), ran.code),
                ("machine", "retry", 5),
                "{ran:?}"
            );
            let advice = ran.json()["error"]["advice"].to_string();
            assert!(advice.contains("short of threads"), "{advice}");
        }
    }
    assert!(front.log().is_empty(), "nothing was sent");
}

#[test]
fn without_a_file_descriptor_it_is_an_error_in_json() {
    let front = Front::start(Sandbox::default()).unwrap();
    let folder = Folder::new("limits-files");
    let secret = folder.write("secret", SECRET);
    for transport in TRANSPORTS {
        // The system's loader needs the fourth.
        for files in 4..12 {
            let limit = format!("--nofile={files}");
            let flags = ["--json", "--transport", transport, "--secret-file", &secret];
            let command = token(&front.url(), &flags);
            assert_told(&limit, &run(&mut under(54_322, &limit, &command)));
            let command = call(&front.url(), "fees", &flags);
            assert_told(&limit, &run(&mut under(54_322, &limit, &command)));
        }
    }
}

#[test]
fn without_memory_for_a_threads_stack_it_does_not_panic() {
    let front = Front::start(Sandbox::default()).unwrap();
    for transport in TRANSPORTS {
        let flags = ["--json", "--transport", transport];
        let mut works = 0;
        for megabytes in (16..=96).step_by(8) {
            let limit = format!("--as={}", megabytes << 20);
            let mut command = under(54_323, &limit, &token(&front.url(), &flags));
            let output = command.env("IMTS_AGENT_ID", AGENT).output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            assert!(!err.contains("panicked"), "{limit}, {transport}: {err}");
            works += usize::from(output.status.success());
        }
        assert!(works > 0, "{transport}: more memory is enough");
    }
}
