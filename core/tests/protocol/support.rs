//! A session, a clock and the replies of a scripted service.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{Request, Response};
use imts_core::exchange::Purpose;
use imts_core::secret::Body;
use imts_core::session::{RenewalError, SaveTicket, SwapTicket};
use imts_core::time::{Mono, Wall};
use imts_core::{
    Bearer, Credentials, Endpoint, Keep, Now, Policy, Reply, Saved, Session, Step, Swap, Ticket,
    TransportError, services,
};
use serde_json::{Value, json};

/// The time of the published example.
pub(crate) const START: Now =
    Now { mono: Mono::from_micros(1_000_000), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

pub(crate) const AGENT: &str = "agent-1";

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn credentials(agent: &str) -> Credentials {
    Credentials::new(agent, "s3cret").unwrap()
}

/// Other credentials of the same agent.
pub(crate) fn other_secret(number: u32) -> Credentials {
    Credentials::new(AGENT, format!("s3cret-{number}")).unwrap()
}

/// No chance in it, so that waits are exact.
pub(crate) fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.jitter_percent = 0;
    policy
}

pub(crate) fn session_with(policy: Policy) -> Session {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    Session::new(endpoint, services::transfer(), policy).unwrap()
}

/// A JSON reply.
pub(crate) fn answer(status: u16, body: &Value) -> Response<Vec<u8>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response
        .header(DATE, "Wed, 23 Jul 2025 11:17:31 GMT")
        .body(body.to_string().into_bytes())
        .unwrap()
}

/// What something in between answers, which is not the service.
pub(crate) const PAGE: &[u8] = b"<html><h1>Blocked</h1></html>";

pub(crate) fn with_retry_after(mut response: Response<Vec<u8>>, value: &str) -> Response<Vec<u8>> {
    response.headers_mut().insert(RETRY_AFTER, value.parse().unwrap());
    response
}

/// A grant's payload, with tokens that live so many seconds by the server's clock.
pub(crate) fn grant_of(access: &str, refresh: Option<&str>, lives: u64) -> Value {
    let date = |seconds: u64| {
        let wall = START.wall.after(Duration::from_secs(seconds));
        wall.to_datetime().unwrap().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    };
    let mut payload = json!({ "access_token": access, "access_expire_at": date(lives) });
    if let Some(refresh) = refresh {
        payload["refresh_token"] = refresh.into();
        payload["refresh_expire_at"] = date(30 * 86_400).into();
    }
    json!({ "state": true, "response_time": date(0), "payload": payload })
}

/// What a swap is for: a look, a claim, news, an empty state, or a hand-over.
fn kind_of(swap: &Swap) -> char {
    match swap.put() {
        None => 'O',
        Some(_) if swap.is_resting() => 'N',
        Some(_) if !swap.lease().is_zero() => 'H',
        Some(put) if put.is_empty() => 'Z',
        Some(_) => 'G',
    }
}

/// A session in virtual time, and what it has asked for.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) now: Now,
    /// The last ticket that was handed out.
    pub(crate) ticket: Option<Ticket>,
    pub(crate) save: Option<(SaveTicket, Saved)>,
    pub(crate) swap: Option<(SwapTicket, Swap)>,
    /// The last token that was handed out.
    pub(crate) bearer: Option<Bearer>,
    pub(crate) requests: Vec<(Purpose, Request<Body>)>,
    grants: u32,
}

impl World {
    pub(crate) fn of(session: Session) -> Self {
        Self {
            session,
            now: START,
            ticket: None,
            save: None,
            swap: None,
            bearer: None,
            requests: Vec::new(),
            grants: 0,
        }
    }

    /// Nothing known, nothing held.
    pub(crate) fn empty() -> Self {
        Self::of(session_with(policy()))
    }

    pub(crate) fn with_credentials(keep: Keep) -> Self {
        let mut world = Self::empty();
        world.session.sign_in(credentials(AGENT), keep, world.now);
        world
    }

    /// Signed in just now.
    pub(crate) fn signed_in(keep: Keep) -> Self {
        let mut world = Self::with_credentials(keep);
        world.sends(Purpose::SignIn);
        world.granted();
        world.ready();
        world
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now.advanced_by(time);
    }

    /// Asks, remembers what came, and names it by one sign.
    pub(crate) fn ask(&mut self) -> char {
        match self.session.poll(self.now) {
            Step::Ready(bearer) => {
                self.bearer = Some(bearer);
                'R'
            }
            Step::Send(ticket, exchange) => {
                self.ticket = Some(ticket);
                self.requests.push((ticket.purpose(), exchange.into_request()));
                if ticket.purpose() == Purpose::SignIn { 'S' } else { 'F' }
            }
            Step::Save(ticket, saved) => {
                self.save = Some((ticket, saved));
                'K'
            }
            Step::Swap(ticket, swap) => {
                let sign = kind_of(&swap);
                self.swap = Some((ticket, swap));
                sign
            }
            Step::Rest { .. } => 'L',
            Step::Busy { .. } => 'B',
            Step::Wait { .. } => 'W',
            Step::SignIn { .. } => 'C',
        }
    }

    pub(crate) fn ready(&mut self) -> Bearer {
        assert_eq!(self.ask(), 'R', "{:?}", self.session);
        self.bearer.clone().unwrap()
    }

    pub(crate) fn sends(&mut self, purpose: Purpose) {
        let sign = if purpose == Purpose::SignIn { 'S' } else { 'F' };
        assert_eq!(self.ask(), sign, "{:?}", self.session);
    }

    /// How long it is to wait, and why.
    pub(crate) fn waits(&mut self) -> (Duration, Arc<RenewalError>) {
        match self.session.poll(self.now) {
            Step::Wait { until, last } => (until.since(self.now.mono), last),
            step => panic!("{step:?}"),
        }
    }

    pub(crate) fn reply(&mut self, response: &Response<Vec<u8>>) -> Result<(), Arc<RenewalError>> {
        let ticket = self.ticket.expect("a request was sent");
        self.session.on_reply(ticket, Reply::from(response), self.now)
    }

    /// The next grant, each with tokens of its own.
    pub(crate) fn granted(&mut self) {
        let grant = self.next_grant(true);
        self.reply(&grant).unwrap();
    }

    pub(crate) fn next_grant(&mut self, with_refresh: bool) -> Response<Vec<u8>> {
        self.grants += 1;
        let (access, refresh) =
            (format!("access-{}", self.grants), format!("refresh-{}", self.grants));
        answer(200, &grant_of(&access, with_refresh.then_some(refresh.as_str()), 900))
    }

    /// The service rejects the token in use.
    pub(crate) fn rejects(&mut self) {
        let epoch = self.ready().epoch();
        self.session.reject(epoch, self.now);
    }

    pub(crate) fn refused(&mut self) {
        self.reply(&answer(401, &json!({ "error": { "message": "no" } }))).unwrap_err();
    }

    /// The last request is answered with a 403, in JSON or by a page.
    pub(crate) fn forbidden(&mut self, html: bool) {
        let mut response = answer(403, &json!({ "message": "IP not allowed" }));
        if html {
            response.headers_mut().insert(CONTENT_TYPE, "text/html".parse().unwrap());
        }
        self.reply(&response).unwrap_err();
    }

    pub(crate) fn fails(&mut self, failure: TransportError) {
        let ticket = self.ticket.expect("a request was sent");
        self.session.on_failure(ticket, failure, self.now);
    }

    pub(crate) fn saved(&mut self) {
        let (ticket, _) = self.save.as_ref().expect("something was to be saved");
        self.session.on_saved(*ticket, self.now);
    }

    pub(crate) fn phase(&self) -> String {
        self.session.phase(self.now).to_string()
    }

    /// The body of the last request.
    pub(crate) fn body(&self) -> Value {
        let (_, request) = self.requests.last().expect("a request was sent");
        serde_json::from_slice(request.body().as_ref()).unwrap()
    }
}
