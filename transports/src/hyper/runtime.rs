//! What hyper needs of a runtime, each behind one pointer: tasks, time, TCP.
//!
//! Owns the choice of runtime; tokio is the default one. Knows nothing of HTTP.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Uri;
use http::uri::{PathAndQuery, Scheme};
use hyper::rt::{Executor, Read, Sleep, Timer, Write};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use crate::connect::BoxedError;
use crate::proxy::authority;
use crate::transport::BoxFuture;

/// A byte stream, whatever it is made of.
pub(super) trait Io: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Io for T {}

pub(super) type BoxedIo = Box<dyn Io>;

type Dial = Arc<dyn Fn(&str, u16) -> BoxFuture<'static, Result<BoxedIo, BoxedError>> + Send + Sync>;

/// Tasks, time and TCP of one runtime.
#[derive(Clone)]
pub(super) struct Runtime {
    pub(super) tasks: Tasks,
    pub(super) time: Time,
    dial: Dial,
    /// Whether the runtime can work on the current thread.
    pub(super) is_here: fn() -> bool,
}

impl Runtime {
    pub(super) fn tokio() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let dial = move |host: &str, port: u16| -> BoxFuture<'static, _> {
            let (mut tcp, uri) = (tcp.clone(), uri_of(host, port));
            Box::pin(async move { Ok(Box::new(tcp.call(uri?).await?) as BoxedIo) })
        };
        Self {
            tasks: Tasks(Arc::new(TokioExecutor::new())),
            time: Time(Arc::new(TokioTimer::new())),
            dial: Arc::new(dial),
            is_here: || tokio::runtime::Handle::try_current().is_ok(),
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
        let dial = move |host: &str, port: u16| -> BoxFuture<'static, _> {
            let dialling = dial(host.to_owned(), port);
            Box::pin(async move { Ok(Box::new(dialling.await?) as BoxedIo) })
        };
        Self {
            tasks: Tasks(Arc::new(executor)),
            time: Time(Arc::new(timer)),
            dial: Arc::new(dial),
            is_here: || true,
        }
    }

    /// Opens a TCP connection. A host is a name, or an address without brackets.
    pub(super) async fn dial(&self, host: &str, port: u16) -> Result<BoxedIo, BoxedError> {
        (self.dial)(host, port).await
    }
}

fn uri_of(host: &str, port: u16) -> Result<Uri, BoxedError> {
    let uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(authority(host, port).ok_or("the host is no name")?)
        .path_and_query(PathAndQuery::from_static("/"));
    Ok(uri.build()?)
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
