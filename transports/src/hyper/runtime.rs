//! What hyper needs of a runtime, each behind one pointer: tasks, time, TCP.
//!
//! Owns the choice of runtime; tokio is the default. Does not know about HTTP.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hyper::rt::{Executor, Read, Sleep, Timer, Write};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::wire::Wire;
use crate::transport::BoxFuture;

/// Each lookup has a thread while it lasts; further ones of a transport wait for their turn.
const LOOKUPS_AT_ONCE: usize = 64;

type Dial = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Wire>> + Send + Sync>;

/// A function from a host name and a port to addresses.
pub(super) type Resolve =
    Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Tasks, time and TCP of one runtime.
#[derive(Clone)]
pub(super) struct Runtime {
    pub(super) tasks: Tasks,
    pub(super) time: Time,
    dial: Dial,
    /// `None` if `dial` looks names up.
    pub(super) resolve: Option<Resolve>,
    /// Returns the runtime that drives connections opened on the current thread; `None` if none can
    /// be opened.
    pub(super) home: fn() -> Option<Home>,
    /// Whether a read reports what has arrived even if the runtime has not turned since.
    pub(super) reads_afresh: bool,
}

/// What drives a connection. The connection cannot be used anywhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Tokio(Id),
    /// The caller's own runtime, which is everywhere.
    Own,
}

impl Runtime {
    pub(super) fn tokio() -> Self {
        let dial = |host: String, port: u16| -> BoxFuture<'static, _> {
            Box::pin(async move {
                let stream = TcpStream::connect((host, port)).await?;
                stream.set_nodelay(true)?;
                Ok(Wire::tokio(stream))
            })
        };
        Self {
            tasks: Tasks(Arc::new(TokioExecutor::new())),
            time: Time(Arc::new(TokioTimer::new())),
            dial: Arc::new(dial),
            resolve: Some(resolver(Arc::new(Semaphore::new(LOOKUPS_AT_ONCE)))),
            home: || Handle::try_current().ok().map(|runtime| Home::Tokio(runtime.id())),
            reads_afresh: cfg!(unix),
        }
    }

    pub(super) fn of<E, T, D, F, S>(executor: E, timer: T, dial: D) -> Self
    where
        E: Executor<BoxFuture<'static, ()>> + Send + Sync + 'static,
        T: Timer + Send + Sync + 'static,
        D: Fn(String, u16) -> F + Send + Sync + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: Read + Write + Send + Unpin + 'static,
    {
        let dial = move |host: String, port: u16| -> BoxFuture<'static, _> {
            let dialling = dial(host, port);
            Box::pin(async move { Ok(Wire::other(Box::new(dialling.await?))) })
        };
        Self {
            tasks: Tasks(Arc::new(executor)),
            time: Time(Arc::new(timer)),
            dial: Arc::new(dial),
            resolve: None,
            home: || Some(Home::Own),
            reads_afresh: false,
        }
    }

    /// Opens a TCP connection. A host is a name, or an address without brackets.
    pub(super) async fn dial(&self, host: String, port: u16) -> io::Result<Wire> {
        (self.dial)(host, port).await
    }
}

fn resolver(turns: Arc<Semaphore>) -> Resolve {
    Arc::new(move |host, port| {
        let turns = Arc::clone(&turns);
        Box::pin(async move {
            let turn = turns.acquire_owned().await.map_err(io::Error::other)?;
            look_up(turn, host, port).await
        })
    })
}

/// Looks a name up on a thread of its own: tokio's own way panics if the system provides no thread.
/// The turn ends with the thread, also if nobody waits any more.
async fn look_up(
    turn: OwnedSemaphorePermit,
    host: String,
    port: u16,
) -> io::Result<Vec<SocketAddr>> {
    let (sender, found) = oneshot::channel();
    thread::Builder::new().name("imts-lookup".to_owned()).spawn(move || {
        let looked_up = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
        drop(turn);
        drop(sender.send(looked_up));
    })?;
    found.await.map_err(io::Error::other)?
}

#[derive(Clone)]
pub(super) struct Tasks(Arc<dyn Executor<BoxFuture<'static, ()>> + Send + Sync>);

impl Executor<BoxFuture<'static, ()>> for Tasks {
    fn execute(&self, task: BoxFuture<'static, ()>) {
        self.0.execute(task);
    }
}

#[derive(Clone)]
pub(super) struct Time(pub(super) Arc<dyn Timer + Send + Sync>);

impl Timer for Time {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.0.sleep(duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.0.sleep_until(deadline)
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, new_deadline: Instant) {
        self.0.reset(sleep, new_deadline);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    #[test]
    fn a_lookup_has_its_turn_and_gives_it_back() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let turns = Arc::new(Semaphore::new(1));
        let resolve = resolver(Arc::clone(&turns));
        runtime.block_on(async {
            let other = turns.clone().acquire_owned().await.unwrap();
            let mut waiting = resolve("localhost".to_owned(), 80);
            let polled = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await;
            assert!(polled, "it waits for its turn");
            drop(other);
            let addresses = waiting.await.unwrap();
            assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
            assert_eq!(turns.available_permits(), 1);
        });
    }
}
