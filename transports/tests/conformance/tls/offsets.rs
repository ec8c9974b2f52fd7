//! A connection that ends after so many bytes from the client, handshake included: the request is
//! said not to have been sent only where not a byte of it came out of TLS.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::{Authority, EACH_VERSION, Secure, Speaking, trusting};
use crate::raw::{Raw, eventually};
use crate::{BOUNDS, Carrier};

/// Passes on so many bytes from the client, then ends both connections; how many it passed on.
fn pass_on(mut client: &TcpStream, mut service: &TcpStream, limit: usize, reset: bool) -> usize {
    let (mut from, mut to) = (service.try_clone().unwrap(), client.try_clone().unwrap());
    let back = thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
    let mut passed = 0;
    let mut buffer = [0; 4_096];
    while passed < limit {
        let room = buffer.len().min(limit - passed);
        let Ok(read @ 1..) = client.read(&mut buffer[..room]) else { break };
        drop(service.write_all(&buffer[..read]));
        passed += read;
    }
    drop(service.shutdown(Shutdown::Write));
    if reset {
        SockRef::from(client).set_linger(Some(Duration::ZERO)).unwrap();
    }
    // The service ends once it has read what was passed on, and what it says ends with it.
    back.join().unwrap();
    drop(client.shutdown(Shutdown::Both));
    passed
}

#[test]
fn only_what_never_came_out_of_tls_is_not_sent() {
    let authority = Authority::new("Private");
    for versions in EACH_VERSION {
        for reset in [false, true] {
            let service = Secure::start(&authority.server(), Speaking::only(versions));
            let (limit, ended) =
                (Arc::new(AtomicUsize::new(usize::MAX)), Arc::new(AtomicUsize::new(0)));
            let (to, at, end) = (service.raw.address, Arc::clone(&limit), Arc::clone(&ended));
            let relay = Raw::start(move |line| {
                let to = TcpStream::connect(to).unwrap();
                let passed = pass_on(&line.stream, &to, at.load(Ordering::SeqCst), reset);
                end.store(passed.max(1), Ordering::SeqCst);
            });
            let url = format!("https://localhost:{}/", relay.address.port());
            for made in 0..2 {
                let carrier = || Carrier::both(&trusting(&authority))[made].clone();
                let (mut at, mut not_sent, mut unknown) = (0, 0, 0);
                loop {
                    limit.store(at, Ordering::SeqCst);
                    ended.store(0, Ordering::SeqCst);
                    let heard = service.heard().len();
                    let carrier = carrier();
                    let outcome = carrier.send(&url, BOUNDS);
                    let name = format!("{carrier:?}");
                    drop(carrier);
                    eventually("the relay ends", || ended.load(Ordering::SeqCst) > 0);
                    let Err(failure) = outcome else { break };
                    let came = service.heard().len() - heard;
                    if failure.is_not_sent() {
                        not_sent += 1;
                        assert_eq!(came, 0, "{name} at {at}: {failure}");
                    } else {
                        unknown += 1;
                    }
                    at += STEP;
                }
                assert!(not_sent > 10 && unknown > 1, "{not_sent} and {unknown} up to {at}");
            }
        }
    }
}

/// A prime, so that all versions and transports together meet most offsets of a record.
const STEP: usize = 13;
