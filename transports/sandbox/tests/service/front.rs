//! The service on a socket.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use imts_sandbox::{Delivery, Fault, Front, GET_TOKEN_PATH, Operation, Rule, Sandbox};

use crate::credentials;

pub(crate) fn connect(front: &Front) -> TcpStream {
    let stream = TcpStream::connect(front.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

pub(crate) fn sign_in(extra: &str) -> String {
    let body = credentials().to_string();
    format!(
        "POST {GET_TOKEN_PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         {extra}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends bytes and reads until the service closes.
pub(crate) fn exchange(front: &Front, bytes: &[u8]) -> Result<String, ErrorKind> {
    let mut stream = connect(front);
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => Ok(String::from_utf8(answer).unwrap()),
        Err(error) => Err(error.kind()),
    }
}

/// Drops a front; false where it lingers.
pub(crate) fn ends(front: Front) -> bool {
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        drop(front);
        ended.send(())
    });
    end.recv_timeout(Duration::from_secs(60)).is_ok()
}

fn with(delivery: Delivery) -> Front {
    let mut service = Sandbox::default();
    service.settings_mut().faults =
        vec![Rule::always(Operation::GetToken, Fault::Delivery(delivery))];
    Front::start(service).unwrap()
}

#[test]
fn one_connection_serves_many_requests() {
    let front = Front::start(Sandbox::default()).unwrap();
    let two = sign_in("") + &sign_in("connection: close\r\n");
    let answer = exchange(&front, two.as_bytes()).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200 OK\r\n").count(), 2, "{answer}");
    assert_eq!(front.log().len(), 2);
}

#[test]
fn a_chunked_body_is_read_and_100_continue_is_answered() {
    let front = Front::start(Sandbox::default()).unwrap();
    let body = credentials().to_string();
    let (one, two) = body.split_at(10);
    let request = format!(
        "POST {GET_TOKEN_PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         expect: 100-continue\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let answer = exchange(&front, request.as_bytes()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn what_is_not_http_is_answered_and_the_connection_closed() {
    let front = Front::start(Sandbox::default()).unwrap();
    let length =
        |value: &str| format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {value}\r\n\r\n");
    let coding =
        |rest: &str| format!("POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n{rest}");
    let cases = [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), "505"),
        (length("-1"), "400"),
        (length("+1"), "400"),
        (length("1, 1"), "400"),
        (length("9999999999"), "413"),
        (length("99999999999999999999999999"), "400"),
        (coding("\r\nzz\r\n"), "400"),
        (coding(&format!("\r\n1;{}", "x".repeat(4_096))), "400"),
        (coding("\r\nfffffffffffffff\r\n"), "413"),
        (coding("\r\n1\r\nabc"), "400"),
        (coding("\r\n0\r\nx: y\r\n\r\n"), "400"),
    ];
    for (bytes, status) in cases {
        let answer = exchange(&front, bytes.as_bytes()).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes}: {answer}");
    }
    let flood =
        [b"GET / HTTP/1.1\r\n".to_vec(), b"x: y\r\n".repeat(200), b"\r\n".to_vec()].concat();
    assert!(exchange(&front, &flood).unwrap().starts_with("HTTP/1.1 431 "));
    assert!(front.log().is_empty());
}

#[test]
fn faults_of_delivery_are_acted_out() {
    let request = sign_in("connection: close\r\n");
    assert_eq!(exchange(&with(Delivery::Closed), request.as_bytes()).unwrap(), "");
    let reset = exchange(&with(Delivery::Reset), request.as_bytes());
    assert_eq!(reset.unwrap_err(), ErrorKind::ConnectionReset);
    let cut = exchange(&with(Delivery::CutAfter(20)), request.as_bytes()).unwrap();
    assert!(cut.starts_with("HTTP/1.1 200 OK\r\n") && cut.len() == 20, "{cut}");
    let dripped = exchange(&with(Delivery::Drip(0)), request.as_bytes()).unwrap();
    assert!(dripped.starts_with("HTTP/1.1 200 OK\r\n") && dripped.ends_with("}}"), "{dripped}");
}

#[test]
fn an_endless_body_goes_on_until_the_peer_has_had_enough() {
    for delivery in [
        Delivery::EndlessWithLength,
        Delivery::EndlessUntilClose,
        Delivery::EndlessChunked,
        Delivery::HeaderFlood,
    ] {
        let front = with(delivery);
        let mut stream = connect(&front);
        stream.write_all(sign_in("").as_bytes()).unwrap();
        let mut read = vec![0; 1_000_000];
        stream.read_exact(&mut read).unwrap();
        assert!(read.starts_with(b"HTTP/1.1 200 OK\r\n"), "{delivery:?}");
    }
}

#[test]
fn a_front_that_is_dropped_leaves_no_connection_and_does_not_linger() {
    let front = with(Delivery::Stalled);
    let mut stream = connect(&front);
    stream.write_all(sign_in("").as_bytes()).unwrap();
    let mut idle = connect(&front);
    while front.log().is_empty() {
        thread::sleep(Duration::from_millis(2));
    }
    let address = front.address();
    assert!(ends(front));
    assert_eq!(idle.read(&mut [0]).unwrap_or(0), 0);
    assert!(TcpStream::connect(address).is_err());
}

/// Whether a front answers at this address of the machine.
fn answers_at(front: &Front, host: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect((host, front.address().port())) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(sign_in("connection: close\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 200")
}

#[test]
#[cfg(target_os = "linux")] // where all of 127.0.0.0/8 is this machine
fn a_front_listens_on_one_address_unless_another_is_given() {
    let front = Front::start(Sandbox::default()).unwrap();
    assert!(answers_at(&front, "127.0.0.1") && !answers_at(&front, "127.0.0.2"));
    let host = "127.0.0.2".parse().unwrap();
    let front = Front::builder(Sandbox::default()).host(host).start().unwrap();
    assert!(front.url().starts_with("http://127.0.0.2:"), "{}", front.url());
    assert!(answers_at(&front, "127.0.0.2") && !answers_at(&front, "127.0.0.1"));
    assert!(ends(front));
}

#[test]
#[cfg(target_os = "linux")]
fn a_front_on_all_addresses_has_a_url_for_this_machine_and_ends() {
    for (host, local) in [("0.0.0.0", "http://127.0.0.1:"), ("::", "http://[::1]:")] {
        let host = host.parse().unwrap();
        let front = Front::builder(Sandbox::default()).host(host).start().unwrap();
        assert!(front.url().starts_with(local), "{}", front.url());
        assert!(answers_at(&front, "127.0.0.1") && answers_at(&front, "127.0.0.2"));
        assert!(ends(front));
    }
}
