//! Users of Freedom ID: from the link to the revocation, over both transports, and many at once.
#![cfg(all(feature = "ureq", feature = "hyper-util"))]

mod journey;
mod many;
mod revoked;

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use imts::call::{CallStep, Keys, Signatory};
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::services::freedom_id::{
    self, AuthorizationCode, AuthorizationLink, LinkState, UserGrant,
};
use imts::transport::Bounds;
use imts::{
    Builder, Credentials, Endpoint, Operation, Outcome, Policy, Transport, TransportError, services,
};
use imts_sandbox::{DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET, Sandbox, Time};

/// The service in this process, and the clock of both sides.
#[derive(Clone)]
struct World {
    service: Arc<Mutex<Sandbox>>,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        Self { service: Arc::default(), clock: ManualClock::default() }
    }

    fn time(&self) -> Time {
        Time::from_micros(self.clock.now().wall.unix_micros())
    }

    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let now = self.time();
        self.service.lock().unwrap().handle(now, request)
    }

    /// A transport to it.
    fn transport(
        &self,
    ) -> impl Fn(Request<Body>, Bounds) -> Result<Response<Vec<u8>>, TransportError> + Clone + use<>
    {
        let world = self.clone();
        move |request, _| Ok(world.handle(&request.map(|body| body.as_ref().to_vec())))
    }

    /// What the sandbox has counted.
    fn count(&self, what: &str) -> u64 {
        let counters = self.service.lock().unwrap().freedom_id_counters();
        serde_json::to_value(counters).unwrap()[what].as_u64().unwrap()
    }
}

fn client() -> Credentials {
    Credentials::new(DEFAULT_CLIENT, DEFAULT_CLIENT_SECRET).unwrap()
}

fn with(code: &AuthorizationCode) -> Credentials {
    client().with_code(code.expose()).unwrap()
}

/// A client of one user, as an integrator builds it.
fn builder(endpoint: Endpoint, user: &str, clock: ManualClock) -> Builder {
    Builder::new(endpoint)
        .service(services::freedom_id())
        .policy(freedom_id::policy())
        .agent(DEFAULT_CLIENT)
        .subject(user)
        .clock(clock)
}

/// What a call that carries the client by `Basic` brings.
fn asked<O: Operation>(operation: &O, endpoint: &Endpoint, transport: &dyn Transport) -> O::Reply
where
    O::Reply: std::fmt::Debug,
{
    let keys = Keys::new().with_basic(client());
    let signatory =
        Signatory::new(endpoint.clone(), services::freedom_id(), Policy::default(), keys);
    let now = ManualClock::default().now();
    let deadline = now.mono.after(std::time::Duration::from_secs(60));
    let mut call = signatory.call(operation, [0; 16], deadline).unwrap();
    loop {
        match call.poll(now) {
            CallStep::Send(exchange) => {
                let bounds = Bounds::from(&exchange);
                let response = transport.send(exchange.into_request(), bounds).unwrap();
                call.on_reply((&response).into(), now);
            }
            CallStep::Over(Outcome::Done(reply)) => return reply,
            step => panic!("{step:?}"),
        }
    }
}

/// A user follows a link, signs in, and comes back with a code.
fn code(
    endpoint: &Endpoint,
    transport: &dyn Transport,
    browser: impl Fn(&Request<Vec<u8>>) -> Response<Vec<u8>>,
) -> AuthorizationCode {
    let state = LinkState::new([0x5a; 32]);
    let grants = [UserGrant::Email, UserGrant::Profile];
    let link = AuthorizationLink::new("https://example.com/login", grants, &state).unwrap();
    let link = asked(&link, endpoint, transport);
    assert!(link.expires_at().is_some());
    let (_, track) = link.url().split_once("track_id=").unwrap();
    let track = track.split('&').next().unwrap();
    let form = format!("track_id={track}&user=41790bb3-62ba-461f-9bed-e232e30ad377");
    let response = browser(&Request::post("/login").body(form.into_bytes()).unwrap());
    let back = response.headers()["location"].to_str().unwrap();
    state.code(back).unwrap()
}

fn in_process() -> Endpoint {
    Endpoint::https("https://passport.example").unwrap()
}
