//! What a failure proves: a request that may have left is never said not to have been sent.

use std::io::Read;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use imts::TransportError;
use imts::transport::Bounds;
use socket2::{Domain, Socket, Type};

use crate::raw::{Raw, eventually, heard_within};
use crate::{BOUNDS, Carrier, GRANT, Made, ok};

/// What becomes of one request, over a transport with little patience for connections.
fn failing(url: &str) -> [(Carrier, TransportError); 3] {
    failing_within(url, Duration::from_secs(20))
}

fn failing_within(url: &str, connect_timeout: Duration) -> [(Carrier, TransportError); 3] {
    let made = Made { connect_timeout, ..Made::default() };
    Carrier::all(&made).map(|carrier| {
        let failure = carrier.send(url, BOUNDS).unwrap_err();
        (carrier, failure)
    })
}

#[test]
fn a_port_where_nobody_listens_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for host in ["127.0.0.1", "localhost"] {
        for (carrier, failure) in failing(&format!("http://{host}:{port}/")) {
            assert!(failure.is_not_sent() && !failure.is_timed_out(), "{carrier:?}: {failure}");
            assert!(failure.to_string().contains("refused"), "{carrier:?}: {failure}");
        }
    }
}

#[test]
fn a_name_that_nobody_has_is_not_sent() {
    for (carrier, failure) in failing("https://imts.invalid/") {
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
    }
}

#[test]
fn localhost_is_this_machine_and_is_reached_on_either_protocol() {
    let four = Raw::saying(ok(GRANT));
    for carrier in Carrier::each() {
        carrier.send(&format!("http://localhost:{}/", four.address.port()), BOUNDS).unwrap();
    }
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let (six, _nobody) = listening_on_six_alone();
    let url = format!("http://localhost:{}/", six.local_addr().unwrap().port());
    for carrier in Carrier::each() {
        let url = url.clone();
        let asked = std::thread::spawn(move || carrier.send(&url, BOUNDS).unwrap_err());
        // Closed once the request has come: what is closed before it was written proves more.
        six.accept().unwrap().0.read_exact(&mut [0]).unwrap();
        assert!(!asked.join().unwrap().is_not_sent());
    }
}

/// A port of `::1`, and the same of 127.0.0.1, which is taken and where nobody listens.
fn listening_on_six_alone() -> (TcpListener, Socket) {
    for _ in 0..100 {
        let six = TcpListener::bind("[::1]:0").unwrap();
        let four = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], six.local_addr().unwrap().port()));
        if four.bind(&address.into()).is_ok() {
            return (six, four);
        }
    }
    panic!("no port that is free on both");
}

#[test]
fn a_handshake_that_never_ends_is_not_sent_and_timed_out() {
    let silent = Raw::silent();
    let url = format!("https://{}/", silent.address);
    for (carrier, failure) in failing_within(&url, Duration::from_millis(200)) {
        assert!(failure.is_not_sent() && failure.is_timed_out(), "{carrier:?}: {failure}");
    }
}

#[test]
fn a_handshake_that_drips_is_given_up_at_the_connect_timeout() {
    let service = Raw::start(|line| {
        // A TLS record that takes far too long.
        for byte in [22, 3, 3, 0x40, 0].into_iter().chain([0; 2_000]) {
            if !line.say(&[byte]) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let url = format!("https://{}/", service.address);
    let began = Instant::now();
    for (carrier, failure) in failing_within(&url, Duration::from_millis(300)) {
        assert!(failure.is_not_sent() && failure.is_timed_out(), "{carrier:?}: {failure}");
    }
    assert!(began.elapsed() < Duration::from_secs(50));
}

#[test]
fn a_time_limit_that_ends_before_there_is_a_connection_sends_nothing() {
    let silent = Raw::silent();
    let bounds = Bounds { time_limit: Duration::from_millis(200), ..BOUNDS };
    let made = Made { connect_timeout: Duration::from_secs(100), ..Made::default() };
    let began = Instant::now();
    for carrier in Carrier::both(&made) {
        let failure = carrier.send(&format!("https://{}/", silent.address), bounds).unwrap_err();
        assert!(failure.is_not_sent() && failure.is_timed_out(), "{carrier:?}: {failure}");
    }
    assert!(began.elapsed() < Duration::from_secs(50), "the time limit ends it");
    assert_eq!(silent.requests(), 0);
}

#[test]
fn plain_http_to_another_machine_is_not_sent() {
    for (carrier, failure) in failing("http://192.0.2.1/") {
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
        assert!(failure.to_string().contains("plain http"), "{carrier:?}: {failure}");
    }
}

#[test]
fn a_connection_that_breaks_after_the_request_proves_nothing() {
    for reset in [false, true] {
        let service = Raw::start(move |line| {
            line.request();
            if reset {
                line.reset();
            }
        });
        for (carrier, failure) in failing(&service.url()) {
            assert!(!failure.is_not_sent() && !failure.is_timed_out(), "{carrier:?}: {failure}");
        }
        assert_eq!(service.requests(), 3, "nothing is sent twice");
    }
}

#[test]
fn a_pooled_connection_that_dies_proves_nothing_and_nothing_is_sent_twice() {
    for reset in [false, true] {
        for carrier in Carrier::each() {
            // Hyper's task gives a connection back when it comes to it.
            let is_used_again = |_| {
                let service = Raw::start(move |line| {
                    line.request();
                    line.say(ok(GRANT).as_bytes());
                    // The second request is read, perhaps acted upon, and never answered.
                    line.request();
                    if reset {
                        line.reset();
                    }
                });
                carrier.send(&service.url(), BOUNDS).unwrap();
                settled();
                let second = carrier.send(&service.url(), BOUNDS);
                if service.connections() > 1 {
                    return false;
                }
                let failure = second.unwrap_err();
                assert!(!failure.is_not_sent(), "{carrier:?}: {failure}");
                assert_eq!((service.connections(), service.requests()), (1, 2), "{carrier:?}");
                true
            };
            assert!((0..50).any(is_used_again), "{carrier:?}: no connection is used again");
        }
    }
}

#[test]
fn an_idle_connection_that_was_closed_or_has_been_spoken_on_is_not_used() {
    for unasked in ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"] {
        for carrier in Carrier::each() {
            let spoken = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&spoken);
            let service = Raw::start(move |line| {
                line.request();
                line.say(ok(GRANT).as_bytes());
                std::thread::sleep(Duration::from_millis(20));
                line.say(unasked.as_bytes());
                if unasked.is_empty() {
                    line.stream.shutdown(Shutdown::Both).unwrap();
                }
                count.fetch_add(1, Ordering::SeqCst);
                line.listen();
            });
            for nth in 1..=3 {
                let reply = carrier.send(&service.url(), BOUNDS).unwrap();
                assert_eq!(reply.body(), GRANT.as_bytes(), "{carrier:?}");
                eventually("more is said", || spoken.load(Ordering::SeqCst) == nth);
                settled();
            }
            assert_eq!((service.connections(), service.requests()), (3, 3), "{carrier:?}");
        }
    }
}

#[test]
fn a_request_that_runs_out_of_time_may_have_left() {
    let silent = Raw::silent();
    for carrier in Carrier::each() {
        let failure = heard_within(&silent, |time_limit| {
            let bounds = Bounds { time_limit, ..BOUNDS };
            carrier.send(&silent.url(), bounds).unwrap_err()
        });
        assert!(failure.is_timed_out() && !failure.is_not_sent(), "{carrier:?}: {failure}");
    }
}

/// Waits long enough for hyper's task to give a connection back, or to see its end.
fn settled() {
    std::thread::sleep(Duration::from_millis(200));
}
