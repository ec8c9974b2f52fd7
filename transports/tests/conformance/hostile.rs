//! Answers that mean harm: each to a typed error, the same over both transports.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use imts::error::ReplyError;
use imts::session::RenewalCause;
use imts::{Builder, Policy, TokenError, TransportError};

use crate::raw::{Raw, eventually, heard_within};
use crate::{Carrier, GRANT, ok, plain};

/// What a client makes of a service, as far as it must not depend on the transport.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Token(String),
    /// Whole replies that are no grants, in words.
    Reply(String),
    /// No whole reply.
    Lost,
    /// No whole reply in time.
    Late,
    NotSent,
}

impl Outcome {
    pub(crate) fn of(carrier: &Carrier, builder: Builder) -> Self {
        carrier.token(builder).map_or_else(
            |error| Self::from(&error),
            |bearer| Self::Token(bearer.expose_token().to_owned()),
        )
    }

    pub(crate) fn failed(failure: &TransportError) -> Self {
        match failure {
            failure if failure.is_not_sent() => Self::NotSent,
            failure if failure.is_timed_out() => Self::Late,
            _ => Self::Lost,
        }
    }
}

impl From<&TokenError> for Outcome {
    fn from(error: &TokenError) -> Self {
        match error.renewal_error().expect("a renewal failed").why() {
            RenewalCause::Reply(error) => Self::Reply(error.to_string()),
            RenewalCause::Failed(failure) => Self::failed(failure),
            other => panic!("{other:?}"),
        }
    }
}

/// What comes of a sign-in that may take so long.
fn within(carrier: &Carrier, service: &Raw, time_limit: Duration) -> Outcome {
    let mut policy = Policy::default();
    policy.time_limit = time_limit;
    let began = Instant::now();
    let outcome = Outcome::of(carrier, plain(&service.url()).policy(policy));
    assert!(began.elapsed() < time_limit + Duration::from_secs(50), "{carrier:?}: it goes on");
    outcome
}

/// What both make of a service.
fn outcomes(service: &Raw) -> [(Carrier, Outcome); 3] {
    Carrier::each().map(|carrier| {
        let outcome = Outcome::of(&carrier, plain(&service.url()));
        (carrier, outcome)
    })
}

#[test]
fn a_redirect_is_an_error_and_is_not_followed() {
    let elsewhere = Raw::saying(ok(GRANT));
    for status in [300, 301, 302, 303, 304, 305, 307, 308, 399] {
        for to in ["/v5/elsewhere".to_owned(), format!("{}/v5", elsewhere.url())] {
            let service = Raw::saying(format!(
                "HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
            ));
            for (nth, carrier) in Carrier::each().iter().enumerate() {
                let error = carrier.token(plain(&service.url())).unwrap_err();
                let fault = error.renewal_error().unwrap().why();
                let RenewalCause::Reply(ReplyError::Unexpected { status: found, .. }) = fault
                else {
                    panic!("{carrier:?}: {fault:?}")
                };
                assert_eq!(found.as_u16(), status, "{carrier:?}");
                assert_eq!((service.requests(), elsewhere.connections()), (nth + 1, 0));
            }
        }
    }
}

#[test]
fn a_body_without_an_end_is_cut_at_the_limit() {
    let piece = vec![b' '; 65_536];
    let chunk = [b"10000\r\n", &piece[..], b"\r\n"].concat();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    for (head, piece) in [
        (format!("{head}content-length: 67108864\r\n\r\n"), piece.clone()),
        (format!("{head}connection: close\r\n\r\n"), piece),
        (format!("{head}transfer-encoding: chunked\r\n\r\n"), chunk),
    ] {
        let said = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicUsize::new(0));
        let (count, ends) = (Arc::clone(&said), Arc::clone(&over));
        let service = Raw::start(move |line| {
            line.request();
            line.say(head.as_bytes());
            for _ in 0..1_024 {
                if !line.say(&piece) {
                    break;
                }
                count.fetch_add(piece.len(), Ordering::SeqCst);
            }
            ends.fetch_add(1, Ordering::SeqCst);
        });
        for (carrier, outcome) in outcomes(&service) {
            let Outcome::Reply(text) = outcome else { panic!("{carrier:?}: {outcome:?}") };
            assert!(text.contains("longer than 65536 bytes"), "{carrier:?}: {text}");
        }
        eventually("the rest is refused", || over.load(Ordering::SeqCst) == 3);
        let said = said.load(Ordering::SeqCst);
        assert!(said < 48 << 20, "the rest is not read: {said} bytes were");
    }
}

#[test]
fn a_reply_is_whole_however_it_is_cut_into_pieces() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let in_chunks = |size: usize, extension: &str| {
        let chunks = GRANT.as_bytes().chunks(size);
        let chunk =
            |it: &[u8]| format!("{:X}{extension}\r\n{}\r\n", it.len(), String::from_utf8_lossy(it));
        chunks.map(chunk).collect::<String>()
    };
    for answer in [
        ok(GRANT),
        format!("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n{}", ok(GRANT)),
        format!("{head}connection: close\r\n\r\n{GRANT}"),
        format!("{chunked}{}0\r\n\r\n", in_chunks(1, "")),
        format!("{chunked}{}0\r\n\r\n", in_chunks(100, ";a=b")),
        format!("{chunked}{}0\r\nx-trailer: 1\r\n\r\n", in_chunks(1_000, "")),
    ] {
        for piece in [1, 7, 100_000] {
            let said = answer.clone();
            let service = Raw::start(move |line| {
                line.stream.set_nodelay(true).unwrap();
                line.request();
                for piece in said.as_bytes().chunks(piece) {
                    line.say(piece);
                }
            });
            for (carrier, outcome) in outcomes(&service) {
                let expected = Outcome::Token("access-1".to_owned());
                assert_eq!(outcome, expected, "{carrier:?}, pieces of {piece}: {answer}");
            }
        }
    }
}

#[test]
fn a_reply_that_is_cut_off_is_lost() {
    let whole = ok(GRANT);
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                   transfer-encoding: chunked\r\n\r\n20\r\n{\"state\":true";
    for answer in [&whole[..whole.len() - 1], &whole[..20], chunked, "HTTP/1.1 200", ""] {
        for (carrier, outcome) in outcomes(&Raw::saying(answer)) {
            assert_eq!(outcome, Outcome::Lost, "{carrier:?}: {answer:?}");
        }
    }
}

#[test]
fn a_reply_without_a_length_ends_with_the_connection_but_not_with_its_reset() {
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{GRANT}");
    for reset in [false, true] {
        let answer = answer.clone();
        let service = Raw::start(move |line| {
            line.request();
            line.say(answer.as_bytes());
            if reset {
                // Not before the peer has read what was said.
                thread::sleep(Duration::from_millis(200));
                line.reset();
            }
        });
        let expected = if reset { Outcome::Lost } else { Outcome::Token("access-1".to_owned()) };
        for (carrier, outcome) in outcomes(&service) {
            assert_eq!(outcome, expected, "{carrier:?}");
        }
    }
}

#[test]
fn a_reply_that_drips_is_given_up_at_the_time_limit() {
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "x-drip: 0\r\n".repeat(1_000));
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n \r\n1\r\n".to_owned();
    for answer in [ok(GRANT), endless, chunked + &" \r\n1\r\n".repeat(1_000)] {
        let service = Raw::start(move |line| {
            line.request();
            for byte in answer.as_bytes() {
                if !line.say(&[*byte]) {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        for carrier in Carrier::each() {
            let outcome = heard_within(&service, |limit| within(&carrier, &service, limit));
            assert_eq!(outcome, Outcome::Late, "{carrier:?}");
        }
    }
}

#[test]
fn a_head_without_an_end_is_refused() {
    let many: String = (0..1_000).map(|n| format!("x-{n}: flood\r\n")).collect();
    let long = format!("x-long: {}\r\n", "x".repeat(1 << 20));
    for answer in [
        format!("HTTP/1.1 200 OK\r\n{many}\r\n{GRANT}"),
        format!("HTTP/1.1 200 OK\r\n{long}\r\n{GRANT}"),
        format!("HTTP/1.1 200 OK\r\n{}", long.repeat(64)),
        format!("HTTP/1.1 200 {}", "O".repeat(1 << 20)),
        "x".repeat(1 << 20),
    ] {
        for (carrier, outcome) in outcomes(&Raw::saying(answer)) {
            assert_eq!(outcome, Outcome::Lost, "{carrier:?}");
        }
    }
}

#[test]
fn hints_without_an_end_are_given_up_at_the_time_limit() {
    for hint in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"] {
        let service = Raw::start(move |line| {
            line.request();
            while line.say(hint.repeat(100).as_bytes()) {}
        });
        for carrier in Carrier::untrusting() {
            let outcome = heard_within(&service, |limit| within(&carrier, &service, limit));
            assert!(matches!(outcome, Outcome::Late | Outcome::Lost), "{carrier:?}: {outcome:?}");
        }
    }
}

#[test]
fn what_is_not_http_is_a_lost_reply() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"HTTP/0.9 200\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nx\0y: z\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
    ] {
        for (carrier, outcome) in outcomes(&Raw::saying(answer)) {
            let answer = String::from_utf8_lossy(answer);
            assert_eq!(outcome, Outcome::Lost, "{carrier:?}: {answer}");
        }
    }
}

#[test]
fn a_switch_of_protocols_is_no_grant() {
    let answer = format!("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n{GRANT}");
    for (carrier, outcome) in outcomes(&Raw::saying(answer)) {
        assert!(matches!(outcome, Outcome::Reply(_) | Outcome::Lost), "{carrier:?}: {outcome:?}");
    }
}

#[test]
fn a_body_that_is_not_utf8_is_malformed() {
    for bytes in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"] {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        let token = [b"{\"state\":true,\"payload\":{\"access_token\":\"", bytes, b"\"}}"].concat();
        let head = format!("{head}content-length: {}\r\n\r\n", token.len());
        let service = Raw::saying([head.as_bytes(), &token].concat());
        for (carrier, outcome) in outcomes(&service) {
            let Outcome::Reply(text) = outcome else { panic!("{carrier:?}: {outcome:?}") };
            assert!(text.contains("not UTF-8"), "{carrier:?}: {text}");
        }
    }
}

#[test]
fn a_second_answer_nobody_asked_for_is_not_taken_for_a_later_one() {
    for carrier in Carrier::each() {
        let forged = ok(&GRANT.replace("access-1", "forged"));
        let service = Raw::start(move |line| {
            line.request();
            line.say(format!("{}{forged}", ok(GRANT)).as_bytes());
            line.request();
            line.say(ok(&GRANT.replace("access-1", "access-2")).as_bytes());
        });
        let token = || Outcome::of(&carrier, plain(&service.url()));
        assert_eq!(token(), Outcome::Token("access-1".to_owned()));
        thread::sleep(Duration::from_millis(50));
        // The next one comes on a connection of its own, or not at all.
        assert_ne!(token(), Outcome::Token("forged".to_owned()), "{carrier:?}");
    }
}
