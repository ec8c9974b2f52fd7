//! The sandbox and the way to it: what a fault does to one exchange.

use std::collections::BTreeMap;

use http::{Request, Response};
use imts_core::secret::Body;
use imts_core::time::Wall;
use imts_core::transport_error::NotSent;
use imts_core::{Class, TransportError};
use imts_sandbox::{
    Break, DEFAULT_SECRET, Decided, Delivery, Evidence, Fault as Wrong, Operation, Rule, Sandbox,
    Scripted, Served, Settings, Time,
};
use serde_json::json;

use super::asks::AGENTS;
use super::faults::Fault;
use super::ledger::Admitted;
use super::operations::{PLACES, Place};
use super::sign::{Reading, Sign};

/// When each schedule begins, by the service's clock.
pub(super) const START: i64 = 1_753_269_451_577_745;

pub(super) struct Service {
    pub(super) sandbox: Sandbox,
    /// By the service's own clock, which no jump of the client's moves.
    pub(super) now: i64,
    /// Whether some refusals come before any processing.
    decides: bool,
    /// The reply of [`Fault::Reply`], and whether the request is applied if the reply does not say.
    pub(super) given: Option<(Response<Vec<u8>>, bool)>,
    /// What is on its way still.
    delayed: Option<Request<Vec<u8>>>,
    /// How often each token exchange of a caller's own was applied: the sandbox has none of them.
    exchanged: BTreeMap<String, u64>,
}

/// What a client hears.
pub(super) enum Heard {
    Reply(Response<Vec<u8>>),
    TransportError(TransportError),
    Nothing,
}

impl Service {
    pub(super) fn new(decides: bool) -> Self {
        let mut settings = Settings::default();
        for place in &PLACES {
            let Some(operation) = place.operation() else { continue };
            let mut served = Served::new(place.path, place.class, Evidence::Assumed);
            if decides {
                served.decided = Decided { statuses: vec![429], codes: vec![json!("LIMIT")] };
            }
            settings.operations.insert(operation, served);
        }
        settings.agents = AGENTS.map(|agent| (agent.to_owned(), DEFAULT_SECRET.to_owned())).into();
        let (sandbox, exchanged) = (Sandbox::new(settings), BTreeMap::new());
        Self { sandbox, now: START, decides, given: None, delayed: None, exchanged }
    }

    pub(super) fn answer(&mut self, request: Request<Body>) -> Response<Vec<u8>> {
        self.handle(&request.map(|body| body.as_ref().to_vec()))
    }

    fn handle(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.sandbox.handle(Time::from_micros(self.now), request)
    }

    /// One exchange that meets a fault.
    pub(super) fn exchange(
        &mut self,
        request: Request<Body>,
        call: &Admitted,
        now: Wall,
        fault: Fault,
    ) -> Heard {
        let request = request.map(|body| body.as_ref().to_vec());
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
        let response = match call.key.place().operation() {
            Some(operation) => self.served(&request, operation, fault),
            None => self.exchanged(call, now),
        };
        match fault {
            Fault::LostReply => Heard::Nothing,
            _ if response.extensions().get::<Delivery>().is_some() => {
                Heard::TransportError(TransportError::unknown())
            }
            _ => Heard::Reply(response),
        }
    }

    /// The reply to a token exchange: if it is a grant, the exchange was applied.
    fn exchanged(&mut self, call: &Admitted, now: Wall) -> Response<Vec<u8>> {
        let (given, _) = self.given.take().expect("it has a reply of its own");
        let sign = Reading::of_exchange(&given, now).sign;
        if call.key.place().class != Class::Read && matches!(sign, Sign::Done(_) | Sign::Open) {
            *self.exchanged.entry(call.id.clone()).or_default() += 1;
        }
        given
    }

    fn served(
        &mut self,
        request: &Request<Vec<u8>>,
        operation: Operation,
        fault: Fault,
    ) -> Response<Vec<u8>> {
        self.prepare(request, operation, fault);
        let Some((given, applies)) = self.given.take() else { return self.handle(request) };
        let reading = Reading::of(&given, self.decides);
        let is_applied = match reading.sign {
            Sign::Done(_) => true,
            Sign::No | Sign::NotSent | Sign::Unauthorized => false,
            _ => applies && !reading.says_no && !reading.may_be_decided,
        };
        if is_applied {
            assert_eq!(self.handle(request).status(), 200);
        }
        given
    }

    /// What was delayed arrives after all.
    pub(super) fn settle(&mut self, place: &Place) {
        if let Some(request) = self.delayed.take() {
            if let Some(operation) = place.operation() {
                self.script(operation, None, None);
            }
            self.handle(&request);
        }
    }

    pub(super) fn applied(&self, place: &Place, id: &str) -> u64 {
        match place.operation() {
            Some(operation) => self.sandbox.ledger().applied(operation, id),
            None => self.exchanged.get(id).copied().unwrap_or_default(),
        }
    }

    fn prepare(&mut self, request: &Request<Vec<u8>>, operation: Operation, fault: Fault) {
        let close = Break::Close;
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
            // If a 429 is decided, nothing was applied.
            Fault::Applied(status) => scripted(status, None, Some(status != 429 || !self.decides)),
            Fault::SaysFalse(status) => {
                scripted(status, Some(json!({ "state": false })), Some(false))
            }
            Fault::Limit => scripted(503, Some(json!({ "code": "LIMIT" })), None),
            _ => (None, None),
        };
        self.script(operation, wrong, reply);
        if fault == Fault::Revoked {
            let header = request.headers()["authorization"].to_str().expect("a token");
            self.sandbox.revoke(header.trim_start_matches("Bearer "));
        }
    }

    fn script(&mut self, operation: Operation, wrong: Option<Wrong>, reply: Option<Scripted>) {
        let rule = wrong.map(|wrong| Rule::always(operation, wrong));
        self.sandbox.set_faults(rule.into_iter().collect());
        let operations = &mut self.sandbox.settings_mut().operations;
        let served = operations.get_mut(&operation).expect("it is served");
        served.replies = reply.into_iter().collect();
    }
}
