//! One transport, several runtimes, one after the other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use imts::TokenError;
use imts::clock::{Clock, ManualClock};
use imts_sandbox::{Front, Sandbox, Settings, Time};
use socket2::{Domain, Socket, Type};

use crate::{builder, hyper};

/// What a future comes to at its first poll.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn service(latency: u64) -> (Front, ManualClock) {
    let mut settings = Settings::default();
    settings.latency = Duration::from_millis(latency);
    let clock = ManualClock::default();
    let time = clock.clone();
    let front = Front::builder(Sandbox::new(settings))
        .clock(move || Time::from_micros(time.now().wall.unix_micros()))
        .start()
        .unwrap();
    (front, clock)
}

#[test]
fn what_was_pooled_in_a_runtime_that_is_gone_is_not_used() {
    let (front, clock) = service(0);
    let made = builder(&front.url()).clock(clock.clone()).nonblocking(hyper().build());
    let client = made.unwrap();
    for calls in 1..=4 {
        let runtime = runtime();
        runtime.block_on(client.token()).unwrap();
        assert_eq!(front.log().len(), calls);
        clock.advance(Duration::from_secs(901));
    }
}

#[test]
fn a_flight_whose_runtime_is_gone_is_an_error_once_and_then_flies_again() {
    let (front, clock) = service(3_600_000);
    let client = builder(&front.url()).clock(clock.clone()).nonblocking(hyper().build()).unwrap();
    runtime().block_on(async {
        let hasty = client.with_patience(Duration::from_millis(30));
        assert!(matches!(hasty.token().await.unwrap_err(), TokenError::TimedOut));
    });
    front.sandbox().settings_mut().latency = Duration::ZERO;
    let second = runtime();
    let error = second.block_on(client.token()).unwrap_err();
    assert!(error.renewal_error().is_some(), "{error:?}");
    clock.advance(Duration::from_secs(1));
    second.block_on(client.token()).unwrap();
}

#[test]
fn a_flight_whose_runtime_stands_still_holds_nobody_up_for_ever() {
    let (front, clock) = service(3_600_000);
    let client = builder(&front.url()).clock(clock).nonblocking(hyper().build()).unwrap();
    let first = runtime();
    first.block_on(async {
        let hasty = client.with_patience(Duration::from_millis(10));
        assert!(matches!(hasty.token().await.unwrap_err(), TokenError::TimedOut));
    });
    // The first runtime is still there, and nothing drives it.
    let hasty = client.with_patience(Duration::from_millis(200));
    let error = runtime().block_on(hasty.token()).unwrap_err();
    assert!(matches!(error, TokenError::TimedOut), "{error:?}");
}

#[test]
fn a_flight_that_only_connected_when_its_runtime_went_begins_anew_at_once() {
    // Nobody accepts, so the kernel answers to a few, and then to nobody.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(300));
    let full: Vec<_> =
        std::iter::from_fn(|| connect().or_else(|_| connect()).ok()).take(99).collect();
    assert!(full.len() < 99, "the backlog has no end");
    let (front, clock) = service(0);
    let client = builder(&format!("http://{address}")).clock(clock).nonblocking(hyper().build());
    let client = client.unwrap();
    runtime().block_on(async {
        let hasty = client.with_patience(Duration::from_millis(30));
        assert!(matches!(hasty.token().await.unwrap_err(), TokenError::TimedOut));
    });
    drop(full);
    let service = front.url();
    let service = service.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut request = [0; 4_096];
            let length = client.read(&mut request).unwrap_or(0);
            if length == 0 {
                continue;
            }
            let mut service = TcpStream::connect(&service).unwrap();
            service.write_all(&request[..length]).unwrap();
            let length = service.read(&mut request).unwrap();
            client.write_all(&request[..length]).unwrap();
        }
    });
    runtime().block_on(client.token()).unwrap();
    assert_eq!(front.log().len(), 1);
    assert!(client.health().last_error.is_none(), "nothing has failed");
}
