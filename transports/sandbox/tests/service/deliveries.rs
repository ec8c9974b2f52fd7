//! What the front does to a connection, below HTTP, as the peer sees it.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use imts_sandbox::{
    Break, Delivery, Fault, Front, GET_TOKEN_PATH, Operation, Position, Rule, Sandbox, Verdict,
    When,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::front::{connect, exchange, sign_in};

/// The first sign-in meets this delivery.
fn first(delivery: Delivery) -> Front {
    let mut service = Sandbox::default();
    service.settings_mut().faults = vec![Rule {
        operation: Some(Operation::GetToken),
        when: When::Nth(1),
        fault: Fault::Delivery(delivery),
    }];
    Front::start(service).unwrap()
}

/// What the peer of a delivery reads, to the end.
fn read(delivery: Delivery) -> Result<String, ErrorKind> {
    exchange(&first(delivery), sign_in("").as_bytes())
}

/// The names of an enum's variants, as its reader lists them when it gets another name.
fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>("\"?\"") else { panic!("a variant named ?") };
    let error = error.to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// The name of a value's variant.
fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value).unwrap() {
        Value::String(name) => name,
        Value::Object(fields) => fields.into_iter().next().unwrap().0,
        other => panic!("{other}"),
    }
}

#[test]
fn the_list_of_all_deliveries_has_each_there_is() {
    let deliveries: Vec<_> = Delivery::each().collect();
    assert_eq!(deliveries.iter().map(name).collect::<BTreeSet<_>>(), variants::<Delivery>());
    assert_eq!(Position::EACH.iter().map(name).collect::<BTreeSet<_>>(), variants::<Position>());
    assert_eq!(Break::EACH.iter().map(name).collect::<BTreeSet<_>>(), variants::<Break>());
    for at in Position::EACH {
        for by in Break::EACH {
            assert!(deliveries.contains(&Delivery::Broken { at, by }), "{at:?} {by:?}");
            assert!(deliveries.contains(&Delivery::NextBroken { at, by }), "{at:?} {by:?}");
        }
    }
    assert_eq!(variants::<Break>().len(), 4, "the reader tells all it knows");
}

/// Waits for the front to have logged so many requests.
fn logged(front: &Front, count: usize) {
    while front.log().len() < count {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_exchange_breaks_where_its_position_says() {
    let whole = exchange(
        &Front::start(Sandbox::default()).unwrap(),
        sign_in("connection: close\r\n").as_bytes(),
    )
    .unwrap();
    let head = whole.find("\r\n\r\n").unwrap() + 4;
    for (at, applied, length) in [
        (Position::BeforeRead, 0, 0..1),
        (Position::BeforeApply, 0, 0..1),
        (Position::AfterApply, 1, 0..1),
        (Position::MidHeaders, 1, 20..head - 4),
        (Position::MidBody, 1, head + 1..whole.len() - 1),
    ] {
        for by in [Break::Close, Break::HalfClose] {
            let front = first(Delivery::Broken { at, by });
            let answer = exchange(&front, sign_in("").as_bytes()).unwrap();
            assert!(length.contains(&answer.len()), "{at:?} {by:?}: {answer}");
            assert!(whole.starts_with(answer.get(..20.min(answer.len())).unwrap()));
            assert_eq!(front.sandbox().counters().grants, applied, "{at:?}");
        }
        let front = first(Delivery::Broken { at, by: Break::Reset });
        let error = exchange(&front, sign_in("").as_bytes()).unwrap_err();
        assert_eq!(error, ErrorKind::ConnectionReset, "{at:?}");
        assert_eq!(front.sandbox().counters().grants, applied, "{at:?}");
        let front = first(Delivery::Broken { at, by: Break::Stall });
        let mut stream = connect(&front);
        stream.write_all(sign_in("").as_bytes()).unwrap();
        logged(&front, 1);
        let mut read = vec![0; length.start];
        stream.read_exact(&mut read).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        // Silence comes after what was sent; a socket that were closed would say so.
        let silent = loop {
            match stream.read(&mut [0; 1_024]) {
                Ok(0) => break false,
                Ok(_) => {}
                Err(error) => break error.kind() == ErrorKind::WouldBlock,
            }
        };
        assert!(silent, "{at:?}");
        assert_eq!(front.sandbox().counters().grants, applied, "{at:?}");
    }
}

#[test]
fn before_read_the_head_is_enough_and_the_body_is_not_asked_for() {
    let front = first(Delivery::Broken { at: Position::BeforeRead, by: Break::Close });
    let head = format!(
        "POST {GET_TOKEN_PATH} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
         content-length: 1000\r\n\r\n"
    );
    assert_eq!(exchange(&front, head.as_bytes()).unwrap(), "");
    let entry = &front.log()[0];
    assert_eq!((entry.operation, entry.verdict), (Operation::GetToken, Verdict::Faulted));
    assert_eq!(front.log().len(), 1);
    let next = exchange(&front, sign_in("connection: close\r\n").as_bytes()).unwrap();
    assert!(next.starts_with("HTTP/1.1 200 OK\r\n"), "{next}");
}

#[test]
fn a_rule_counts_a_request_once_though_its_head_is_looked_at_first() {
    let mut service = Sandbox::default();
    let broken = Delivery::Broken { at: Position::BeforeRead, by: Break::Close };
    service.settings_mut().faults = vec![Rule {
        operation: Some(Operation::GetToken),
        when: When::Nth(3),
        fault: Fault::Delivery(broken),
    }];
    let front = Front::start(service).unwrap();
    let answers: Vec<_> = (0..4)
        .map(|_| exchange(&front, sign_in("connection: close\r\n").as_bytes()).unwrap())
        .collect();
    let whole: Vec<_> = answers.iter().map(|answer| !answer.is_empty()).collect();
    assert_eq!(whole, [true, true, false, true]);
}

#[test]
fn a_kept_connection_breaks_as_it_is_used_again() {
    for at in [Position::BeforeRead, Position::BeforeApply, Position::AfterApply, Position::MidBody]
    {
        for by in [Break::Close, Break::Reset] {
            let front = first(Delivery::NextBroken { at, by });
            let mut stream = connect(&front);
            stream.write_all(sign_in("").as_bytes()).unwrap();
            let first = read_reply(&mut stream);
            assert!(first.starts_with("HTTP/1.1 200 OK\r\n") && first.ends_with("}}"), "{first}");
            // It is idle, and open.
            stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(sign_in("").as_bytes()).unwrap();
            let mut rest = Vec::new();
            let outcome = stream.read_to_end(&mut rest);
            match by {
                Break::Reset => {
                    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ConnectionReset, "{at:?}");
                }
                _ => assert_eq!(outcome.unwrap() > 0, at == Position::MidBody, "{at:?}"),
            }
            let seen = 1 + usize::from(at.applies());
            assert_eq!(front.log().len(), seen, "{at:?} {by:?}");
            assert_eq!(front.sandbox().counters().grants, seen as u64);
        }
    }
}

#[test]
fn a_kept_connection_that_is_not_used_again_ends_as_any_other() {
    let front = first(Delivery::NextBroken { at: Position::BeforeRead, by: Break::Reset });
    let answer = exchange(&front, sign_in("connection: close\r\n").as_bytes()).unwrap();
    assert!(answer.ends_with("}}"), "{answer}");
    let front = first(Delivery::NextBroken { at: Position::BeforeRead, by: Break::Reset });
    let mut stream = connect(&front);
    stream.write_all(sign_in("").as_bytes()).unwrap();
    read_reply(&mut stream);
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_reply_stops_after_so_many_bytes() {
    let front = first(Delivery::StalledAfter(20));
    let mut stream = connect(&front);
    stream.write_all(sign_in("").as_bytes()).unwrap();
    stream.read_exact(&mut [0; 20]).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_half_closed_connection_takes_what_is_still_sent() {
    let front = first(Delivery::HalfClosed);
    let mut stream = connect(&front);
    stream.write_all(sign_in("").as_bytes()).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    for _ in 0..100 {
        stream.write_all(&[b'x'; 10_000]).unwrap();
    }
}

#[test]
fn interim_replies_come_before_the_reply_or_without_end() {
    let answer = read(Delivery::Interim(3)).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 103 Early Hints\r\n").count(), 3);
    assert!(answer.contains("\r\n\r\nHTTP/1.1 200 OK\r\n") && answer.ends_with("}}"), "{answer}");
    let flood = begins(Delivery::InterimFlood);
    assert!(flood.matches("HTTP/1.1 103 Early Hints\r\n").count() > 1_000);
    assert!(!flood.contains("HTTP/1.1 200"));
}

#[test]
fn a_header_flood_never_comes_to_the_end_of_the_head() {
    assert!(!begins(Delivery::HeaderFlood).contains("\r\n\r\n"));
}

#[test]
fn a_bad_chunk_comes_after_a_good_one() {
    let answer = read(Delivery::BadChunk).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("transfer-encoding: chunked") && body.starts_with("1\r\n{\r\nzz\r\n"));
}

#[test]
fn a_redirect_leads_to_the_same_path_on_the_other_port() {
    let answer = read(Delivery::RedirectTo(4_321)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 307 "), "{answer}");
    let location = format!("location: http://127.0.0.1:4321{GET_TOKEN_PATH}\r\n");
    assert!(answer.contains(&location), "{answer}");
}

#[test]
fn a_gzip_bomb_is_small_on_the_wire_and_large_when_unpacked() {
    let front = first(Delivery::GzipBomb);
    let mut stream = connect(&front);
    stream.write_all(sign_in("").as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (head, body) = answer.split_at(head);
    assert!(std::str::from_utf8(head).unwrap().contains("content-encoding: gzip\r\n"));
    assert!(body.len() < 65_536, "{}", body.len());
    let mut unpacked = Vec::new();
    // The decoder holds the stream to its length and check value.
    flate2::read::GzDecoder::new(body).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked.len(), 10_320_001);
    assert!(unpacked.iter().all(|byte| *byte == b' '));
}

/// The first part of a reply without end.
fn begins(delivery: Delivery) -> String {
    let front = first(delivery);
    let mut stream = connect(&front);
    stream.write_all(sign_in("").as_bytes()).unwrap();
    let mut read = vec![0; 1_000_000];
    stream.read_exact(&mut read).unwrap();
    String::from_utf8(read).unwrap()
}

/// One whole reply of a known length.
fn read_reply(stream: &mut TcpStream) -> String {
    let mut reply = String::new();
    loop {
        if let Some((head, body)) = reply.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() == length {
                return reply;
            }
        }
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        reply.push(char::from(byte[0]));
    }
}
