//! What an adversary, or a mistake, must not get out of the sandbox.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use http::Request;
use imts_sandbox::{
    Break, Delivery, Fault, Front, GET_TOKEN_PATH, Operation, Position, REFRESH_PATH, Rotation,
    Rule, Sandbox, Scripted, Settings, Time, When,
};
use serde_json::json;

use crate::front::{connect, ends, exchange, sign_in};
use crate::{Agent, NOON, at, credentials, json_of, post};

#[test]
fn the_log_keeps_the_latest_and_the_counts_keep_all() {
    let mut service = Sandbox::default();
    service.settings_mut().memory_limit = 10;
    for _ in 0..105 {
        let _ = service.handle(NOON, &post("/elsewhere", &json!({})));
        assert!(service.log().len() <= 20);
    }
    assert!(service.log().len() >= 10);
    assert!(service.log().windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    assert_eq!(service.log().last().unwrap().number, 105);
    assert_eq!((service.count(Operation::Other), service.requests()), (105, 105));
}

#[test]
fn old_tokens_are_forgotten_before_new_ones() {
    let mut agent = Agent::default();
    agent.service.settings_mut().memory_limit = 10;
    let tokens: Vec<_> = (0..40).map(|_| agent.sign_in(NOON)["access_token"].clone()).collect();
    assert_eq!(agent.echo(at(1), &tokens[0]), 401);
    // The latest five sign-ins are the latest ten tokens.
    for token in &tokens[35..] {
        assert_eq!(agent.echo(at(1), token), 200);
    }
}

#[test]
fn no_setting_and_no_date_is_too_large() {
    let times = [
        Time::from_micros(i64::MIN),
        Time::from_micros(0),
        Time::from_micros(253_402_300_799_999_999),
        Time::from_micros(i64::MAX),
    ];
    for now in times {
        for skew in [i64::MIN, 0, i64::MAX] {
            let mut settings = Settings::default();
            settings.access_lifetime = Duration::MAX;
            settings.refresh_lifetime = Duration::MAX;
            settings.rotation = Rotation::GraceSeconds(u32::MAX);
            settings.skew_micros = skew;
            settings.latency = Duration::MAX;
            settings.memory_limit = usize::MAX;
            settings.faults = vec![Rule {
                operation: Some(Operation::Refresh),
                when: When::Always,
                fault: Fault::Latency { ms: u64::MAX },
            }];
            let mut agent = Agent { service: Sandbox::new(settings), ..Agent::default() };
            let reply = agent.sign_in(now);
            let date = reply["access_expire_at"].as_str().unwrap();
            assert!(date.len() == 25 && date.ends_with("+00:00"), "{date}");
            for _ in 0..2 {
                agent.refresh(now, &reply["refresh_token"]);
            }
            agent.echo(now, &reply["access_token"]);
        }
    }
    let mut none = Settings::default();
    none.memory_limit = 0;
    let mut agent = Agent { service: Sandbox::new(none), ..Agent::default() };
    let reply = agent.sign_in(NOON);
    agent.refresh(NOON, &reply["refresh_token"]);
    assert_eq!(agent.service.log().len(), 1);
}

#[test]
fn a_status_that_is_none_is_never_a_success() {
    for status in [0, 99, 1_000, u16::MAX] {
        let mut service = Sandbox::default();
        let out = Fault::Status { status, retry_after_s: None };
        service.settings_mut().faults = vec![Rule::always(Operation::GetToken, out)];
        let response = service.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
        assert_eq!(response.status(), 500, "{status}");
        let mut agent = crate::with_transfers();
        let served = agent.service.settings_mut().operations.get_mut(&Operation::CreateTransfer);
        served.unwrap().replies = [Scripted::status(status)].into();
        let response = agent.call(NOON, crate::CREATE_PATH, &json!({ "client_uuid": "a" }));
        assert_eq!(response.status(), 500, "{status}");
        assert_eq!(agent.service.ledger().intents().count(), 0);
    }
}

#[test]
fn new_rules_count_from_one() {
    let second = |status| Rule {
        operation: Some(Operation::GetToken),
        when: When::Nth(2),
        fault: Fault::Status { status, retry_after_s: None },
    };
    let mut service = Sandbox::default();
    let statuses = |service: &mut Sandbox| {
        let request = post(GET_TOKEN_PATH, &credentials());
        [0; 3].map(|_| service.handle(NOON, &request).status().as_u16())
    };
    service.settings_mut().faults = vec![second(500)];
    assert_eq!(statuses(&mut service), [200, 500, 200]);
    service.settings_mut().faults = vec![second(502)];
    assert_eq!(statuses(&mut service), [200, 502, 200]);
    service.set_faults(vec![second(502)]);
    assert_eq!(statuses(&mut service), [200, 502, 200]);
    let change = json!({ "faults": [
        { "operation": "get_token", "when": { "nth": 2 }, "fault": { "status": { "status": 502 } } },
    ] });
    assert_eq!(service.handle(NOON, &post("/_sandbox/settings", &change)).status(), 200);
    assert_eq!(statuses(&mut service), [200, 502, 200]);
}

#[test]
fn latencies_add_up() {
    let mut service = Sandbox::default();
    service.settings_mut().latency = Duration::from_millis(5);
    let late = Fault::Latency { ms: 50 };
    service.settings_mut().faults = vec![Rule::always(Operation::GetToken, late)];
    let response = service.handle(NOON, &post(GET_TOKEN_PATH, &credentials()));
    let delay = response.extensions().get::<imts_sandbox::Delay>().unwrap();
    assert_eq!(delay.0.as_millis(), 55);
}

#[test]
fn a_web_page_cannot_come_through_the_control_door() {
    let mut service = Sandbox::default();
    let mut request = post("/_sandbox/settings", &json!({ "reject_access": true }));
    request.headers_mut().insert("origin", "https://elsewhere.example".parse().unwrap());
    assert_eq!(service.handle(NOON, &request).status(), 403);
    assert!(!service.settings().reject_access);
}

#[test]
fn no_request_hides_in_another() {
    let front = Front::start(Sandbox::default()).unwrap();
    let hidden = format!("POST {REFRESH_PATH} HTTP/1.1\r\nhost: x\r\n\r\n");
    for head in [
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding: identity, chunked\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding : chunked\r\n",
        "transfer-encoding:\r\n chunked\r\n",
        "content-length: 0\r\ncontent-length: 0\r\n",
        "content-length: 0x1\r\n",
        "content-length: 1e1\r\n",
        "content-length: \r\n",
        "host: y\r\n",
        "x: y\n",
        "x: y\rz: w\r\n",
        "x: \0\r\n",
    ] {
        let request =
            format!("POST {GET_TOKEN_PATH} HTTP/1.1\r\nhost: x\r\n{head}\r\n0\r\n\r\n{hidden}");
        let answer = exchange(&front, request.as_bytes()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{head}: {answer}");
    }
    for request in [
        "POST / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\nhost: x\n\n",
        "POST  / HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let answer = exchange(&front, request.as_bytes()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request}: {answer}");
    }
    assert!(front.log().is_empty());
}

#[test]
fn no_reply_hides_in_another() {
    for status in [204, 304] {
        let mut service = Sandbox::default();
        let rule = Fault::Status { status, retry_after_s: None };
        service.settings_mut().faults =
            vec![Rule { operation: None, when: When::Nth(1), fault: rule }];
        let front = Front::start(service).unwrap();
        let two = sign_in("") + &sign_in("connection: close\r\n");
        let answer = exchange(&front, two.as_bytes()).unwrap();
        let (first, second) = answer.split_once("\r\n\r\n").unwrap();
        assert!(first.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(second.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[test]
fn a_request_that_comes_too_slowly_is_answered_with_408_and_an_idle_connection_waits() {
    let front = Front::builder(Sandbox::default());
    let front = front.request_within(Duration::from_millis(100)).start().unwrap();
    for so_far in [&b"P"[..], b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc"] {
        let answer = exchange(&front, so_far).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    // Each byte in time does not make the whole in time.
    let (mut slow, began) = (connect(&front), Instant::now());
    slow.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let answered = loop {
        let written = slow.write(b"a").is_ok();
        match slow.read(&mut [0; 12]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && written => {}
            outcome => break outcome.is_ok(),
        }
        assert!(began.elapsed() < Duration::from_secs(20), "never ended");
    };
    assert!(answered);
    let mut idle = connect(&front);
    thread::sleep(Duration::from_millis(300));
    idle.write_all(sign_in("connection: close\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    idle.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn one_connection_too_many_is_closed_and_the_next_is_served_when_one_has_ended() {
    let front = Front::builder(Sandbox::default()).connections(2).start().unwrap();
    let mut held: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = connect(&front);
            stream.write_all(sign_in("").as_bytes()).unwrap();
            stream.read_exact(&mut [0; 12]).unwrap();
            stream
        })
        .collect();
    let refused = exchange(&front, b"");
    assert!(matches!(refused.as_deref(), Ok("") | Err(ErrorKind::ConnectionReset)), "{refused:?}");
    held.pop();
    let began = Instant::now();
    let served = || exchange(&front, sign_in("connection: close\r\n").as_bytes());
    while !served().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ")) {
        assert!(began.elapsed() < Duration::from_secs(20), "never served");
    }
}

#[test]
fn a_refusal_is_read_even_by_a_peer_that_is_still_sending() {
    let front = Front::start(Sandbox::default()).unwrap();
    let mut request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n".to_vec();
    request.resize(2_000_000, b'x');
    let answer = exchange(&front, &request).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[test]
fn a_front_that_is_dropped_in_any_fault_ends_promptly_and_leaves_no_thread() {
    use Delivery as D;
    let every = [Break::Close, Break::Reset, Break::Stall, Break::HalfClose];
    let broken = every.map(|by| D::Broken { at: Position::MidBody, by });
    let next = every.map(|by| D::NextBroken { at: Position::BeforeRead, by });
    let others = [
        D::Stalled,
        D::HalfClosed,
        D::StalledAfter(9),
        D::Drip(u64::MAX),
        D::Drip(1),
        D::EndlessWithLength,
        D::EndlessUntilClose,
        D::EndlessChunked,
        D::GzipBomb,
        D::HeaderFlood,
        D::Interim(u32::MAX),
        D::InterimFlood,
    ];
    for delivery in broken.into_iter().chain(next).chain(others) {
        dropped_in(&format!("{delivery:?}"), |service| {
            let fault = Fault::Delivery(delivery);
            service.settings_mut().faults = vec![Rule::always(Operation::GetToken, fault)];
        });
    }
    dropped_in("latency", |service| service.settings_mut().latency = Duration::MAX);
    dropped_in("nothing", |_| {});
}

/// Drops a front while one request is under way, one connection idle, and one in mid-request.
fn dropped_in(what: &str, change: impl FnOnce(&mut Sandbox)) {
    let mut service = Sandbox::default();
    change(&mut service);
    // Every thread of the front holds the clock.
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let clock = move || {
        let _held = &held;
        NOON
    };
    let front = Front::builder(service).clock(clock).start().unwrap();
    let (mut busy, idle, mut half) = (connect(&front), connect(&front), connect(&front));
    busy.write_all(sign_in("").as_bytes()).unwrap();
    half.write_all(b"POST /").unwrap();
    while front.log().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    assert!(ends(front), "{what}: it lingers");
    assert_eq!(Arc::strong_count(&alive), 1, "{what}: a thread is left");
    drop(idle);
}

#[test]
fn a_request_with_an_absurd_uri_is_no_operation() {
    let mut service = Sandbox::default();
    for uri in
        ["*", "http://x/v5/partner/transfer/fees/", "/_sandboxes", "//_sandbox", "/%5fsandbox"]
    {
        let request = Request::post(uri).body(Vec::new()).unwrap();
        assert_eq!(service.handle(NOON, &request).status(), 404, "{uri}");
        assert_eq!(service.log().last().unwrap().operation, Operation::Other);
    }
    let deep = post(GET_TOKEN_PATH, &json!({}));
    let deep = deep.map(|_| [b"[".repeat(100_000), b"]".repeat(100_000)].concat());
    assert_eq!(service.handle(NOON, &deep).status(), 400);
    let reply = service.handle(NOON, &post(GET_TOKEN_PATH, &json!({ "x".repeat(100_000): 1 })));
    assert!(json_of(&reply).to_string().len() < 1_000);
}
