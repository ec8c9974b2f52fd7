//! The blocking client over the sandbox in process, in virtual time.

mod alive;
mod asks;
mod credentials;
mod flights;
mod hooks;
#[cfg(feature = "ureq")]
mod killed;
mod unwinding;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http::{Request, Response};
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Builder, Client, Credentials, Endpoint, Transport, TransportError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Sandbox, Time};

/// A sandbox and a clock that a client and its test share.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    sandbox: Arc<Mutex<Sandbox>>,
}

impl World {
    pub(crate) fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap()
    }

    pub(crate) fn calls(&self) -> usize {
        self.sandbox().log().len()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// What the service answers now.
    pub(crate) fn answer(&self, request: Request<Body>) -> Response<Vec<u8>> {
        let request = request.map(|body| body.as_ref().to_vec());
        let now = Time::from_micros(self.clock.now().wall.unix_micros());
        self.sandbox().handle(now, &request)
    }

    pub(crate) fn transport(&self) -> impl Transport + 'static {
        let world = self.clone();
        move |request: Request<Body>, _: Bounds| Ok::<_, TransportError>(world.answer(request))
    }

    pub(crate) fn builder(&self) -> Builder {
        Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .clock(self.clock.clone())
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().blocking(self.transport()).unwrap()
    }
}

/// Waits until something holds that another thread brings about.
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited a minute in vain for: {what}");
}
