//! A host with several addresses: attempts are staggered over all of them, the first that completes
//! its handshake is used, and the request goes to that one alone.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use imts::proxy::Proxy;
use imts::transport::Bounds;
use socket2::{Domain, Socket, Type};

use crate::raw::Raw;
use crate::tls::{Authority, Secure, Speaking, serve, trusting};
use crate::{BOUNDS, Carrier, GRANT, Made, ok};

/// Only a hang takes longer, and the connect timeout of these tests is longer.
const HANG: Duration = Duration::from_secs(15);

/// An address that answers nothing: the queue of connections that wait there is full.
struct BlackHole {
    address: SocketAddr,
    _held: Vec<Socket>,
}

impl BlackHole {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = vec![listener];
        loop {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            let connected = socket.connect_timeout(&address, Duration::from_millis(100));
            held.push(socket);
            if connected.is_err() {
                return Self { address: address.as_socket().unwrap(), _held: held };
            }
        }
    }
}

/// An address where nobody listens.
fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn made(authority: &Authority, addresses: &[SocketAddr]) -> Made {
    Made { addresses: Some(addresses.to_vec()), ..trusting(authority) }
}

const URL: &str = "https://service.example/path";

#[track_caller]
fn is_reached(made: &Made, service: &Secure) {
    for (carrier, nth) in Carrier::both(made).iter().zip(1..) {
        let began = Instant::now();
        let reply = carrier.send(URL, BOUNDS).unwrap();
        assert_eq!(reply.body(), GRANT.as_bytes(), "{carrier:?}");
        assert!(began.elapsed() < HANG, "{carrier:?}");
        assert_eq!(service.requests(), nth, "{carrier:?}");
    }
}

fn service(authority: &Authority) -> Secure {
    Secure::start(&authority.server(), Speaking::default())
}

#[test]
fn an_address_that_answers_nothing_does_not_hide_the_next() {
    let (authority, hole) = (Authority::new("Private"), BlackHole::new());
    let service = service(&authority);
    is_reached(&made(&authority, &[hole.address, service.raw.address]), &service);
}

#[test]
fn an_address_that_refuses_does_not_hide_the_next() {
    let authority = Authority::new("Private");
    let service = service(&authority);
    let unused: SocketAddr = "[::1]:1".parse().unwrap();
    let addresses = [refusing(), refusing(), unused, service.raw.address];
    is_reached(&made(&authority, &addresses), &service);
}

#[test]
fn an_address_where_the_handshake_hangs_does_not_hide_the_next() {
    let (authority, silent) = (Authority::new("Private"), Raw::silent());
    let service = service(&authority);
    is_reached(&made(&authority, &[silent.address, service.raw.address]), &service);
    assert_eq!(silent.connections(), 2);
}

#[test]
fn an_address_with_a_strangers_certificate_does_not_hide_the_next() {
    let (authority, other) = (Authority::new("Private"), Authority::new("Strangers"));
    let (stranger, service) = (self::service(&other), service(&authority));
    is_reached(&made(&authority, &[stranger.raw.address, service.raw.address]), &service);
    assert_eq!(stranger.requests(), 0);
}

#[test]
fn an_attempt_that_was_overtaken_is_given_up_and_gets_no_byte_of_a_request() {
    let authority = Authority::new("Private");
    let config = authority.server().config(&Speaking::default());
    for nth in [0, 1] {
        let (release, wait) = mpsc::channel::<()>();
        let (wait, config) = (std::sync::Mutex::new(wait), Arc::clone(&config));
        let heard = Arc::<std::sync::Mutex<Vec<u8>>>::default();
        let (ear, (ended, end)) = (Arc::clone(&heard), mpsc::channel());
        let late = Raw::start(move |line| {
            // Speaks TLS only when the other one has served the request.
            let _released = wait.lock().unwrap().recv();
            serve(line, &config, ok(GRANT).as_bytes(), &ear);
            ended.send(()).unwrap();
        });
        let service = service(&authority);
        let carrier = &Carrier::both(&made(&authority, &[late.address, service.raw.address]))[nth];
        carrier.send(URL, BOUNDS).unwrap();
        assert_eq!((service.requests(), late.connections()), (1, 1), "{carrier:?}");
        release.send(()).unwrap();
        end.recv_timeout(HANG).expect("the connection that lost is closed");
        assert!(heard.lock().unwrap().is_empty(), "{carrier:?}");
    }
}

#[test]
fn an_attempt_that_lost_is_ended_at_once_though_its_time_goes_on() {
    let authority = Authority::new("Private");
    for nth in [0, 1] {
        let (ended, end) = mpsc::channel();
        let silent = Raw::start(move |line| {
            line.listen();
            ended.send(()).unwrap();
        });
        let service = service(&authority);
        let addresses = [silent.address, service.raw.address];
        let connect_timeout = Duration::from_secs(600);
        let made = Made { connect_timeout, ..made(&authority, &addresses) };
        let carrier = &Carrier::both(&made)[nth];
        carrier.send(URL, Bounds { time_limit: connect_timeout, ..BOUNDS }).unwrap();
        end.recv_timeout(HANG).expect("the connection that lost is closed");
    }
}

#[test]
fn if_each_address_fails_the_error_names_what_happened_with_each() {
    let (authority, other) = (Authority::new("Private"), Authority::new("Strangers"));
    let (refusing, stranger, curt) = (refusing(), service(&other), Raw::start(|_| {}));
    let addresses = [refusing, stranger.raw.address, curt.address];
    for carrier in Carrier::both(&made(&authority, &addresses)) {
        let failure = carrier.send(URL, BOUNDS).unwrap_err();
        assert!(failure.is_not_sent() && !failure.is_timed_out(), "{carrier:?}: {failure}");
        let text = failure.to_string().to_lowercase();
        for (address, words) in [
            (refusing, "connection refused"),
            (stranger.raw.address, "tls handshake failed"),
            (curt.address, "tls handshake failed"),
        ] {
            let named = text.split(&format!("{address}: ")).nth(1).unwrap_or_default();
            assert!(named.starts_with(words), "{carrier:?}: {text}, not {address}: {words}");
        }
    }
    assert_eq!(stranger.requests(), 0);
}

#[test]
fn if_no_address_answers_in_time_the_error_names_each() {
    let (hole, silent, refusing) = (BlackHole::new(), Raw::silent(), refusing());
    let addresses = Some(vec![hole.address, silent.address, refusing]);
    let connect_timeout = Duration::from_secs(2);
    for carrier in Carrier::both(&Made { addresses, connect_timeout, ..Made::default() }) {
        let failure = carrier.send(URL, BOUNDS).unwrap_err();
        assert!(failure.is_not_sent() && failure.is_timed_out(), "{carrier:?}: {failure}");
        let text = failure.to_string();
        assert!(text.contains("no connection within 2.0 s"), "{carrier:?}: {text}");
        for address in [hole.address, silent.address] {
            assert!(text.contains(&format!("{address}: no reply")), "{carrier:?}: {text}");
        }
        assert!(text.contains(&format!("{refusing}: ")), "{carrier:?}: {text}");
    }
}

#[test]
fn the_address_that_worked_is_tried_first_and_one_that_stopped_costs_one_step() {
    let authority = Authority::new("Private");
    let closing = || {
        let answer = ok(GRANT).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n").into_bytes();
        Secure::start(&authority.server(), Speaking { answer, ..Speaking::default() })
    };
    for nth in [0, 1] {
        let (silent, service, last) = (Raw::silent(), closing(), closing());
        let addresses = [silent.address, service.raw.address, last.raw.address];
        let carrier = &Carrier::both(&made(&authority, &addresses))[nth];
        for requests in 1..=3 {
            carrier.send(URL, BOUNDS).unwrap();
            assert_eq!((silent.connections(), service.requests()), (1, requests), "{carrier:?}");
        }
        drop(service);
        for requests in 1..=3 {
            carrier.send(URL, BOUNDS).unwrap();
            assert_eq!((silent.connections(), last.requests()), (2, requests), "{carrier:?}");
        }
    }
}

#[test]
fn each_address_of_a_proxy_is_tried() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let (hole, proxy) = (BlackHole::new(), Raw::saying(answer));
    let made = Made {
        proxy: Some(Proxy::new("http://proxy.example:3128").unwrap()),
        addresses: Some(vec![hole.address, refusing(), proxy.address]),
        connect_timeout: Duration::from_secs(2),
        ..Made::default()
    };
    for (carrier, nth) in Carrier::both(&made).iter().zip(1..) {
        let failure = carrier.send(URL, BOUNDS).unwrap_err();
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
        let text = failure.to_string();
        assert!(text.contains("proxy authorization required"), "{carrier:?}: {text}");
        assert!(text.to_lowercase().contains("connection refused"), "{carrier:?}: {text}");
        assert_eq!(proxy.connections(), nth, "{carrier:?}");
        assert!(proxy.heard().contains("CONNECT service.example:443 "), "{carrier:?}");
    }
}

#[test]
fn a_name_without_addresses_is_not_sent() {
    for carrier in Carrier::both(&Made { addresses: Some(Vec::new()), ..Made::default() }) {
        let failure = carrier.send(URL, BOUNDS).unwrap_err();
        assert!(failure.is_not_sent(), "{carrier:?}: {failure}");
        assert!(failure.to_string().contains("the host has no address"), "{carrier:?}: {failure}");
    }
}

#[test]
fn neither_an_address_nor_localhost_is_looked_up() {
    let service = Raw::saying(ok(GRANT));
    // A client that asked this resolver would reach nobody.
    let made = Made { addresses: Some(vec![refusing()]), ..Made::default() };
    for carrier in Carrier::both(&made) {
        for host in ["localhost", "127.0.0.1"] {
            let url = format!("http://{host}:{}/", service.address.port());
            carrier.send(&url, BOUNDS).unwrap();
        }
    }
    assert_eq!(service.connections(), 4);
}

#[test]
fn localhost_is_reached_at_its_other_address_too() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        // Without IPv6 there is no other address.
        return assert!(TcpStream::connect("[::1]:9").is_err());
    };
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            drop(std::io::Read::read(&mut stream, &mut [0; 4_096]));
            std::io::Write::write_all(&mut stream, ok(GRANT).as_bytes()).unwrap();
        }
    });
    for carrier in Carrier::untrusting() {
        carrier.send(&format!("http://localhost:{port}/"), BOUNDS).unwrap();
    }
    serving.join().unwrap();
}

/// Tells the process that a test started from the one that starts it.
const INSIDE: &str = "IMTS_TEST_ADDRESSES";

#[test]
fn if_no_thread_can_be_had_the_addresses_are_tried_one_after_another() {
    let made = |addresses: &str| {
        let addresses = addresses.split(',').map(|it| it.parse().unwrap()).collect();
        Made { addresses: Some(addresses), ..Made::default() }
    };
    if let Ok(addresses) = std::env::var(INSIDE) {
        assert!(thread::Builder::new().spawn(|| ()).is_err(), "threads can be had");
        let ureq = &Carrier::both(&made(&addresses))[0];
        // A lookup has a thread of its own: without one it is an error, and not a panic.
        let failure = ureq.send(URL, BOUNDS).unwrap_err();
        assert!(failure.is_not_sent(), "{failure}");
        let port = addresses.rsplit(':').next().unwrap();
        return drop(ureq.send(&format!("http://localhost:{port}/"), BOUNDS).unwrap());
    }
    let service = Raw::saying(ok(GRANT));
    let mut inside = Command::new(std::env::current_exe().unwrap());
    let test = "dialling::if_no_thread_can_be_had_the_addresses_are_tried_one_after_another";
    // No stack of this size can be had.
    inside.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    inside.env("RUST_MIN_STACK", (1_u64 << 60).to_string());
    inside.env(INSIDE, service.address.to_string());
    // Kept: what it prints of its own tests is not counted among this program's.
    let inside = inside.output().unwrap();
    assert!(inside.status.success(), "{inside:?}");
    assert_eq!(service.requests(), 1);
}
