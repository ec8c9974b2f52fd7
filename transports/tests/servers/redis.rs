//! A Redis server of one test's own: on a free port, in a folder of its own, ended with the test.
//!
//! Several test programs include this file.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use imts::store::redis::{RedisAddress, RedisValue};
use rustix::process::{Pid, Signal, kill_process};

/// A server. Dropping it kills it and removes its folder.
pub(crate) struct RedisServer {
    child: Option<Child>,
    folder: PathBuf,
    port: u16,
    options: Vec<String>,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with more options, such as `["--requirepass", "p"]`.
    pub(crate) fn with(options: &[&str]) -> Self {
        Self::prepared(|_, _| options.iter().map(|&it| it.to_owned()).collect())
    }

    /// Starts a server with options that depend on its folder and its port.
    pub(crate) fn prepared(options: impl Fn(&Path, u16) -> Vec<String>) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("imts-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        // Another process may take a port that is free now: then the server ends at once.
        for _ in 0..10 {
            let port = free_port();
            let options = options(&folder, port);
            let mut server = Self { child: None, folder: folder.clone(), port, options };
            if server.begin() {
                return server;
            }
            server.folder = PathBuf::new();
        }
        panic!("no Redis server starts: {}", fs::read_to_string(folder.join("log")).unwrap());
    }

    /// Starts the process; whether it serves.
    fn begin(&mut self) -> bool {
        let child = Command::new("redis-server")
            .args(self.options.iter().filter(|it| it.ends_with(".conf")))
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--dir"])
            .arg(&self.folder)
            .args(["--logfile", "log", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--repl-diskless-sync-delay", "0"])
            .args(self.options.iter().filter(|it| !it.ends_with(".conf")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child
            .expect("redis-server cannot be started; install it: apt-get install -y redis-server");
        self.child = Some(child);
        for _ in 0..2_000 {
            if self.answers() {
                return true;
            }
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                self.child = None;
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the Redis server does not answer within ten seconds");
    }

    fn answers(&self) -> bool {
        let reply = try_ask(self.port, &["PING"]);
        // A server that asks for a password serves too.
        matches!(reply, Some(RedisValue::Bytes(_)))
            || matches!(reply, Some(RedisValue::Error(text)) if text.starts_with("NOAUTH"))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn address(&self) -> RedisAddress {
        format!("redis://127.0.0.1:{}", self.port).parse().unwrap()
    }

    /// Sends a command on a connection of its own.
    #[track_caller]
    pub(crate) fn ask(&self, parts: &[&str]) -> RedisValue {
        let reply = try_ask(self.port, parts).expect("the server answers");
        assert!(!matches!(reply, RedisValue::Error(_)), "{parts:?} was refused");
        reply
    }

    /// The text that a command is answered with.
    #[track_caller]
    pub(crate) fn text(&self, parts: &[&str]) -> String {
        match self.ask(parts) {
            RedisValue::Bytes(text) => String::from_utf8(text.to_vec()).unwrap(),
            RedisValue::Integer(number) => number.to_string(),
            other => panic!("{parts:?}: {other:?}"),
        }
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.as_ref().unwrap().id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Ends the process at once. What was not written to the disk is lost.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts the process again, on the same port and in the same folder.
    pub(crate) fn start_again(&mut self) {
        assert!(self.begin(), "the server starts again on its port");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        if self.folder != PathBuf::new() {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Sends a command; `None` if no reply comes.
pub(crate) fn try_ask(port: u16, parts: &[&str]) -> Option<RedisValue> {
    let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
    ask_over(&mut TcpStream::connect(("127.0.0.1", port)).ok()?, &parts)
}

pub(crate) fn ask_over(stream: &mut TcpStream, parts: &[&[u8]]) -> Option<RedisValue> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut command = format!("*{}\r\n", parts.len()).into_bytes();
    for part in parts {
        command.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        command.extend_from_slice(part);
        command.extend_from_slice(b"\r\n");
    }
    stream.write_all(&command).ok()?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
    loop {
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&buffer[..read]),
        }
        if let Some((value, _)) = RedisValue::read(&bytes).unwrap() {
            return Some(value);
        }
    }
}
