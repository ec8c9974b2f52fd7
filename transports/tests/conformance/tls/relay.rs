//! Passing bytes on between a client and a service.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

/// Passes on what comes from either, until both have ended.
pub(super) fn relay(client: &TcpStream, service: &TcpStream) {
    let (client_back, service_back) = (client.try_clone().unwrap(), service.try_clone().unwrap());
    let back = thread::spawn(move || pass(&service_back, &client_back));
    pass(client, service);
    back.join().unwrap();
}

fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}

/// Passes on what comes from a client out of TLS to a service, and back.
pub(super) fn unwrap(mut tls: StreamOwned<ServerConnection, TcpStream>, mut service: TcpStream) {
    for socket in [&tls.sock, &service] {
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    }
    while step(&mut tls, &mut service) && step(&mut service, &mut tls) {}
}

/// Passes on what has come; whether more may come.
fn step(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut buffer = [0; 16_384];
    match from.read(&mut buffer) {
        Ok(read @ 1..) => to.write_all(&buffer[..read]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        Ok(0) => false,
    }
}
