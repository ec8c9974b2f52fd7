//! Two namespaces joined by a cable: the client's, in which this process is, and a sandbox's.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::NEEDED;
use super::names::Names;
use crate::{Folder, imts};

/// The port that a sandbox serves on.
pub(super) const PORT: u16 = 8080;

/// The address that each sandbox has.
pub(super) const PRIVATE: &str = "172.31.77.2";

/// An address that no private network has (RFC 5737).
pub(super) const PUBLIC: &str = "203.0.113.7";

pub(super) struct Net {
    pub(super) names: Names,
    /// The process whose namespace is the sandbox's.
    other: Cell<u32>,
    _folder: Folder,
}

impl Net {
    /// Makes this namespace use its own name server alone.
    pub(super) fn new() -> Self {
        let folder = Folder::new("namespaces");
        let resolver = folder.write("resolv.conf", "nameserver 127.0.0.1\noptions ndots:0\n");
        must("mount", &["--bind", &resolver, "/etc/resolv.conf"]);
        let order = folder.write("nsswitch.conf", "hosts: files dns\n");
        if fs::exists("/etc/nsswitch.conf").unwrap() {
            must("mount", &["--bind", &order, "/etc/nsswitch.conf"]);
        }
        must("ip", &["link", "set", "lo", "up"]);
        Self { names: Names::serve(), other: Cell::new(0), _folder: folder }
    }

    /// Starts a sandbox in a namespace of its own, and joins the two by a cable.
    pub(super) fn sandbox(&self, more: &[&str]) -> Served {
        let inner = imts(&["sandbox", "--port", &PORT.to_string()]);
        let mut command = Command::new("unshare");
        command.arg("--net").arg("--").arg(inner.get_program()).args(inner.get_args()).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect(NEEDED);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let served = Served { child, _out: Box::new(out) };
        assert!(line.contains("serves at"), "{line}{}", served.end());
        self.other.set(served.child.id());
        let there = served.child.id().to_string();
        must(
            "ip",
            &["link", "add", "here", "type", "veth", "peer", "name", "there", "netns", &there],
        );
        must("ip", &["link", "set", "here", "up"]);
        self.there(&["link", "set", "lo", "up"]);
        self.there(&["link", "set", "there", "up"]);
        self.add(PRIVATE);
        served
    }

    /// Gives the sandbox's end of the cable an address, and this end one of the same network.
    pub(super) fn add(&self, address: &str) {
        let (network, length) = match address.rsplit_once([':', '.']) {
            Some((network, _)) if address.contains(':') => (format!("{network}:"), "64"),
            Some((network, _)) => (format!("{network}."), "24"),
            None => panic!("{address}"),
        };
        let (here, there) = (format!("{network}1/{length}"), format!("{address}/{length}"));
        let flags: &[&str] = if length == "64" { &["nodad"] } else { &[] };
        must("ip", &[&["address", "replace", &here, "dev", "here"], flags].concat());
        self.there(&[&["address", "replace", &there, "dev", "there"], flags].concat());
    }

    fn there(&self, ip: &[&str]) {
        let net = format!("--net=/proc/{}/ns/net", self.other.get());
        must("nsenter", &[&[net.as_str(), "ip"], ip].concat());
    }

    /// How many requests the sandbox has had, as it says at this address.
    pub(super) fn requests(&self, address: &str) -> usize {
        let mut stream = TcpStream::connect((address, PORT)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
            .write_all(b"GET /_sandbox/log HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, log) = answer.split_once("\r\n\r\n").unwrap();
        let log: Value = serde_json::from_str(log).unwrap_or_else(|e| panic!("{e}: {answer}"));
        log["entries"].as_array().unwrap().len()
    }
}

/// A sandbox, which ends with the test.
pub(super) struct Served {
    child: Child,
    /// Kept open, so that the sandbox can print.
    _out: Box<dyn Read>,
}

impl Served {
    /// Ends it, and returns what it has said on stderr.
    pub(super) fn end(mut self) -> String {
        drop(self.child.kill());
        let mut said = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut said).unwrap();
        }
        said
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn must(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: {NEEDED}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {said}");
}
