//! A process that is frozen while it waits, as a suspended machine's is: what came meanwhile is taken, though its
//! time is over when it goes on.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use http::Request;
use imts::secret::Body;
use imts::tls::{Certificates, Tls};
use imts::transport::Bounds;
use imts::{Endpoint, Policy};
use rustix::process::{Pid, Signal, kill_process};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::raw::{Line, Raw, is_whole};
use crate::tls::{Authority, Speaking};
use crate::{Carrier, GRANT, Made, builder, ok};

/// A server's own side of one connection.
trait Talk: Read + Write {}
impl<T: Read + Write> Talk for T {}

/// The points at which the client is frozen.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// It waits for a reply.
    Reply,
    /// A client waits for the reply to its sign-in.
    Grant,
    /// It has half of a reply's head.
    Head,
    /// It has half of a reply's body.
    Body,
    /// It writes a body that nobody reads; its time is not over when it goes on. A few times.
    Request,
}

impl At {
    /// How much of the reply comes before it.
    fn before(self, reply: &str) -> usize {
        match self {
            Self::Reply | Self::Grant | Self::Request => 0,
            Self::Head => 20,
            Self::Body => reply.len() - 40,
        }
    }

    /// How long the body of the request is; nothing if a client makes it.
    fn length(self) -> usize {
        match self {
            Self::Request => 16 << 20,
            Self::Grant => 0,
            _ => 100,
        }
    }
}

/// What a server asks of the test that started the client, and waits for.
enum Ask {
    Freeze,
    /// To go on once this has passed.
    ThawAfter(Duration),
}

type Asks = (Sender<Ask>, Mutex<Receiver<()>>);

fn asks(asks: &Asks, what: Ask) {
    asks.0.send(what).unwrap();
    asks.1.lock().unwrap().recv().unwrap();
}

/// Serves one request, and has its client frozen at this point until `limit` is over.
fn serve(mut line: impl Talk, at: At, limit: Duration, ask: &Asks) {
    let reply = ok(GRANT);
    let (mut request, mut buffer) = (Vec::new(), vec![0; 65_536]);
    let mut hear = |line: &mut dyn Talk, is_enough: &dyn Fn(&[u8]) -> bool| {
        while !is_enough(&request) {
            let Ok(read @ 1..) = line.read(&mut buffer) else { return };
            request.extend_from_slice(&buffer[..read]);
        }
    };
    let (said, left) = reply.split_at(at.before(&reply));
    if at == At::Request {
        hear(&mut line, &|request| !request.is_empty());
        for _ in 0..4 {
            asks(ask, Ask::Freeze);
            asks(ask, Ask::ThawAfter(Duration::ZERO));
        }
        hear(&mut line, &is_large(at));
        line.write_all(reply.as_bytes()).unwrap();
    } else {
        hear(&mut line, &is_whole);
        line.write_all(said.as_bytes()).unwrap();
        line.flush().unwrap();
        asks(ask, Ask::Freeze);
        line.write_all(left.as_bytes()).unwrap();
        asks(ask, Ask::ThawAfter(limit));
    }
    line.flush().unwrap();
    // Up to the client's end.
    while let Ok(1..) = line.read(&mut buffer) {}
}

fn is_large(at: At) -> impl Fn(&[u8]) -> bool {
    move |request| request.len() > at.length()
}

fn service(at: At, limit: Duration, ask: Asks, config: Option<Arc<ServerConfig>>) -> Raw {
    Raw::start(move |Line { stream, .. }| {
        let stream = stream.try_clone().unwrap();
        match &config {
            None => serve(stream, at, limit, &ask),
            Some(config) => {
                let server = ServerConnection::new(Arc::clone(config)).unwrap();
                serve(StreamOwned::new(server, stream), at, limit, &ask);
            }
        }
    })
}

/// Tells the process that a test starts what to do: which transport, for how many milliseconds, how long a body,
/// and where to.
const INSIDE: &str = "IMTS_TEST_FROZEN";
const ROOT: &str = "IMTS_TEST_FROZEN_ROOT";

/// Runs in a process of its own, and succeeds if it gets its reply.
#[test]
fn inside() {
    let Ok(what) = env::var(INSIDE) else { return };
    let [nth, millis, length, url] = what.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{what}")
    };
    let roots = env::var(ROOT).map(|root| Certificates::from_pem(root).unwrap());
    let tls = roots.map(|roots| Tls::builder().only_roots(roots).build().unwrap());
    let made = tls.map_or_else(|_| Made::default(), |tls| Made { tls, ..Made::default() });
    let carrier = &Carrier::both(&made)[nth.parse::<usize>().unwrap()];
    let time_limit = Duration::from_millis(millis.parse().unwrap());
    if length == "0" {
        let mut policy = Policy::default();
        policy.time_limit = time_limit;
        let endpoint = Endpoint::https(url).or_else(|_| Endpoint::plain_loopback(url));
        let builder = builder(endpoint.unwrap()).policy(policy);
        return assert_eq!(carrier.token(builder).unwrap().expose_token(), "access-1");
    }
    let bounds = Bounds { reply_limit: 65_536, time_limit };
    let body = Body::from(vec![b' '; length.parse().unwrap()]);
    let request = Request::post(url).body(body).unwrap();
    let reply = carrier.carry(request, bounds);
    assert_eq!(reply.unwrap().body(), GRANT.as_bytes());
}

/// Whether the client was frozen at this point; if so, it got its reply.
fn is_frozen(nth: usize, at: At, authority: Option<&Authority>, limit: Duration) -> bool {
    let ((ask, asked), (done, wait)) = (mpsc::channel(), mpsc::channel());
    let config = authority.map(|authority| authority.server().config(&Speaking::default()));
    let scheme = if config.is_some() { "https" } else { "http" };
    let service = service(at, limit, (ask, Mutex::new(wait)), config);
    let (millis, length, port) = (limit.as_millis(), at.length(), service.address.port());
    let mut client = Command::new(env::current_exe().unwrap());
    client.args(["--exact", "frozen::inside", "--nocapture", "--test-threads=1"]);
    client.env(INSIDE, format!("{nth} {millis} {length} {scheme}://localhost:{port}/"));
    if let Some(authority) = authority {
        client.env(ROOT, authority.root());
    }
    let client = client.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let client = client.spawn().unwrap();
    let pid = Pid::from_child(&client);
    let ended = thread::spawn(move || client.wait_with_output().unwrap());
    let mut was_frozen = false;
    loop {
        match asked.recv_timeout(Duration::from_millis(20)) {
            Ok(Ask::Freeze) => {
                was_frozen = comes_to(pid, 'S')
                    && kill_process(pid, Signal::STOP).is_ok()
                    && comes_to(pid, 'T');
            }
            Ok(Ask::ThawAfter(time)) => {
                thread::sleep(time);
                let _sent = kill_process(pid, Signal::CONT);
            }
            Err(_) if ended.is_finished() => break,
            Err(_) => continue,
        }
        let _heard = done.send(());
    }
    let ended = ended.join().unwrap();
    assert!(!was_frozen || ended.status.success(), "{nth} {at:?}: {ended:?}");
    was_frozen
}

/// Waits until each thread of a process is in this state: asleep, or stopped. Whether it has not ended instead.
fn comes_to(pid: Pid, state: char) -> bool {
    loop {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero())) else {
            return false;
        };
        let states: Vec<_> = threads
            .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok())
            .filter_map(|stat| stat.rsplit(')').next()?.trim().chars().next())
            .collect();
        if states.is_empty() || states.contains(&'Z') {
            return false;
        }
        if states.iter().all(|it| *it == state) {
            return true;
        }
        thread::yield_now();
    }
}

fn takes_what_came(at: At) {
    let authority = Authority::new("Private");
    for nth in [0, 1] {
        for authority in [None, Some(&authority)] {
            // On a busy machine, a request comes only within a longer limit.
            let limits = [1_000, 10_000, 60_000].map(Duration::from_millis);
            let was_frozen = limits.into_iter().any(|limit| is_frozen(nth, at, authority, limit));
            assert!(was_frozen, "{nth}: no request came in time");
        }
    }
}

#[test]
fn a_reply_that_comes_while_its_client_is_frozen_beyond_the_time_limit_is_taken() {
    takes_what_came(At::Reply);
}

#[test]
fn a_grant_that_comes_while_its_client_is_frozen_beyond_the_time_limit_is_taken() {
    takes_what_came(At::Grant);
}

#[test]
fn the_rest_of_a_head_that_comes_while_its_client_is_frozen_is_taken() {
    takes_what_came(At::Head);
}

#[test]
fn the_rest_of_a_body_that_comes_while_its_client_is_frozen_is_taken() {
    takes_what_came(At::Body);
}

#[test]
fn a_request_whose_client_was_frozen_while_it_wrote_goes_on() {
    takes_what_came(At::Request);
}
