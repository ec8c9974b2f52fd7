//! What goes over the wire, and what is kept of it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use imts::{Transport, UreqTransport};
use imts_sandbox::DEFAULT_SECRET;

use crate::{BOUNDS, builder, post, ureq};

/// What goes over the wire when somebody asks, up to the last of it.
fn heard(ask: impl FnOnce(String) + Send + 'static, last: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || ask(url));
    let (mut stream, _) = listener.accept().unwrap();
    let (mut heard, mut buffer) = (String::new(), [0; 4_096]);
    while !heard.contains(last) {
        let read = stream.read(&mut buffer).unwrap();
        heard.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n").unwrap();
    asked.join().unwrap();
    heard
}

/// The names of a request's headers, in order.
fn names(head: &str) -> Vec<String> {
    let lines = head.lines().skip(1);
    let mut names: Vec<_> =
        lines.map(|line| line.split(':').next().unwrap().to_lowercase()).collect();
    names.sort_unstable();
    names
}

#[test]
fn nothing_is_added_to_a_request_but_its_host_and_its_length() {
    let heard = heard(|url| drop(ureq().send(post(&url), BOUNDS)), "{}");
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert_eq!((names(head).join(" ").as_str(), body), ("content-length host", "{}"), "{head}");
}

#[test]
fn a_clients_request_says_who_asks_and_nothing_of_ureq() {
    let ask = |url: String| drop(builder(&url).blocking(ureq()).unwrap().token());
    let heard = heard(ask, DEFAULT_SECRET);
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert_eq!(names(head), ["accept", "content-length", "content-type", "host", "user-agent"]);
    let agent = concat!("user-agent: imts/", env!("CARGO_PKG_VERSION"));
    let length = format!("content-length: {}", body.len());
    for expected in [agent, &length] {
        assert!(head.lines().any(|line| line.eq_ignore_ascii_case(expected)), "{head}");
    }
}

#[test]
fn a_transport_is_printed_without_what_it_is_made_of() {
    let printed = format!("{:?}", ureq());
    assert_eq!(printed, "UreqTransport { .. }");
    let builder = format!("{:?}", UreqTransport::builder(imts::tls::Tls::platform().unwrap()));
    assert!(builder.contains("Tls(..)") && builder.contains("10s"), "{builder}");
}

#[test]
fn a_url_that_is_no_place_is_not_sent() {
    for url in ["/path", "ftp://127.0.0.1/", "http://192.0.2.1/"] {
        let failure = ureq().send(post(url), BOUNDS).unwrap_err();
        assert!(failure.is_not_sent(), "{url}: {failure}");
    }
}

#[test]
fn clones_share_their_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // A client that opens a second connection waits for an answer in vain.
    let service = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4_096];
        let mut served = 0;
        while let Ok(1..) = stream.read(&mut buffer) {
            if buffer.windows(2).any(|two| two == b"{}") {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                (buffer, served) = ([0; 4_096], served + 1);
            }
        }
        served
    });
    let transport = ureq();
    let clone = transport.clone();
    for transport in [&transport, &clone, &transport] {
        transport.send(post(&url), BOUNDS).unwrap();
    }
    drop((transport, clone));
    assert_eq!(service.join().unwrap(), 3);
}
