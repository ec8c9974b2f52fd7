//! Clients over stores that answer, fail, hang and panic.

mod building;
mod clocks;
mod closing;
#[cfg(feature = "tracing")]
mod events;
mod outage;
mod sharing;
mod silent;
mod tasks;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use http::{Request, Response};
use imts::secret::Body;
use imts::swap::Swap;
use imts::transport::{Bounds, BoxFuture};
use imts::{
    AsyncClient, AsyncTransport, Builder, Client, Credentials, Endpoint, MemoryStore, Policy,
    Transport, TransportError,
};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation, Sandbox, Time};

/// A service and a store, for any number of clients, in real time.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    sandbox: Arc<Mutex<Sandbox>>,
    pub(crate) policy: Policy,
    /// How long the service takes to answer.
    pub(crate) latency: Duration,
}

impl World {
    pub(crate) fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap()
    }

    pub(crate) fn sign_ins(&self) -> usize {
        self.sandbox().count(Operation::GetToken)
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.sandbox().count(Operation::Refresh)
    }

    pub(crate) fn answer(&self, request: Request<Body>) -> Response<Vec<u8>> {
        let request = request.map(|body| body.as_ref().to_vec());
        self.sandbox().handle(Time::from(SystemTime::now()), &request)
    }

    pub(crate) fn transport(&self) -> impl Transport + 'static {
        let world = self.clone();
        move |request: Request<Body>, _: Bounds| {
            thread::sleep(world.latency);
            Ok::<_, TransportError>(world.answer(request))
        }
    }

    pub(crate) fn nameless(&self) -> Builder {
        Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .policy(self.policy.clone())
    }

    pub(crate) fn builder(&self) -> Builder {
        self.nameless().credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
    }

    pub(crate) fn client(&self) -> Client {
        let builder = self.builder().store(Arc::clone(&self.store));
        builder.blocking(self.transport()).unwrap()
    }

    pub(crate) fn client_over(&self, builder: Builder) -> Client {
        builder.blocking(self.transport()).unwrap()
    }

    pub(crate) fn tasks_over(&self, builder: Builder) -> AsyncClient {
        builder.nonblocking(Timed(self.clone())).unwrap()
    }
}

/// Answers after the latency, and keeps time by threads: no runtime is there.
struct Timed(World);

impl AsyncTransport for Timed {
    fn send(
        &self,
        request: Request<Body>,
        _: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        let world = self.0.clone();
        Box::pin(async move {
            if !world.latency.is_zero() {
                sleep(world.latency).await;
            }
            Ok(world.answer(request))
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(sleep(duration))
    }
}

/// Completes after this time.
pub(crate) fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + Unpin + 'static {
    smol::future::FutureExt::boxed(async move {
        smol::Timer::after(duration).await;
    })
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread, without any runtime.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Whether a swap hands a grant over, or reports a failure.
pub(crate) fn reports(swap: &Swap) -> bool {
    swap.put().is_some() && (swap.lease().is_zero() || swap.is_resting())
}

/// Waits until something holds that another thread brings about.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited a minute in vain for: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
