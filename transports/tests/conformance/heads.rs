//! Odd heads and framings, byte for byte over both transports: each row reads the same in both.

use imts::TransportError;

use crate::raw::Raw;
use crate::{BOUNDS, Carrier};

const READ: Option<(u16, &str)> = Some((200, "{}"));
const LOST: Option<(u16, &str)> = None;

/// What both make of these bytes.
#[track_caller]
fn is_read_as(answer: &str, expected: Option<(u16, &str)>) {
    let bytes: Vec<u8> = answer.chars().map(|it| u8::try_from(u32::from(it)).unwrap()).collect();
    let service = Raw::saying(bytes);
    for carrier in Carrier::untrusting() {
        let outcome = carrier.send(&service.url(), BOUNDS);
        let read = outcome.as_ref().map(|it| (it.status().as_u16(), it.body().as_slice()));
        let shown = answer.get(..answer.len().min(200)).unwrap_or(answer);
        match (read, expected) {
            (Ok(read), Some((status, body))) => {
                assert_eq!(read, (status, body.as_bytes()), "{carrier:?}: {shown:?}");
            }
            (Err(failure), None) => {
                let failure: &TransportError = failure;
                let is_lost = !failure.is_not_sent() && !failure.is_timed_out();
                assert!(is_lost, "{carrier:?}: {shown:?}: {failure}");
            }
            (read, _) => panic!("{carrier:?}: {shown:?}: {read:?}, not {expected:?}"),
        }
    }
}

/// A good reply with these bytes among its header lines.
fn among(lines: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nDate: x\r\n{lines}Content-Length: 2\r\nX-Last: y\r\n\r\n{{}}")
}

#[test]
fn an_odd_line_that_frames_nothing_costs_nothing() {
    let long = format!("X-Long: {}\r\n", "y".repeat(20_000));
    let name = format!("{}: y\r\n", "X".repeat(20_000));
    for lines in [
        "X-Broken : a\r\n",
        "X-Broken\t: a\r\n",
        "X Broken: a\r\n",
        ": no name\r\n",
        "no colon\r\n",
        "X-Empty:\r\n",
        "X-Folded: a\r\n b\r\n\tc\r\n",
        "X-Folded:\r\n \r\n",
        "X-Folded: a\r\n Content-Length\r\n",
        "X-Nul: a\0b\r\n",
        "X-Control: a\u{1}\u{7f}b\r\n",
        "X-Text: \u{e9}\u{ff}\r\n",
        "X-Return: a\rb\r\n",
        "X(Broken): a\r\n",
        "\u{e9}: a\r\n",
        "{}\r\n",
        "HTTP/1.1 200 OK\r\n",
        "X-Twice: a\r\nX-Twice: a\r\nX-Twice: b\r\n",
        "X-Bare: a\nX-Bare: b\n",
        "Content-Type: a\r\nContent-Type: b\r\n",
        "Connection: keep-alive\r\nConnection: close\r\n",
        "Upgrade: h2c\r\n",
        "Trailer: x\r\n",
        "Content-Length: 2\r\n",
        "content-length:2\r\nCONTENT-LENGTH:\t2 , 2\r\n",
        "Content-Length: 0002\r\n",
        &long,
        &name,
    ] {
        is_read_as(&among(lines), READ);
    }
    is_read_as("HTTP/1.1 200 OK\r\n folded first\r\nContent-Length: 2\r\n\r\n{}", READ);
    is_read_as("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", READ);
    is_read_as("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", READ);
    is_read_as("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", READ);
    is_read_as("HTTP/1.1 200 \u{e9}\r\nContent-Length: 2\r\n\r\n{}", READ);
    is_read_as("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", READ);
    is_read_as("HTTP/1.1 200 OK\r\n\r\n{}", READ);
}

#[test]
fn as_many_headers_as_a_service_may_have_are_read() {
    for count in [99, 100, 101, 127, 128, 129, 400] {
        let lines: String = (0..count).map(|n| format!("X-{n}: y\r\n")).collect();
        is_read_as(&among(&lines), READ);
        let last =
            format!("HTTP/1.1 429 X\r\n{lines}Retry-After: 7\r\nContent-Length: 2\r\n\r\n{{}}");
        let service = Raw::saying(last);
        for carrier in Carrier::untrusting() {
            let reply = carrier.send(&service.url(), BOUNDS).unwrap();
            assert_eq!(reply.headers()["retry-after"], "7", "{carrier:?}, {count}");
        }
    }
    let lines: String = (0..600).map(|n| format!("X-{n}: y\r\n")).collect();
    is_read_as(&among(&lines), LOST);
    is_read_as(&among(&format!("X: {}\r\n", "y".repeat(70_000))), LOST);
}

#[test]
fn a_reply_whose_end_is_not_certain_is_lost() {
    for lines in [
        "Content-Length : 2\r\n",
        "Content-Length\t: 2\r\n",
        "Content-Length 2\r\n",
        "Content-Length: 3\r\n",
        "Content-Length: 2, 3\r\n",
        "Content-Length: 2,\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: 2.0\r\n",
        "Content-Length: 2 2\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551618\r\n",
        "Content-Length: 2\0\r\n",
        "Content-Length:\r\n 2\r\n",
        "Content-Length: 2\r\n ,3\r\n",
        "X: a\r\n Content-Length: 3\r\n",
        "X: a\r\n Transfer-Encoding : chunked\r\n",
        " Content-Length: 3\r\n",
        "X: a\rContent-Length: 3\r\n",
        "X\0Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "\u{1}Transfer-Encoding: chunked\r\n",
        "X\0Broken: a\r\n",
        "X\rBroken: a\r\n",
    ] {
        is_read_as(&among(lines), LOST);
    }
    for status in
        ["HTTP/1.1 99 X", "HTTP/1.1 2000 OK", "HTTP/1.1 200OK", "HTTP/2 200 OK", "HTTP/1.2 200 OK"]
    {
        is_read_as(&format!("{status}\r\nContent-Length: 2\r\n\r\n{{}}"), LOST);
    }
}

/// A reply in chunks, with this in place of the coding and of the chunks.
fn chunked(coding: &str, chunks: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{coding}\r\n\r\n{chunks}")
}

#[test]
fn chunks_are_read_the_same_or_not_at_all() {
    let coding = "Transfer-Encoding: Chunked";
    for chunks in [
        "2\r\n{}\r\n0\r\n\r\n",
        "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        "0002;a=b\r\n{}\r\n000;c\r\n\r\n",
        "2 \t\r\n{}\r\n0\r\nX-Trailer: y\r\nodd line\r\n\r\n",
        "2\n{}\n0\n\n",
    ] {
        is_read_as(&chunked(coding, chunks), READ);
    }
    for chunks in [
        "",
        "2\r\n{}\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}x\r\n0\r\n\r\n",
        "2\r\n{}\r\n0\r\n",
        "2\r\n{}\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        " 2\r\n{}\r\n0\r\n\r\n",
        "g\r\n{}\r\n0\r\n\r\n",
        "2\r{}\r\n0\r\n\r\n",
        "10000000000000002\r\n{}\r\n0\r\n\r\n",
    ] {
        is_read_as(&chunked(coding, chunks), LOST);
    }
    for coding in [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked;a=b",
    ] {
        is_read_as(&chunked(coding, "2\r\n{}\r\n0\r\n\r\n"), LOST);
    }
    is_read_as(&chunked(coding, "2\r\n{}\r\n0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0"), LOST);
}

#[test]
fn interim_replies_are_skipped_whatever_their_headers_and_a_switch_is_no_reply() {
    let good = among("");
    for interim in [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nX-Any: y\r\nServer: z\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.0 100 Continue\r\nX-Broken : y\r\n\r\n",
        "HTTP/1.1 100\nX-Bare: y\n\n",
        "HTTP/1.1 102 Processing\r\nX: y\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=x\r\nLink: </b>\r\n\r\n",
        "HTTP/1.1 199 Any\r\n\r\n",
    ] {
        for times in [1, 2, 5] {
            is_read_as(&format!("{}{good}", interim.repeat(times)), READ);
        }
    }
    let each: String =
        [100, 102, 103, 110].map(|it| format!("HTTP/1.1 {it} X\r\na: b\r\n\r\n")).concat();
    is_read_as(&format!("{each}{good}"), READ);
    is_read_as(&each, LOST);
    is_read_as(&format!("{}{good}", "HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000)), LOST);
    for headers in ["", "Upgrade: h2c\r\nConnection: Upgrade\r\n", "Content-Length: 2\r\n"] {
        is_read_as(&format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n{{}}"), LOST);
        is_read_as(&format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n{good}"), LOST);
    }
}

#[test]
fn a_connection_is_used_again_after_an_odd_reply() {
    let odd = among("X-Broken : a\r\nX-Folded: a\r\n b\r\n");
    let answer = format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{odd}");
    for nth in [0, 1] {
        let answer = answer.clone();
        let service = Raw::start(move |line| {
            for _ in 0..100 {
                line.request();
                line.say(answer.as_bytes());
            }
            line.listen();
        });
        let carrier = &Carrier::untrusting()[nth];
        // A connection may come back a moment after its reply: one of the next ones uses it.
        let is_used_again = (1..=50).any(|sent| {
            assert_eq!(carrier.send(&service.url(), BOUNDS).unwrap().body(), b"{}", "{carrier:?}");
            service.connections() < sent
        });
        assert!(is_used_again, "{carrier:?}");
    }
}

#[test]
fn a_reply_that_has_no_body_ends_with_its_head() {
    for status in [204, 304] {
        is_read_as(
            &format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n"),
            Some((status, "")),
        );
        is_read_as(&format!("HTTP/1.1 {status} X\r\n\r\n"), Some((status, "")));
    }
}
