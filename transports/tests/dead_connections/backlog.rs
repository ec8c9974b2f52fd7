//! A service that accepts no more connections: nothing was sent, whichever timer says so first.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use imts::{HyperTransport, UreqTransport};
use socket2::{Domain, Socket, Type};

use crate::callers::{End, Place, Tasks, ends};
use crate::service::{GRANT, reply_of};
use crate::wire::{Came, Wire};
use crate::{LIMIT, builder, confirm, policy};

/// Less than a whole exchange may take.
const SHORT: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
enum Over {
    Ureq,
    Hyper(Tasks),
}

#[test]
fn a_call_to_a_service_whose_backlog_is_full_is_not_sent_whichever_timer_ends_it() {
    thread::scope(|scope| {
        for over in [Over::Ureq, Over::Hyper(Tasks::CurrentThread), Over::Hyper(Tasks::MultiThread)]
        {
            for (connect, whole) in [(SHORT, LIMIT), (LIMIT, SHORT)] {
                scope.spawn(move || {
                    let end = calls_in_vain(over, connect, whole);
                    assert_eq!(end, End::NotSent, "{over:?}: {connect:?} of {whole:?}");
                });
            }
        }
    });
}

/// Signs in, and calls when the backlog is full.
fn calls_in_vain(over: Over, connect: Duration, whole: Duration) -> End {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let place = Place { url: format!("http://{address}"), authority: None };
    let mut patient = policy();
    patient.call_attempts = 1;
    // It holds for the sign-in too, which is answered.
    patient.time_limit = whole;
    let builder = builder(place.endpoint()).policy(patient);
    thread::scope(|scope| {
        scope.spawn(|| grant_one(&listener));
        match over {
            Over::Ureq => {
                let transport = UreqTransport::builder(place.tls()).connect_timeout(connect);
                let client = builder.blocking(transport.build()).unwrap();
                client.warm_up().unwrap();
                let _full = fill(address);
                ends(client.call(&confirm("a")))
            }
            Over::Hyper(tasks) => {
                let transport = HyperTransport::builder(place.tls()).connect_timeout(connect);
                let (client, runtime) = (builder.nonblocking(transport.build()), tasks.runtime());
                let client = client.unwrap();
                runtime.block_on(client.warm_up()).unwrap();
                let _full = fill(address);
                ends(runtime.block_on(client.call(&confirm("a"))))
            }
        }
    })
}

/// Grants a token to the first who asks, and ends the connection.
fn grant_one(listener: &TcpListener) {
    let mut wire = Wire::new(listener.accept().unwrap().0, None);
    assert!(matches!(wire.request(None), Came::Request { .. }));
    wire.say(reply_of(GRANT).as_bytes()).unwrap();
}

/// Connects until no more connections are made.
fn fill(address: SocketAddr) -> Vec<TcpStream> {
    let mut all = Vec::new();
    let mut in_vain = 0;
    while in_vain < 2 {
        match TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            Ok(stream) => all.push(stream),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                in_vain += 1;
            }
        }
        assert!(all.len() < 100, "the backlog has no end");
    }
    all
}
