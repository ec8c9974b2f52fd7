//! What comes on a connection while it waits in ureq's pool: records of TLS that carry no plaintext change
//! nothing, anything else ends it, and the next request goes out on another one.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;

use crate::raw::{Raw, is_whole};
use crate::tls::{Authority, EACH_VERSION, Speaking, Versions, trusting};
use crate::{BOUNDS, Carrier, GRANT, Made, ok};

/// What comes while nobody asks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    /// The session tickets of TLS 1.3, which the server kept back.
    Tickets,
    KeyUpdate,
    /// A key update and part of another one.
    PartOfARecord,
    Byte,
    CloseNotify,
    Fin,
    Reset,
}

/// When it is to come, and where it came.
type Cue = (Receiver<()>, Sender<SocketAddr>);

/// A server's side of one connection.
struct Server<'a> {
    tls: Option<ServerConnection>,
    stream: &'a TcpStream,
}

impl Server<'_> {
    /// Reads one request, if a whole one comes.
    fn request(&mut self, answers_tls: bool) -> bool {
        let (mut request, mut buffer) = (Vec::new(), [0; 4_096]);
        while !is_whole(&request) {
            let Some(tls) = &mut self.tls else {
                let Ok(read @ 1..) = self.stream.read(&mut buffer) else { return false };
                request.extend_from_slice(&buffer[..read]);
                continue;
            };
            if !matches!(tls.read_tls(&mut self.stream), Ok(1..))
                || tls.process_new_packets().is_err()
            {
                return false;
            }
            drop(tls.reader().read_to_end(&mut request));
            if answers_tls {
                self.flush();
            }
        }
        true
    }

    /// What saying this puts on the wire.
    fn sealed(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let Some(tls) = &mut self.tls else { return plaintext.to_vec() };
        let mut records = Vec::new();
        tls.writer().write_all(plaintext).unwrap();
        while tls.wants_write() {
            tls.write_tls(&mut records).unwrap();
        }
        records
    }

    fn say(&mut self, plaintext: &[u8]) -> bool {
        let records = self.sealed(plaintext);
        self.stream.write_all(&records).is_ok()
    }

    /// Sends what TLS has to say on its own account.
    fn flush(&mut self) {
        self.say(&[]);
    }

    fn update_keys(&mut self) -> Vec<u8> {
        self.tls.as_mut().unwrap().refresh_traffic_keys().unwrap();
        self.sealed(&[])
    }

    /// Serves the first request so that tickets are still to be sent: its reply is sealed before them, as soon as
    /// the server's part of the handshake is done.
    fn serve_before_tickets(&mut self, reply: &[u8]) -> bool {
        let tls = self.tls.as_mut().unwrap();
        while !tls.wants_write() {
            tls.read_tls(&mut self.stream).unwrap();
            tls.process_new_packets().unwrap();
        }
        self.flush();
        let reply = self.sealed(reply);
        self.request(false) && self.stream.write_all(&reply).is_ok()
    }

    /// Whether the connection goes on.
    fn lets_come(&mut self, what: Comes) -> bool {
        match what {
            Comes::Tickets => self.flush(),
            Comes::KeyUpdate => {
                let update = self.update_keys();
                self.stream.write_all(&update).unwrap();
            }
            Comes::PartOfARecord => {
                let whole = self.update_keys();
                let part = self.update_keys();
                self.stream.write_all(&[&whole[..], &part[..part.len() - 1]].concat()).unwrap();
            }
            Comes::Byte => drop(self.say(b"x")),
            Comes::CloseNotify => {
                self.tls.as_mut().unwrap().send_close_notify();
                self.flush();
            }
            Comes::Fin => self.stream.shutdown(Shutdown::Write).unwrap(),
            Comes::Reset => {
                SockRef::from(self.stream).set_linger(Some(Duration::ZERO)).unwrap();
                return false;
            }
        }
        true
    }
}

fn serve(stream: &TcpStream, config: Option<&Arc<ServerConfig>>, what: Comes, cue: Option<Cue>) {
    let tls = config.map(|config| ServerConnection::new(Arc::clone(config)).unwrap());
    let (mut server, reply) = (Server { tls, stream }, ok(GRANT));
    if let Some((come, came)) = cue {
        let served = match what {
            Comes::Tickets => server.serve_before_tickets(reply.as_bytes()),
            _ => server.request(true) && server.say(reply.as_bytes()),
        };
        assert!(served, "{what:?}");
        come.recv().unwrap();
        let goes_on = server.lets_come(what);
        came.send(stream.peer_addr().unwrap()).unwrap();
        if !goes_on {
            return;
        }
    }
    while server.request(true) && server.say(reply.as_bytes()) {}
}

/// How many connections two requests take, if this comes in between.
fn connections(what: Comes, versions: Option<Versions>) -> usize {
    let authority = Authority::new("Private");
    let config = versions.map(|versions| {
        let config = authority.server().config(&Speaking { versions, ..Speaking::default() });
        let mut config = Arc::unwrap_or_clone(config);
        config.send_half_rtt_data = what == Comes::Tickets;
        Arc::new(config)
    });
    let ((come, cue), (tell, came)) = (mpsc::channel(), mpsc::channel());
    let (first, scheme) =
        (Mutex::new(Some((cue, tell))), config.as_ref().map_or("http", |_| "https"));
    let service = Raw::start(move |line| {
        let cue = first.lock().unwrap().take();
        serve(&line.stream, config.as_ref(), what, cue);
    });
    let url = format!("{scheme}://localhost:{}/", service.address.port());
    let [ureq, _] =
        Carrier::both(&if versions.is_some() { trusting(&authority) } else { Made::default() });
    ureq.send(&url, BOUNDS).unwrap();
    come.send(()).unwrap();
    has_arrived(came.recv().unwrap());
    let again = ureq.send(&url, BOUNDS);
    assert_eq!(again.unwrap().body(), GRANT.as_bytes(), "{what:?}");
    service.connections()
}

/// Waits until this client's system has something for it: bytes, or the end of its connection.
fn has_arrived(client: SocketAddr) {
    let SocketAddr::V4(v4) = client else { panic!("{client}") };
    let local = format!("{:08X}:{:04X}", u32::from_le_bytes(v4.ip().octets()), v4.port());
    let is_quiet = |line: &str| {
        // number, local, remote, state, bytes to send : bytes to read
        let [_, at, _, state, queues, ..] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return false;
        };
        at == local && state == "01" && queues.ends_with(":00000000")
    };
    while fs::read_to_string("/proc/net/tcp").unwrap().lines().any(is_quiet) {
        thread::yield_now();
    }
}

#[test]
fn records_without_plaintext_leave_a_connection_in_the_pool() {
    for what in [Comes::Tickets, Comes::KeyUpdate] {
        assert_eq!(connections(what, Some(EACH_VERSION[1])), 1, "{what:?}");
    }
}

#[test]
fn whatever_else_comes_ends_a_connection_in_the_pool_and_no_request_goes_out_on_it() {
    for what in [Comes::Byte, Comes::Fin, Comes::Reset] {
        for versions in [None, Some(EACH_VERSION[0]), Some(EACH_VERSION[1])] {
            assert_eq!(connections(what, versions), 2, "{what:?} {versions:?}");
        }
    }
    for versions in EACH_VERSION {
        assert_eq!(connections(Comes::CloseNotify, Some(versions)), 2, "{versions:?}");
    }
    assert_eq!(connections(Comes::PartOfARecord, Some(EACH_VERSION[1])), 2);
}
