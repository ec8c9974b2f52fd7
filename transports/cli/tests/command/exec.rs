//! `imts exec`: what the command gets, what it does not get, and how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use imts_sandbox::{Front, GET_TOKEN_PATH, Sandbox};
use nix::sys::signal::Signal;

use crate::running::{Holding, Running};
use crate::{AGENT, Folder, SECRET, TRANSPORTS, imts, run, run_with_stdin};

/// `imts exec` with the sandbox's credentials, up to its options.
fn exec(url: &str, options: &[&str], command: &[&str]) -> Command {
    let mut imts = imts(&["exec", "--plain-http", "--base-url", url]);
    imts.args(options).arg("--").args(command);
    imts.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
    imts
}

fn front() -> Front {
    Front::start(Sandbox::default()).unwrap()
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_command_reads_the_header_line_or_the_token_from_its_descriptor() {
    let front = front();
    for transport in TRANSPORTS {
        let by = |options: &[&str], command: &[&str]| {
            let options = [&["--transport", transport], options].concat();
            let ran = output(&mut exec(&front.url(), &options, command));
            assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
            text(&ran.stdout).to_owned()
        };
        let line = by(&[], &["cat", "/dev/fd/3"]);
        let token = line.strip_prefix("Authorization: Bearer ").unwrap();
        let token = token.strip_suffix('\n').unwrap();
        assert_eq!(token.split('.').count(), 3, "{line}");
        assert!(!token.contains(char::is_whitespace), "{line}");
        let inherited = by(&["--as", "header"], &["sh", "-c", "cat <&3"]);
        assert!(inherited.starts_with("Authorization: Bearer ") && inherited.ends_with('\n'));
        let alone =
            by(&["--as", "token", "--fd", "9"], &["sh", "-c", "cat /dev/fd/$IMTS_TOKEN_FD"]);
        assert_eq!(alone.trim_end().split('.').count(), 3, "{alone}");
        assert!(!alone.contains(' '), "{alone}");
        let number = by(&["--fd", "9"], &["sh", "-c", "echo $IMTS_TOKEN_FD"]);
        assert_eq!(number, "9\n");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn each_opening_reads_the_whole_line() {
    let front = front();
    let twice = ["sh", "-c", "cat /dev/fd/3; cat /dev/fd/3"];
    let ran = output(&mut exec(&front.url(), &[], &twice));
    let lines: Vec<_> = text(&ran.stdout).lines().collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    assert!(lines[0].starts_with("Authorization: Bearer ") && lines[0] == lines[1], "{ran:?}");
}

#[test]
fn curl_sends_the_header_that_it_gets() {
    let front = front();
    let url = format!("{}/v5/partner/transfer/fees", front.url());
    let data = r#"{"originator_type":"person","target_country":"UZB","amount_source":15.4,"currency_source":"KZT","currency_target":"UZS"}"#;
    let json = ["-H", "Content-Type: application/json", "-d", data, &url];
    let curl = [&["curl", "-s", "-H", "@/dev/fd/3"], &json[..]].concat();
    let ran = output(&mut exec(&front.url(), &[], &curl));
    assert!(ran.status.success(), "{ran:?}");
    let reply: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(reply["state"], true, "{reply}");
    let header = run(imts(&["token", "--header", "--plain-http", "--base-url", &front.url()])
        .env("IMTS_AGENT_ID", AGENT)
        .env("IMTS_AGENT_SECRET", SECRET));
    let curl = [&["-s", "-H", "@-"], &json[..]].concat();
    let ran = run_with_stdin(Command::new("curl").args(curl), &header.out);
    assert_eq!(ran.json()["state"], true, "{ran:?}");
}

#[test]
fn the_exit_status_is_that_of_the_command() {
    let front = front();
    for code in [0, 1, 3, 6, 125, 255] {
        let exit = format!("exit {code}");
        let ran = output(&mut exec(&front.url(), &[], &["sh", "-c", &exit]));
        assert_eq!(ran.status.code(), Some(code), "{ran:?}");
    }
    for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGPIPE] {
        let kill = format!("kill -{} $$", signal as i32);
        let command = exec(&front.url(), &[], &["sh", "-c", &kill]);
        let mut direct = command;
        assert_eq!(output(&mut direct).status.signal(), Some(signal as i32), "{signal}");
        // The shell that runs imts reports 128 and the signal's number.
        let program = env!("CARGO_BIN_EXE_imts");
        let line = r#""$0" exec --plain-http --base-url "$1" -- sh -c "$2"; echo $?"#;
        let mut shell = Command::new("sh");
        shell.args(["-c", line, program, &front.url(), &kill]);
        shell.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET);
        assert_eq!(text(&output(&mut shell).stdout), format!("{}\n", 128 + signal as i32));
    }
}

#[test]
fn the_command_is_the_same_process_with_the_same_stdin() {
    let front = front();
    let mut command = exec(&front.url(), &[], &["sh", "-c", "echo $$; cat"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"from stdin").unwrap();
    let id = child.id();
    let ran = child.wait_with_output().unwrap();
    assert_eq!(text(&ran.stdout), format!("{id}\nfrom stdin"));
}

#[test]
fn a_signal_reaches_the_command() {
    let front = front();
    let script = "trap 'kill $!; exit 33' TERM; sleep 600 & echo ready; wait";
    let mut command = exec(&front.url(), &[], &["sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(33));
}

#[test]
fn a_signal_before_the_command_begins_ends_it_unrun() {
    let folder = Folder::new("exec-signal");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let holding = Holding::new(GET_TOKEN_PATH);
        let mark = folder.path("ran");
        let running = Running::start(exec(&holding.front.url(), &[], &["touch", &mark]));
        holding.wait();
        running.signal(signal);
        let ran = running.end();
        assert_eq!(ran.code, 125, "{ran:?}");
        assert!(ran.err.contains(&format!("{signal} came before the command began")), "{ran:?}");
        assert!(!fs::exists(&mark).unwrap());
    }
}

/// A signal at any moment around the start of the command ends imts or the command. A signal that is lost
/// would leave the command running.
#[test]
fn no_signal_is_lost_between_imts_and_the_command() {
    for step in 0..60 {
        let holding = Holding::new(GET_TOKEN_PATH);
        let mut command = exec(&holding.front.url(), &[], &["sleep", "600"]);
        command.stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        holding.wait();
        holding.release.send(()).unwrap();
        // The moments are spread over the few milliseconds that the rest takes.
        let began = Instant::now();
        while began.elapsed() < Duration::from_micros(100 * step) {
            thread::yield_now();
        }
        let id = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
        nix::sys::signal::kill(id, Signal::SIGTERM).unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > crate::running::PATIENCE {
                child.kill().unwrap();
                panic!("the signal is lost, {step} x 100 us after the reply");
            }
            thread::sleep(Duration::from_millis(1));
        };
        let is_ended =
            status.code() == Some(125) || status.signal() == Some(Signal::SIGTERM as i32);
        assert!(is_ended, "{status:?}");
    }
}

/// All variables and arguments of a process.
#[cfg(target_os = "linux")]
fn visible(id: u32) -> String {
    let read = |file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap();
    let all = [read("environ"), b"\0".to_vec(), read("cmdline")].concat();
    String::from_utf8(all).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn no_variable_and_no_argument_holds_the_token_or_the_secret() {
    let folder = Folder::new("exec-visible");
    let file = folder.write("secret", SECRET);
    for (options, by_variable) in [
        (&["--secret-file", &file][..], false),
        (&["--secret-file", &file, "--env", "MY_TOKEN"], true),
        (&[], false),
        (&["--as", "token"], false),
    ] {
        let holding = Holding::new(GET_TOKEN_PATH);
        let mut command = exec(&holding.front.url(), options, &["sh", "-c", "echo ready; read x"]);
        if options.first() == Some(&"--secret-file") {
            command.env_remove("IMTS_AGENT_SECRET");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        holding.wait();
        let before = visible(child.id());
        assert!(before.contains("\0exec\0"), "{before:?}");
        if options.first() == Some(&"--secret-file") {
            assert!(!before.contains(SECRET), "{before:?}");
        }
        holding.release.send(()).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let after = visible(child.id());
        assert!(after.contains("\0-c\0echo ready; read x\0"), "{after:?}");
        assert!(!after.contains(SECRET) && !after.contains("IMTS_AGENT_SECRET"), "{after:?}");
        let holders: Vec<_> = after.split('\0').filter(|part| part.contains("eyJ")).collect();
        if by_variable {
            assert!(holders.len() == 1 && holders[0].starts_with("MY_TOKEN=eyJ"), "{after:?}");
        } else {
            assert!(holders.is_empty(), "{after:?}");
        }
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}

#[test]
fn with_a_variable_there_is_no_descriptor_and_the_form_can_be_chosen() {
    let front = front();
    let script = "echo \"$MY_TOKEN\"; test -z \"$IMTS_TOKEN_FD\" && ! test -e /dev/fd/3";
    for (form, begins) in [("token", "eyJ"), ("header", "Authorization: Bearer eyJ")] {
        let options = ["--env", "MY_TOKEN", "--as", form];
        let ran = output(&mut exec(&front.url(), &options, &["bash", "-c", script]));
        assert!(ran.status.success(), "{ran:?}");
        assert!(text(&ran.stdout).starts_with(begins), "{ran:?}");
    }
}

#[test]
fn a_descriptor_that_is_in_use_is_not_taken_from_the_command() {
    let front = front();
    let line = r#"exec 3</dev/null; exec "$0" exec --plain-http --base-url "$1" $2 -- sh -c 'cat <&3; echo $IMTS_TOKEN_FD'"#;
    let run = |options: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", line, env!("CARGO_BIN_EXE_imts"), &front.url(), options]);
        output(shell.env("IMTS_AGENT_ID", AGENT).env("IMTS_AGENT_SECRET", SECRET))
    };
    let ran = run("");
    assert_eq!(ran.status.code(), Some(125), "{ran:?}");
    assert!(text(&ran.stderr).contains("--fd N"), "{ran:?}");
    assert!(front.log().is_empty(), "nothing was sent");
    let ran = run("--fd 4");
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(0), "4\n"), "{ran:?}");
}

#[test]
fn a_command_that_does_not_run_has_the_codes_that_shells_have() {
    let front = front();
    let url = front.url();
    let folder = Folder::new("exec-codes");
    let plain = folder.write("plain", "no program");
    let mut refused = exec(&url, &[], &["true"]);
    refused.env("IMTS_AGENT_SECRET", "another");
    let mut without = imts(&["exec", "--base-url", &url, "true"]);
    let mut nothing = imts(&["exec", "--base-url", &url]);
    let mut flag = imts(&["-v", "exec", "--no-such-flag", "--", "true"]);
    let mut value = exec(&url, &["--env", "NAME=canary-7f3a"], &["true"]);
    for (command, code, words) in [
        (&mut exec(&url, &[], &["imts-no-such-program"]), 127, "cannot run imts-no-such-program"),
        (&mut exec(&url, &[], &[&plain]), 126, "cannot run"),
        (&mut exec(&url, &[], &["/etc"]), 126, "cannot run /etc"),
        (&mut refused, 125, "refused"),
        (&mut without, 125, "write -- before the command"),
        (&mut nothing, 125, "<COMMAND>"),
        (&mut flag, 125, "--no-such-flag"),
        (&mut value, 125, "--env takes the name"),
        (&mut exec(&url, &["--env", "PATH"], &["true"]), 125, "PATH would replace"),
        (&mut exec(&url, &["--fd", "2"], &["true"]), 125, "from 3 to 255"),
    ] {
        let ran = run(command);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.err.starts_with("error: ") && ran.err.contains(words), "{ran:?}");
        assert!(!ran.err.contains("canary") && ran.out.is_empty(), "{ran:?}");
    }
}

#[test]
fn an_argument_of_the_command_may_not_hold_the_secret() {
    let front = front();
    let ran = run(&mut exec(&front.url(), &[], &["echo", &format!("x{SECRET}")]));
    assert_eq!(ran.code, 125);
    assert!(ran.err.contains("an argument holds the agent's secret"), "{}", ran.err);
    assert!(front.log().is_empty());
}

#[test]
fn nothing_of_imts_stays_behind() {
    let front = front();
    let script = "ls /dev/fd; cat /dev/fd/3 | wc -c";
    let mut command =
        exec(&front.url(), &["-vv", "--transport", "hyper-util"], &["sh", "-c", script]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut seen = String::new();
    child.stdout.take().unwrap().read_to_string(&mut seen).unwrap();
    child.wait().unwrap();
    let open: Vec<u32> = seen.lines().filter_map(|line| line.trim().parse().ok()).collect();
    // `ls` opens the folder itself. What this test inherited is open in the command too.
    let mut bare = Command::new("sh")
        .args(["-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut without = String::new();
    bare.stdout.take().unwrap().read_to_string(&mut without).unwrap();
    bare.wait().unwrap();
    let count = |text: &str| text.lines().filter(|line| line.trim().parse::<u32>().is_ok()).count();
    assert_eq!(count(&seen), count(&without) + 1, "one descriptor more: {open:?} {without:?}");
}
