//! `imts token` against a service that means harm: it ends in time, says what it met, and stays
//! small.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use imts_sandbox::{Break, Delivery, Fault, Front, Operation, Rule, Sandbox};
use serde_json::Value;

use crate::{SECRET, TRANSPORTS, token};

/// The most memory that the command may ever hold, in KiB: 40 MB.
const PEAK_KIB: u64 = 40_000_000 / 1_024;

/// What a busy machine may add to a time limit.
const SLACK: Duration = Duration::from_secs(50);

/// Runs `imts token` by each transport, within so many seconds; yields the kinds of error.
fn kinds(url: &str, seconds: u64) -> [String; 2] {
    TRANSPORTS.map(|transport| {
        let began = Instant::now();
        let timeout = format!("{seconds}s");
        let flags = ["--secret-file", "-", "--json", "--timeout", &timeout];
        let mut command = token(url, &flags);
        command.env_remove("IMTS_AGENT_SECRET").args(["--transport", transport]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It waits for its secret: its memory is seen, however soon it ends after that.
        let waiting = held(&child);
        child.stdin.take().unwrap().write_all(SECRET.as_bytes()).unwrap();
        let peak = peak(&mut child).max(waiting);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(seconds) + SLACK, "{transport} took {took:?}");
        assert!(peak < PEAK_KIB, "{transport} held {peak} KiB");
        // Where there is no such file, there is no peak to know.
        assert_eq!(waiting > 0, cfg!(target_os = "linux"));
        let last: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
        last["error"]["kind"].as_str().unwrap_or("none").to_owned()
    })
}

/// The most memory that a process has held so far, in KiB; 0 if it has ended.
///
/// Until it executes the command, the child has the memory of this process: that does not count.
fn held(child: &Child) -> u64 {
    let is_this_one =
        || fs::read_link(format!("/proc/{}/exe", child.id())).ok() == env::current_exe().ok();
    while cfg!(target_os = "linux") && is_this_one() {
        thread::yield_now();
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Waits for the child's end; yields the most memory that it was seen to hold, in KiB.
///
/// The system's own figure for a child that has ended, `ru_maxrss`, counts what its parent held.
fn peak(child: &mut Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(held(child));
        thread::sleep(Duration::from_micros(500));
    }
    peak
}

/// The kind of error that a delivery comes to; of some, one of two.
fn kind(delivery: Delivery) -> &'static [&'static str] {
    use Delivery as D;
    match delivery {
        // The command's one exchange comes whole.
        D::NextBroken { .. } | D::Drip(0) | D::Interim(_) => &["none"],
        D::Broken { by: Break::Stall, .. } => &["timed_out"],
        D::Broken { .. } => &["transport"],
        D::Closed | D::Reset | D::HalfClosed | D::CutAfter(_) | D::ResetAfter(_) => &["transport"],
        D::BadChunk | D::HeaderFlood => &["transport"],
        D::Stalled | D::StalledAfter(_) | D::Drip(_) => &["timed_out"],
        D::InterimFlood => &["transport", "timed_out"],
        D::EndlessWithLength | D::EndlessUntilClose | D::EndlessChunked => &["malformed"],
        D::GzipBomb => &["malformed"],
        D::RedirectTo(_) => &["unexpected"],
        other => panic!("a delivery without a row: {other:?}"),
    }
}

#[test]
fn a_reply_that_is_delivered_wrongly_is_named_and_costs_neither_time_nor_memory() {
    let deliveries = Mutex::new(Delivery::each().collect::<Vec<_>>());
    thread::scope(|scope| {
        // Most of them wait.
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let Some(delivery) = deliveries.lock().unwrap().pop() else { return };
                    // More time, where the machine is too busy to bring a request to the service.
                    let limits = if kind(delivery).contains(&"timed_out") {
                        &[3, 15, 60][..]
                    } else {
                        &[60]
                    };
                    let heard = limits.iter().any(|seconds| delivered(delivery, *seconds));
                    assert!(heard, "{delivery:?}: no request comes");
                }
            });
        }
    });
}

/// What a delivery comes to by each transport; whether the service heard of both.
fn delivered(delivery: Delivery, seconds: u64) -> bool {
    let mut sandbox = Sandbox::default();
    sandbox.set_faults(vec![Rule::always(Operation::GetToken, Fault::Delivery(delivery))]);
    let front = Front::start(sandbox).unwrap();
    let kinds = kinds(&front.url(), seconds);
    let requests = front.log().len();
    if requests < 2 {
        return false;
    }
    for found in kinds {
        assert!(kind(delivery).contains(&found.as_str()), "{delivery:?}: {found}");
    }
    assert_eq!(requests, 2, "{delivery:?}: one each, and no other try");
    true
}

/// A socket that takes a request and then writes this, again and again.
fn repeating(first: &'static str, then: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let torment = move |mut stream: TcpStream| -> std::io::Result<()> {
        let _request = stream.read(&mut [0; 4_096])?;
        stream.write_all(first.as_bytes())?;
        loop {
            stream.write_all(then.as_bytes())?;
        }
    };
    thread::spawn(move || {
        for stream in listener.incoming() {
            drop(torment(stream.unwrap()));
        }
    });
    url
}

#[test]
fn a_head_or_a_framing_without_end_costs_neither_time_nor_memory() {
    const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    for (first, then) in [
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"),
        ("HTTP/1.1 200 ", "OK"),
        ("HTTP/1.1 200 OK\r\nx: ", "0123456789"),
        ("", "no HTTP at all"),
        (CHUNKED, "0"),
        (CHUNKED, "1;an-extension"),
    ] {
        for kind in kinds(&repeating(first, then), 3) {
            let known = ["transport", "timed_out", "malformed", "unexpected"];
            assert!(known.contains(&kind.as_str()), "{first:?} {then:?}: {kind}");
        }
    }
    let trailers = "0\r\nx: 0123456789\r\nx: 0123456789\r\n";
    for kind in kinds(&repeating(CHUNKED, trailers), 3) {
        assert_ne!(kind, "none");
    }
}
