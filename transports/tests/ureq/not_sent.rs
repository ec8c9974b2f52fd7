//! A request of which no byte was given to a connection was not sent, whatever ended it. Each test breaks
//! off at one point: the log says when ureq has come there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::Response;
use imts::transport::Bounds;
use imts::{Transport, TransportError, UreqTransport};
use socket2::SockRef;

use crate::{BOUNDS, ear, post, ureq};

/// What ureq logs once it has a pooled connection, which it found open.
const POOLED: &str = "Use pooled";

/// What ureq logs before it writes a request, on whatever connection.
const WRITES: &str = "Request {";

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Serves one request; then ends its connection so, when it is told to, and perhaps serves another.
struct Service {
    url: String,
    end: Sender<By>,
    ended: Receiver<()>,
    /// What came on all of its connections.
    serving: JoinHandle<String>,
}

#[derive(Clone, Copy, Debug)]
enum By {
    /// And nobody listens any more.
    Reset,
    /// And the next connection is served as well, up to the client's end.
    ResetAlone,
    /// Not at all: what comes is read, up to the client's end.
    Client,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let ((end, told), (tell, ended)) = (mpsc::channel(), mpsc::channel());
        let serving = thread::spawn(move || {
            let (mut stream, client) = listener.accept().unwrap();
            let mut heard = String::new();
            if !serve(&mut stream, &mut heard) {
                return heard;
            }
            match told.recv().unwrap() {
                By::Reset => {
                    drop(listener);
                    reset(stream, client);
                    tell.send(()).unwrap();
                }
                By::ResetAlone => {
                    reset(stream, client);
                    tell.send(()).unwrap();
                    let (mut stream, _) = listener.accept().unwrap();
                    assert!(serve(&mut stream, &mut heard));
                    drop(stream.read_to_string(&mut heard));
                }
                By::Client => {
                    drop(stream.read_to_string(&mut heard));
                    tell.send(()).unwrap();
                }
            }
            heard
        });
        Self { url, end, ended, serving }
    }

    /// Sends one request that is served, so that a connection waits in the pool.
    fn is_used_by(&self, transport: &UreqTransport) {
        transport.send(post(&self.url), BOUNDS).unwrap();
    }

    /// How many requests came, whole or not.
    fn requests(self) -> usize {
        self.serving.join().unwrap().matches(" HTTP/1.1\r\n").count()
    }
}

/// Answers one request, if one comes.
fn serve(stream: &mut TcpStream, heard: &mut String) -> bool {
    let (before, mut buffer) = (heard.len(), [0; 4_096]);
    while !heard[before..].ends_with("{}") {
        let read @ 1.. = stream.read(&mut buffer).unwrap() else { return false };
        heard.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    stream.write_all(REPLY).unwrap();
    true
}

fn reset(stream: TcpStream, client: SocketAddr) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    has_arrived(client);
}

/// Waits until the client's system has seen the end of its connection.
fn has_arrived(client: SocketAddr) {
    let SocketAddr::V4(v4) = client else { panic!("{client}") };
    let local = format!(" {:08X}:{:04X} ", u32::from_le_bytes(v4.ip().octets()), v4.port());
    let established = |line: &str| line.contains(&local) && line.contains(" 01 ");
    while std::fs::read_to_string("/proc/net/tcp").unwrap().lines().any(established) {
        thread::yield_now();
    }
}

/// What comes of a request whose pooled connection ends so, between the last look at it and the first byte;
/// and what the service heard in all, once it has ended.
#[cfg(target_os = "linux")]
fn reset_before_the_first_byte(by: By) -> (Result<Vec<u8>, TransportError>, JoinHandle<String>) {
    let (service, transport) = (Service::start(), ureq());
    service.is_used_by(&transport);
    let Service { url, end, ended, serving } = service;
    let reset = move || {
        end.send(by).unwrap();
        ended.recv().unwrap();
    };
    let (sent, came) = ear::when(POOLED, reset, || transport.send(post(&url), BOUNDS));
    assert!(came, "no pooled connection was used");
    (sent.map(Response::into_body), serving)
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_dead_pooled_connection_took_nothing_of_is_sent_over_a_new_one() {
    let (sent, serving) = reset_before_the_first_byte(By::ResetAlone);
    assert_eq!(sent.unwrap(), b"{}");
    assert_eq!(serving.join().unwrap().matches(" HTTP/1.1\r\n").count(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn if_no_new_connection_comes_about_either_nothing_is_sent() {
    let (sent, serving) = reset_before_the_first_byte(By::Reset);
    let failure = sent.unwrap_err();
    assert!(failure.is_not_sent() && !failure.is_timed_out(), "{failure}");
    assert!(failure.to_string().contains("refused"), "{failure}");
    assert_eq!(serving.join().unwrap().matches(" HTTP/1.1\r\n").count(), 1);
}

#[test]
fn a_time_limit_that_ends_before_the_first_byte_sends_nothing() {
    for is_pooled in [true, false] {
        let (service, transport) = (Service::start(), ureq());
        if is_pooled {
            service.is_used_by(&transport);
            service.end.send(By::Client).unwrap();
        }
        // On a busy machine, a connection is made only within a longer one.
        let came = [200, 2_000, 20_000].map(Duration::from_millis).into_iter().any(|time_limit| {
            let bounds = Bounds { time_limit, ..BOUNDS };
            let late = move || thread::sleep(time_limit);
            let (sent, came) =
                ear::when(WRITES, late, || transport.send(post(&service.url), bounds));
            let failure = sent.unwrap_err();
            assert!(failure.is_not_sent() && failure.is_timed_out(), "{is_pooled}: {failure}");
            came
        });
        assert!(came, "{is_pooled}: it never came to the first byte");
        drop(transport);
        assert_eq!(service.requests(), usize::from(is_pooled), "{is_pooled}");
    }
}

#[test]
fn a_time_limit_of_nothing_sends_nothing_on_a_pooled_connection_either() {
    let (service, transport) = (Service::start(), ureq());
    service.is_used_by(&transport);
    service.end.send(By::Client).unwrap();
    let bounds = Bounds { time_limit: Duration::ZERO, ..BOUNDS };
    let failure = transport.send(post(&service.url), bounds).unwrap_err();
    assert!(failure.is_not_sent() && failure.is_timed_out(), "{failure}");
    drop(transport);
    assert_eq!(service.requests(), 1);
}

#[test]
fn what_was_written_counts_as_sent_though_the_connection_then_breaks() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut stream, _): (TcpStream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0]).unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let failure = ureq().send(post(&url), BOUNDS).unwrap_err();
    assert!(!failure.is_not_sent(), "{failure}");
    serving.join().unwrap();
}

#[test]
fn what_one_thread_sends_says_nothing_of_another_threads_request() {
    // One writes while the other, which began before it, is still on its way to its first byte.
    let (held, free) = (Service::start(), Service::start());
    let transport = ureq();
    held.is_used_by(&transport);
    held.end.send(By::Client).unwrap();
    let (limit, url, other) = (Duration::from_millis(200), free.url.clone(), transport.clone());
    let meanwhile = move || {
        thread::spawn(move || other.send(post(&url), BOUNDS).unwrap()).join().unwrap();
        thread::sleep(limit);
    };
    let bounds = Bounds { time_limit: limit, ..BOUNDS };
    let (sent, came) = ear::when(WRITES, meanwhile, || transport.send(post(&held.url), bounds));
    let failure = sent.unwrap_err();
    assert!(came && failure.is_not_sent(), "{failure}");
    free.end.send(By::Client).unwrap();
    drop(transport);
    assert_eq!((held.requests(), free.requests()), (1, 1));
}
