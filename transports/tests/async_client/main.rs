//! The client for tasks over the sandbox in process: virtual time for the session, and no HTTP.

mod alive;
mod cancelled;
mod credentials;
mod crowd;
mod deadlines;
mod expiring;
mod hooks;
mod runtimes;
mod unwinding;

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use http::{Request, Response};
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, AsyncTransport, Builder, Credentials, Endpoint, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};

/// A sandbox and a clock that a client and its test share.
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

    /// What the service answers now.
    fn answer(&self, request: Request<Body>) -> Response<Vec<u8>> {
        let request = request.map(|body| body.as_ref().to_vec());
        let now = Time::from_micros(self.clock.now().wall.unix_micros());
        self.sandbox().handle(now, &request)
    }

    /// A transport that answers when `ready` lets it.
    fn when<F>(
        &self,
        ready: impl Fn() -> F + Send + Sync + 'static,
    ) -> impl AsyncTransport + 'static
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let world = self.clone();
        let send = move |request: Request<Body>, _: Bounds| {
            let (world, ready) = (world.clone(), ready());
            async move {
                ready.await;
                Ok::<_, TransportError>(world.answer(request))
            }
        };
        (send, tokio::time::sleep)
    }

    /// A transport whose answers take this long.
    fn after(&self, millis: u64) -> impl AsyncTransport + 'static {
        self.when(move || tokio::time::sleep(Duration::from_millis(millis)))
    }

    fn builder(&self) -> Builder {
        Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .clock(self.clock.clone())
    }

    fn client(&self, transport: impl AsyncTransport + 'static) -> AsyncClient {
        self.builder().nonblocking(transport).unwrap()
    }
}

/// Lets transports through one step at a time, as the test says.
#[derive(Clone, Default)]
struct Turnstile(Arc<Mutex<(usize, Vec<Waker>)>>);

impl Turnstile {
    /// Lets `steps` more steps happen.
    fn turn(&self, steps: usize) {
        let wakers = {
            let mut state = self.0.lock().unwrap();
            state.0 += steps;
            std::mem::take(&mut state.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// One step.
    fn pass(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let turnstile = self.clone();
        std::future::poll_fn(move |cx| {
            let mut state = turnstile.0.lock().unwrap();
            if state.0 > 0 {
                state.0 -= 1;
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        })
    }
}

/// For where no time passes.
fn no_timer(_: Duration) -> std::future::Pending<()> {
    std::future::pending()
}

/// What a future comes to at its first poll.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// A task that is polled by hand, and that knows whether it was woken.
struct ByHand<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    bell: Arc<Bell>,
}

struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<T> ByHand<T> {
    fn new(future: impl Future<Output = T> + 'static) -> Self {
        Self { future: Box::pin(future), bell: Arc::new(Bell(AtomicBool::new(true))) }
    }

    fn is_woken(&self) -> bool {
        self.bell.0.load(Ordering::SeqCst)
    }

    fn poll(&mut self) -> Poll<T> {
        self.bell.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Polls tasks as an executor does, only those that were woken, until all have ended.
fn run_all<T>(mut tasks: Vec<ByHand<T>>) -> Vec<T> {
    let mut ended = Vec::new();
    while !tasks.is_empty() {
        let before = tasks.len();
        let mut polled = false;
        tasks.retain_mut(|task| {
            if !task.is_woken() {
                return true;
            }
            polled = true;
            match task.poll() {
                Poll::Ready(value) => {
                    ended.push(value);
                    false
                }
                Poll::Pending => true,
            }
        });
        assert!(polled, "{before} tasks wait and nobody wakes them");
    }
    ended
}
