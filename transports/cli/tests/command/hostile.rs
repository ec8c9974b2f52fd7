//! `imts token` against a service that means harm: it ends in time, says what it met, and stays
//! small.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use imts_sandbox::{Delivery, Ending, Fault, Front, Operation, Rule, Sandbox};
use serde_json::Value;

use crate::{TRANSPORTS, token};

/// The most memory that the command may ever hold, in KiB: 40 MB.
const PEAK_KIB: u64 = 40_000_000 / 1_024;

const TIMEOUT: Duration = Duration::from_secs(3);

/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(10);

/// Runs `imts token` by each transport; yields the kinds of error.
fn kinds(url: &str) -> [String; 2] {
    TRANSPORTS.map(|transport| {
        let began = Instant::now();
        let flags = ["--json", "--timeout", "3s", "--transport", transport];
        let mut child = token(url, &flags).stdout(Stdio::piped()).spawn().unwrap();
        let peak = peak(&mut child);
        let took = began.elapsed();
        assert!(took < TIMEOUT + SLACK, "{transport} took {took:?}");
        assert!(peak < PEAK_KIB, "{transport} held {peak} KiB");
        // Where there is no such file, there is no peak to know.
        assert_eq!(peak > 0, cfg!(target_os = "linux"));
        let last: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
        last["error"]["kind"].as_str().unwrap_or("none").to_owned()
    })
}

/// Waits for the child's end; yields the most memory that it was seen to hold, in KiB.
///
/// The system's own figure for a child that has ended, `ru_maxrss`, counts what its parent held.
fn peak(child: &mut Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(number.unwrap_or(0));
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
        D::Broken { by: Ending::Stall, .. } => &["timed_out"],
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
                    let mut sandbox = Sandbox::default();
                    let fault = Fault::Delivery(delivery);
                    sandbox.set_faults(vec![Rule::always(Operation::GetToken, fault)]);
                    let front = Front::start(sandbox).unwrap();
                    for found in kinds(&front.url()) {
                        assert!(kind(delivery).contains(&found.as_str()), "{delivery:?}: {found}");
                    }
                    let requests = front.log().len();
                    assert_eq!(requests, 2, "{delivery:?}: one each, and no other try");
                }
            });
        }
    });
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
        for kind in kinds(&repeating(first, then)) {
            let known = ["transport", "timed_out", "malformed", "unexpected"];
            assert!(known.contains(&kind.as_str()), "{first:?} {then:?}: {kind}");
        }
    }
    let trailers = "0\r\nx: 0123456789\r\nx: 0123456789\r\n";
    for kind in kinds(&repeating(CHUNKED, trailers)) {
        assert_ne!(kind, "none");
    }
}
