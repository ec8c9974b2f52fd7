//! Every way in which a few threads may interleave in the clients, tried out by loom.
//!
//! The clients are the shipped ones: under `--cfg imts_loom` their locks, threads and the published
//! token are loom's, a condition variable never times out, and a caller that would wait for ever is a
//! failure. Its own flags make it a build of its own:
//!
//! ```sh
//! RUSTFLAGS="--cfg imts_loom" cargo test --release --target-dir target/loom -p imts --test model
//! ```
#![cfg(imts_loom)]

mod blocking;
mod nonblocking;
mod sharing;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Builder, Client, Credentials, Endpoint, Policy, Saved, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};

/// Tries out all interleavings with at most so many preemptions.
fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 50_000;
    builder.check(model);
}

/// A service and a clock. Nothing in it is loom's: what it does, it does in one step.
#[derive(Clone, Default)]
struct World {
    clock: ManualClock,
    sandbox: Arc<Mutex<Sandbox>>,
}

impl World {
    fn calls(&self) -> usize {
        self.sandbox.lock().unwrap().log().len()
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn answer(&self, request: Request<Body>) -> Response<Vec<u8>> {
        let request = request.map(|body| body.as_ref().to_vec());
        let now = Time::from_micros(self.clock.now().wall.unix_micros());
        self.sandbox.lock().unwrap().handle(now, &request)
    }

    /// Nothing is left to chance: each run must be as the one before.
    fn builder(&self) -> Builder {
        let mut policy = Policy::default();
        policy.jitter_seed = 1;
        Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .clock(self.clock.clone())
            .policy(policy)
            .patience(Duration::MAX)
    }

    fn client(&self, builder: Builder) -> Client {
        let world = self.clone();
        let transport =
            move |request: Request<Body>, _: Bounds| Ok::<_, TransportError>(world.answer(request));
        builder.blocking(transport).unwrap()
    }

    /// A world with a token, and what is to be restored for it. Made outside of loom, once.
    fn with_token() -> (Self, Saved) {
        let world = Self::default();
        let mut session = imts::Session::new(
            Endpoint::https("https://sandbox.example").unwrap(),
            imts::services::transfer(),
            Policy::default(),
        )
        .unwrap();
        let now = world.clock.now();
        let credentials = Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap();
        session.sign_in(credentials, imts::Keep::Always, now);
        let imts::Step::Send(ticket, exchange) = session.poll(now) else { panic!("a sign-in") };
        let reply = world.answer(exchange.into_request());
        session.on_reply(ticket, imts::Reply::from(&reply), now).unwrap();
        let saved = session.saved(now).unwrap();
        (world, saved)
    }

    /// A copy that shares nothing.
    fn copy(&self) -> Self {
        let sandbox = self.sandbox.lock().unwrap().clone();
        Self { clock: ManualClock::at(self.clock.now()), sandbox: Arc::new(Mutex::new(sandbox)) }
    }
}
