//! A session that is signed in, a clock, and a service that answers from a script.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Request, Response};
use imts_core::endpoint::ServicePath;
use imts_core::error::{EncodeError, Malformed};
use imts_core::journal::Entry;
use imts_core::operation::{Auth, Json, Success};
use imts_core::operation::{Custom, OperationName};
use imts_core::secret::Body;
use imts_core::services::transfer::{Confirm, CreatePerson, Status};
use imts_core::time::{Mono, Wall};
use imts_core::transport_error::{NotSent, Source};
use imts_core::{
    Call, CallStep, Catalogue, Class, Credentials, Endpoint, Evidence, Keep, Now, Operation,
    Outcome, Policy, Reply, Session, Step, TransportError, services,
};
use serde_json::{Value, json};

pub(crate) const START: Now =
    Now { mono: Mono::from_micros(1_000_000), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

/// How long a call may take here.
pub(crate) const TIME: Duration = Duration::from_secs(60);

/// What the service, or the way to it, does with one request.
pub(crate) enum Act {
    Answer(Response<Vec<u8>>),
    Fail(TransportError),
    /// Nothing is ever heard of it.
    Silence,
}

pub(crate) fn answer(status: u16, body: &Value) -> Act {
    typed(status, "application/json", body.to_string().as_bytes())
}

pub(crate) fn typed(status: u16, content_type: &str, body: &[u8]) -> Act {
    let response = Response::builder().status(status).header(CONTENT_TYPE, content_type);
    Act::Answer(response.body(body.to_vec()).unwrap())
}

pub(crate) fn done() -> Act {
    answer(200, &json!({ "state": true, "payload": { "id": 17 } }))
}

pub(crate) fn not_sent() -> Act {
    Act::Fail(TransportError::not_sent(NotSent::vouch()))
}

pub(crate) fn lost() -> Act {
    Act::Fail(TransportError::unknown())
}

/// One session and everything that happened around it.
pub(crate) struct Desk {
    pub(crate) session: Session,
    pub(crate) now: Now,
    /// The requests of calls, in order; sign-ins and refreshes are left out.
    pub(crate) requests: Vec<Request<Body>>,
    pub(crate) sign_ins: usize,
    pub(crate) entries: Vec<Entry>,
    /// Fails the entry of this number, counted from 0.
    pub(crate) journal_breaks_at: Option<usize>,
    /// When each request was sent.
    pub(crate) sent_at: Vec<Mono>,
}

pub(crate) fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.jitter_percent = 0;
    policy.settle = Duration::ZERO;
    policy
}

/// Every built-in operation has a path here.
pub(crate) fn catalogue() -> Catalogue {
    let mut catalogue = services::transfer::catalogue();
    let names: Vec<_> = catalogue.iter().map(|entry| entry.name().to_owned()).collect();
    for name in &names {
        let path = ServicePath::new(format!("/v5/partner/transfer/{name}")).unwrap();
        catalogue.set_path(name, path, Evidence::Assumed).unwrap();
    }
    catalogue
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(policy(), catalogue())
    }

    pub(crate) fn with(policy: Policy, catalogue: Catalogue) -> Self {
        let endpoint = Endpoint::https("https://service.example").unwrap();
        let service = services::transfer().with_operations(catalogue);
        let mut session = Session::new(endpoint, service, policy).unwrap();
        session.sign_in(Credentials::new("agent-1", "s3cret").unwrap(), Keep::Always, START);
        Self {
            session,
            now: START,
            requests: Vec::new(),
            sign_ins: 0,
            entries: Vec::new(),
            journal_breaks_at: None,
            sent_at: Vec::new(),
        }
    }

    pub(crate) fn call<N: OperationName>(&self) -> Call<Json> {
        let operation = Custom::<N, _>::new(json!({ "id": 17 })).with_reference("ref-17");
        self.session.call(&operation, self.now.mono.after(TIME)).unwrap()
    }

    pub(crate) fn reads(&mut self, script: Vec<Act>) -> Outcome<Json> {
        let call = self.call::<Status>();
        self.drive(call, script)
    }

    pub(crate) fn creates(&mut self, script: Vec<Act>) -> Outcome<Json> {
        let call = self.call::<CreatePerson>();
        self.drive(call, script)
    }

    pub(crate) fn pays(&mut self, script: Vec<Act>) -> Outcome<Json> {
        let call = self.call::<Confirm>();
        self.drive(call, script)
    }

    /// Does what a driver does. A request beyond the script is the test's failure.
    pub(crate) fn drive<R>(&mut self, mut call: Call<R>, script: Vec<Act>) -> Outcome<R> {
        let mut script = script.into_iter();
        for _ in 0..1_000 {
            match call.poll(self.now) {
                CallStep::Token => call.on_bearer(self.bearer()),
                CallStep::Record(entry) => {
                    let number = self.entries.len();
                    self.entries.push(entry);
                    let breaks = self.journal_breaks_at == Some(number);
                    let full =
                        || Source::from(Box::<dyn std::error::Error + Send + Sync>::from("full"));
                    call.on_recorded(if breaks { Err(full().into()) } else { Ok(7) });
                }
                CallStep::NotAdmitted(error) => panic!("{error}"),
                CallStep::Send(exchange) => {
                    self.sent_at.push(self.now.mono);
                    self.requests.push(exchange.into_request());
                    match script.next().expect("no more requests than the script has") {
                        Act::Answer(response) => call.on_reply(Reply::from(&response), self.now),
                        Act::Fail(failure) => call.on_failure(failure, self.now),
                        Act::Silence => {}
                    }
                }
                CallStep::Reject(epoch) => self.session.reject(epoch, self.now),
                CallStep::Wait { until } => {
                    self.now = self.now.advanced_by(until.since(self.now.mono));
                }
                CallStep::Over(outcome) => {
                    assert_eq!(script.count(), 0, "the whole script is played");
                    return outcome;
                }
            }
        }
        panic!("the call never ends");
    }

    /// The session's token, signed in for where there is none.
    pub(crate) fn bearer(&mut self) -> imts_core::Bearer {
        for _ in 0..100 {
            match self.session.poll(self.now) {
                Step::Ready(bearer) => return bearer,
                Step::Send(ticket, _) => {
                    self.sign_ins += 1;
                    let date = |seconds: u64| {
                        let wall = self.now.wall.after(Duration::from_secs(seconds));
                        wall.to_datetime().unwrap().to_rfc3339()
                    };
                    let grant = json!({ "state": true, "response_time": date(0), "payload": {
                        "access_token": format!("canary-access-{}", self.sign_ins),
                        "access_expire_at": date(900),
                    } });
                    let Act::Answer(response) = answer(200, &grant) else { unreachable!() };
                    self.session.on_reply(ticket, Reply::from(&response), self.now).unwrap();
                }
                Step::Wait { until, .. } => {
                    self.now = self.now.advanced_by(until.since(self.now.mono));
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("no token comes");
    }
}

/// An outcome in a word, and what it says of its request.
pub(crate) fn word<R>(outcome: &Outcome<R>) -> &'static str {
    outcome.ending().as_str()
}

macro_rules! without_token {
    ($($(#[$doc:meta])* $type:ident = $name:literal, $class:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $type;

        impl Operation for $type {
            const NAME: &'static str = $name;
            const PATH: Option<&'static str> = Some(concat!("/", $name));
            const AUTH: Auth = Auth::None;
            const CLASS: Class = Class::$class;
            const EVIDENCE: Evidence = Evidence::Assumed;
            type Reply = Json;

            fn encode(&self) -> Result<Body, EncodeError> {
                Body::json(&json!({ "password": "s3cret" }))
            }

            fn decode(success: Success<'_>) -> Result<Json, Malformed> {
                success.payload()
            }
        }
    )*};
}

without_token! {
    /// It carries a secret in its body, and no token.
    LogIn = "log-in", Read;
    /// The same, and what it carries may be spent.
    Spend = "spend", Create;
}
