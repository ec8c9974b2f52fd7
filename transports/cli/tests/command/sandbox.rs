//! `imts sandbox`: what it prints works.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::{Folder, imts, run};

/// A sandbox in a process of its own, ended with the test.
struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let mut child = imts(&["sandbox"]).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The first line that contains this.
    fn line_with(&mut self, text: &str) -> String {
        for line in self.out.by_ref().lines() {
            let line = line.unwrap();
            if line.contains(text) {
                return line;
            }
        }
        panic!("the sandbox printed no line with {text}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn its_hints_work_as_they_are_printed() {
    let mut served =
        Served::start(&["--lifetime", "5m", "--rotation", "always", "--agent", "bank 7"]);
    let curl = served.line_with("  curl ");
    let hint = served.line_with(" imts token ");
    let reply = shell(&curl);
    let reply: Value = serde_json::from_str(&reply).unwrap_or_else(|e| panic!("{e}: {reply}"));
    assert_eq!(reply["state"], true);
    let hint = hint.replace(" imts ", &format!(" {} ", env!("CARGO_BIN_EXE_imts")));
    let printed = shell(&format!("{hint} --json"));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert!((299.0..=300.0).contains(&printed["lifetime_s"].as_f64().unwrap()), "{printed}");
}

#[test]
fn the_call_that_it_suggests_is_done_with_a_service_file_and_without() {
    let folder = Folder::new("sandbox's service_file");
    let service = folder.service_file();
    let moved =
        folder.write("moved.toml", "version = 1\n[operation.get-token]\npath = \"/elsewhere\"\n");
    for (flags, operation) in [
        (&[][..], " imts call fees "),
        (&["--service-file", &service][..], " imts call create-transfer "),
        (&["--service-file", &moved][..], " imts call fees "),
    ] {
        let mut served = Served::start(flags);
        let curl = served.line_with("  curl ");
        let token = served.line_with(" imts token ");
        let call = served.line_with(operation);
        assert_eq!(serde_json::from_str::<Value>(&shell(&curl)).unwrap()["state"], true);
        let imts = format!(" {} ", env!("CARGO_BIN_EXE_imts"));
        shell(&token.replace(" imts ", &imts));
        let done = shell(&format!("{} --json", call.replace(" imts ", &imts)));
        let done: Value = serde_json::from_str(&done).unwrap();
        assert_eq!(done["outcome"], "done", "{flags:?}");
    }
}

#[test]
fn each_rotation_can_be_had_and_is_what_it_says() {
    // The status of a refresh token's second use.
    for (rotation, second) in
        [("never", 200), ("always", 401), ("reuse-revokes-family", 401), ("grace", 200)]
    {
        let mut served = Served::start(&["--rotation", rotation]);
        let url = served.line_with("serves at ");
        let url = url.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let signed_in: Value = serde_json::from_str(&shell(&served.line_with("  curl "))).unwrap();
        let token = signed_in["payload"]["refresh_token"].as_str().unwrap();
        let refresh = format!(
            "curl -s -o /dev/null -w '%{{http_code}}' {url}{} \
             -H 'Content-Type: application/json' -d '{{\"refresh_token\":\"{token}\"}}'",
            imts_sandbox::REFRESH_PATH
        );
        assert_eq!(shell(&refresh), "200", "{rotation}");
        assert_eq!(shell(&refresh), second.to_string(), "{rotation}");
    }
}

#[test]
fn the_outage_that_it_suggests_happens() {
    let mut served = Served::start(&[]);
    let curl = served.line_with("  curl ");
    let outage = served.line_with("    curl ");
    shell(&outage);
    assert_ne!(serde_json::from_str::<Value>(&shell(&curl)).unwrap()["state"], true);
}

#[cfg(unix)]
#[test]
fn it_tells_of_requests_where_asked_and_an_interrupt_ends_it_well() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let mut child =
        imts(&["sandbox", "-v"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut served = Served { out: BufReader::new(child.stdout.take().unwrap()), child };
    let curl = served.line_with("  curl ");
    shell(&curl);
    let pid = Pid::from_raw(served.child.id().try_into().unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    let mut told = String::new();
    served.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(told, "imts: get_token -> 200: credentials accepted, tokens granted\n");
}

#[test]
fn a_port_that_is_taken_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = run(&mut imts(&["sandbox", "--port", &port]));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains(&port), "{}", ran.err);
}

fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
