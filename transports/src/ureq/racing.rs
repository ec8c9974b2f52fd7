//! Makes several attempts to connect at once, each on a thread of its own.
//!
//! Owns those threads: the first attempt that succeeds ends the others. [`crate::race`] decides the
//! order and the pace. Does not know what an attempt consists of.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::stream::Stream;
use super::wire::Wire;
use crate::connect::ConnectError;
use crate::race::{Action, Race};

/// Connects to one address, up to the point at which a request can be written.
pub(super) type Connect =
    Arc<dyn Fn(SocketAddr, &Lane) -> Result<Stream, ConnectError> + Send + Sync>;

type Ended = (usize, Result<Stream, ConnectError>);

/// Returns the first stream that is opened, and its address.
pub(super) fn run(
    race: &mut Race,
    connect: &Connect,
    deadline: Instant,
) -> Result<(Stream, SocketAddr), ConnectError> {
    let (tell, hear) = mpsc::sync_channel(race.len());
    let lanes = Lanes { sockets: Arc::default(), deadline };
    let mut last = None;
    loop {
        let now = Instant::now();
        let ended = match race.next(now) {
            Action::Start(number, address) => start(race, connect, &lanes, number, address, &tell),
            Action::WaitUntil(at) => wait(&hear, at.min(deadline)),
            Action::Wait => wait(&hear, deadline),
            Action::Lost => return Err(race.error(last)),
        };
        match ended {
            Some((number, Ok(stream))) => {
                lanes.won(number);
                let address = race.address(number).ok_or(ConnectError::Host)?;
                return Ok((stream, address));
            }
            // If everyone's time is over, this is not an answer of this address. The check below
            // handles it.
            Some((_, Err(error))) if ran_out(&error) && Instant::now() >= deadline => {}
            Some((number, Err(error))) => {
                race.failed(number, &error);
                last = Some(error);
                continue;
            }
            None => {}
        }
        if Instant::now() >= deadline {
            return Err(ConnectError::Tcp(io::Error::from(io::ErrorKind::TimedOut).into()));
        }
    }
}

/// Starts an attempt. A host with one address needs no thread. If no thread can be started, the
/// attempt is made on this thread, with its share of the time, unless another attempt is under way.
fn start(
    race: &Race,
    connect: &Connect,
    lanes: &Lanes,
    number: usize,
    address: SocketAddr,
    tell: &SyncSender<Ended>,
) -> Option<Ended> {
    if race.len() == 1 {
        let lane = Lane { sockets: None, ..lanes.lane(number) };
        return Some((number, connect(address, &lane)));
    }
    let (lane, work, report) = (lanes.lane(number), Arc::clone(connect), tell.clone());
    let spawned = thread::Builder::new().name("imts-connect".to_owned()).spawn(move || {
        drop(report.send((number, work(address, &lane))));
    });
    match spawned {
        Ok(_) => None,
        Err(_) if race.is_alone() => {
            let now = Instant::now();
            let left = lanes.deadline.saturating_duration_since(now);
            let share = left / u32::try_from(race.len() - number).unwrap_or(u32::MAX);
            let deadline = now.checked_add(share).unwrap_or(lanes.deadline);
            Some((number, connect(address, &Lane { deadline, ..lanes.lane(number) })))
        }
        Err(error) => Some((number, Err(ConnectError::Tcp(error.into())))),
    }
}

/// Returns whether an attempt ended because its time was over.
fn ran_out(error: &ConnectError) -> bool {
    let is_late = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
    match error {
        ConnectError::Tcp(error) => error.downcast_ref().is_some_and(is_late),
        ConnectError::Tls(error) => is_late(error),
        ConnectError::Proxy(error) => error.downcast_ref().is_some_and(ran_out),
        _ => false,
    }
}

fn wait(hear: &mpsc::Receiver<Ended>, until: Instant) -> Option<Ended> {
    // The caller holds a sender, so the channel is never closed.
    hear.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
}

/// All attempts of one race. Dropping it ends those under way, except the winner.
struct Lanes {
    sockets: Arc<Mutex<Sockets>>,
    deadline: Instant,
}

#[derive(Default)]
struct Sockets {
    is_over: bool,
    open: Vec<(usize, TcpStream)>,
}

impl Lanes {
    fn lane(&self, number: usize) -> Lane {
        Lane { number, sockets: Some(Arc::clone(&self.sockets)), deadline: self.deadline }
    }

    fn won(&self, number: usize) {
        lock(&self.sockets).open.retain(|(other, _)| *other != number);
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        let mut sockets = lock(&self.sockets);
        sockets.is_over = true;
        for (_, socket) in sockets.open.drain(..) {
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}

/// What one attempt knows of its race.
pub(super) struct Lane {
    number: usize,
    /// `None` if there are no other attempts.
    sockets: Option<Arc<Mutex<Sockets>>>,
    deadline: Instant,
}

impl Lane {
    /// Opens a TCP connection, unless the race is over.
    pub(super) fn dial(&self, address: SocketAddr) -> io::Result<Wire> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let stream = TcpStream::connect_timeout(&address, left.max(Duration::from_millis(1)))?;
        stream.set_nodelay(true)?;
        if let Some(sockets) = &self.sockets {
            let mut sockets = lock(sockets);
            if sockets.is_over {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            sockets.open.push((self.number, stream.try_clone()?));
        }
        Ok(Wire::new(stream, self.deadline))
    }
}

fn lock(sockets: &Mutex<Sockets>) -> MutexGuard<'_, Sockets> {
    sockets.lock().unwrap_or_else(PoisonError::into_inner)
}
