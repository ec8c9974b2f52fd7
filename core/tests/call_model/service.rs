//! The sandbox and the way to it: what a fault does to one exchange.

use http::{Request, Response};
use imts_core::secret::Body;
use imts_core::transport_error::NotSent;
use imts_core::{Class, TransportError};
use imts_sandbox::{
    Class as Kind, DEFAULT_SECRET, Decided, Delivery, Ending, Evidence, Fault as Wrong, Operation,
    Rule, Sandbox, Scripted, Served, Settings, Time,
};
use serde_json::json;

use crate::schedule::Fault;

pub(crate) const PATH: &str = "/v5/partner/transfer/example";

pub(crate) struct Service {
    pub(crate) sandbox: Sandbox,
    /// What the next request asks for.
    pub(crate) operation: Operation,
    /// By the service's own clock, which no jump of the client's moves.
    pub(crate) now: i64,
    /// What is on its way still.
    delayed: Option<Request<Vec<u8>>>,
}

/// What a client hears.
pub(crate) enum Heard {
    Reply(Response<Vec<u8>>),
    /// The same, after its time.
    Late(Response<Vec<u8>>),
    TransportError(TransportError),
    Nothing,
}

impl Service {
    pub(crate) fn new(class: Class) -> Self {
        let (operation, kind) = match class {
            Class::Read => (Operation::Status, Kind::Read),
            Class::Create => (Operation::CreatePerson, Kind::Create),
            Class::Money => (Operation::Confirm, Kind::Money),
        };
        Self::serving(&[(operation, PATH, kind)])
    }

    /// A service with operations that change something, for more agents than one.
    pub(crate) fn of(operations: &[(Operation, &str)], agents: &[&str]) -> Self {
        let served: Vec<_> = operations
            .iter()
            .map(|(operation, path)| {
                let creates = matches!(operation, Operation::CreatePerson);
                (*operation, *path, if creates { Kind::Create } else { Kind::Money })
            })
            .collect();
        let mut service = Self::serving(&served);
        for agent in agents {
            let agents = &mut service.sandbox.settings_mut().agents;
            agents.insert((*agent).to_owned(), DEFAULT_SECRET.to_owned());
        }
        service
    }

    fn serving(operations: &[(Operation, &str, Kind)]) -> Self {
        let mut settings = Settings::default();
        for (operation, path, kind) in operations {
            let mut served = Served::new(*path, *kind, Evidence::Assumed);
            served.decided = Decided { statuses: vec![], codes: vec![json!("LIMIT")] };
            settings.operations.insert(*operation, served);
        }
        let (sandbox, operation) = (Sandbox::new(settings), operations[0].0);
        Self { sandbox, operation, now: 1_753_269_451_577_745, delayed: None }
    }

    pub(crate) fn answer(&mut self, request: Request<Body>) -> Response<Vec<u8>> {
        self.handle(&request.map(|body| body.as_ref().to_vec()))
    }

    fn handle(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.sandbox.handle(Time::from_micros(self.now), request)
    }

    /// One exchange that meets a fault.
    pub(crate) fn exchange(&mut self, request: Request<Body>, fault: Fault) -> Heard {
        let request = request.map(|body| body.as_ref().to_vec());
        self.prepare(&request, fault);
        match fault {
            Fault::NotSent => {
                return Heard::TransportError(TransportError::not_sent(NotSent::vouch()));
            }
            Fault::LostRequest => return Heard::Nothing,
            Fault::Delayed => {
                self.delayed = Some(request);
                return Heard::Nothing;
            }
            _ => {}
        }
        let response = self.handle(&request);
        match fault {
            Fault::LostReply => Heard::Nothing,
            Fault::Late => Heard::Late(response),
            _ if response.extensions().get::<Delivery>().is_some() => {
                Heard::TransportError(TransportError::unknown())
            }
            _ => Heard::Reply(response),
        }
    }

    /// What was delayed arrives after all.
    pub(crate) fn settle(&mut self) {
        if let Some(request) = self.delayed.take() {
            self.script(None, None);
            self.handle(&request);
        }
    }

    pub(crate) fn applied(&self, id: &str) -> u64 {
        self.sandbox.ledger().applied(self.operation, id)
    }

    fn prepare(&mut self, request: &Request<Vec<u8>>, fault: Fault) {
        let close = Ending::Close;
        let scripted = |status, body, applied| {
            let mut reply = Scripted::status(status);
            (reply.body, reply.applied) = (body, applied);
            (None, Some(reply))
        };
        let wrong = |wrong| (Some(wrong), None);
        let (wrong, reply) = match fault {
            Fault::Broken(at) => wrong(Wrong::Delivery(Delivery::Broken { at, by: close })),
            Fault::Status(status @ 300..400) => {
                let location = "https://elsewhere.example/".to_owned();
                wrong(Wrong::Redirect { status, location })
            }
            Fault::Status(status) => wrong(Wrong::Status { status, retry_after_s: None }),
            Fault::Page => wrong(Wrong::Html { status: 200 }),
            Fault::Garbage => wrong(Wrong::Body { text: "{\"state\":true,".to_owned() }),
            Fault::OtherType => wrong(Wrong::ContentType { value: "text/html".to_owned() }),
            Fault::Applied(status) => scripted(status, None, Some(true)),
            Fault::SaysFalse(status) => {
                scripted(status, Some(json!({ "state": false })), Some(false))
            }
            Fault::Decided => scripted(503, Some(json!({ "code": "LIMIT" })), None),
            _ => (None, None),
        };
        self.script(wrong, reply);
        if fault == Fault::Revoked {
            let header = request.headers()["authorization"].to_str().unwrap();
            self.sandbox.revoke(header.trim_start_matches("Bearer "));
        }
    }

    fn script(&mut self, wrong: Option<Wrong>, reply: Option<Scripted>) {
        let rule = wrong.map(|wrong| Rule::always(self.operation, wrong));
        self.sandbox.set_faults(rule.into_iter().collect());
        let served = self.sandbox.settings_mut().operations.get_mut(&self.operation).unwrap();
        served.replies = reply.into_iter().collect();
    }
}
