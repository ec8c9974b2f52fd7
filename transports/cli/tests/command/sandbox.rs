//! `imts sandbox`: what it prints works.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::{imts, run};

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
        self.child.kill().unwrap();
        self.child.wait().unwrap();
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
