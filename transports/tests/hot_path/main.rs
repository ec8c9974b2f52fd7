//! Asking while there is a token, and crowds that ask at once: counts, and no times.
//!
//! Both clients, over the sandbox in process, in virtual time.

mod allocations;
mod crowds;
mod published;
mod renewing;
mod storms;
mod system_clock;

use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, Builder, Client, Credentials, Endpoint, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};

/// A sandbox and a clock that clients and their test share.
#[derive(Clone, Default)]
struct World {
    clock: ManualClock,
    sandbox: Arc<Mutex<Sandbox>>,
}

impl World {
    fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap()
    }

    fn calls(&self) -> usize {
        self.sandbox().log().len()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn answer(&self, request: Request<Body>) -> Response<Vec<u8>> {
        let request = request.map(|body| body.as_ref().to_vec());
        let now = Time::from_micros(self.clock.now().wall.unix_micros());
        self.sandbox().handle(now, &request)
    }

    fn builder(&self) -> Builder {
        Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .clock(self.clock.clone())
    }

    /// A blocking client whose service answers at once.
    fn blocking(&self) -> Client {
        self.blocking_by(self.builder())
    }

    fn blocking_by(&self, builder: Builder) -> Client {
        let world = self.clone();
        let transport = move |request: Request<Body>, _: Bounds| Ok(world.answer(request));
        builder.blocking(transport).unwrap()
    }

    /// A client for tasks whose service answers at once.
    fn nonblocking(&self) -> AsyncClient {
        self.nonblocking_by(self.builder())
    }

    fn nonblocking_by(&self, builder: Builder) -> AsyncClient {
        let world = self.clone();
        let send = move |request: Request<Body>, _: Bounds| {
            ready(Ok::<_, TransportError>(world.answer(request)))
        };
        builder.nonblocking((send, |_: Duration| std::future::pending())).unwrap()
    }
}

/// What a future comes to at its first poll.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// Waits until something holds that another thread brings about.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited a minute in vain for: {what}");
}
