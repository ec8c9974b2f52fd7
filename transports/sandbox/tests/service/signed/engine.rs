//! The core's engine against the sandbox: under each rule for repeats, and under each way in which a
//! delivery can fail, a call is applied at most once, and its outcome is one that the rule allows.

use std::time::Duration;

use http::Response;
use imts_core::call::{Call, CallStep, Ending, Keys, Outcome, Signatory};
use imts_core::operation::Json;
use imts_core::services::{card_api, e_money, gateway, gateway_async, merchant};
use imts_core::sign::jws::JwsKey;
use imts_core::time::{Mono, Wall};
use imts_core::{Endpoint, Now, Policy, Reply, Service, TransportError};
use imts_sandbox::{
    DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET, DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET, Delivery,
    Fault, Rule, Sandbox, Time, When,
};
use serde_json::{Value, json};

use super::{ID, named};
use crate::NOON;

/// One operation that creates something or moves money, under one rule for repeats.
struct Scene {
    signatory: Signatory,
    /// The operation's name in its service.
    name: &'static str,
    /// Its name in the sandbox, and the id under which the ledger has it.
    ledger: (&'static str, &'static str),
    request: Value,
    /// An id that goes into a header.
    reference: Option<&'static str>,
    now: Now,
}

impl Scene {
    fn new(
        service: Service,
        (name, ledger): (&'static str, (&'static str, &'static str)),
        request: Value,
        reference: Option<&'static str>,
    ) -> Self {
        let is_merchants = ledger.0.starts_with("gateway") || ledger.0.starts_with("merchant");
        let (party, key) = match is_merchants {
            true => (DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET),
            false => (DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET),
        };
        let keys = Keys::new()
            .with_jws(party, JwsKey::new(key).unwrap())
            .with_pg_sig(DEFAULT_MERCHANT, super::merchant());
        let endpoint = Endpoint::https("https://sandbox.example").unwrap();
        let signatory = Signatory::new(endpoint, service, Policy::default(), keys);
        let now = Now { mono: Mono::default(), wall: Wall::from_unix_micros(NOON.micros()) };
        Self { signatory, name, ledger, request, reference, now }
    }

    fn call(&self, name: &str, request: &Json) -> Call<Json> {
        let deadline = self.now.advanced_by(Duration::from_secs(60)).mono;
        self.signatory.call_named(name, request, [7; 16], deadline).unwrap()
    }

    /// Makes the call once, with as many attempts as the engine makes.
    fn play(&mut self, service: &mut Sandbox) -> Outcome<Json> {
        let request = Json::parse(&self.request.to_string()).unwrap();
        let call = self.call(self.name, &request);
        let call = match self.reference {
            Some(reference) => call.with_reference(reference),
            None => call,
        };
        self.drive(service, call)
    }

    fn drive(&mut self, service: &mut Sandbox, mut call: Call<Json>) -> Outcome<Json> {
        loop {
            match call.poll(self.now) {
                CallStep::Send(exchange) => {
                    let request = exchange.into_request().map(|body| body.as_ref().to_vec());
                    let response =
                        service.handle(Time::from_micros(self.now.wall.unix_micros()), &request);
                    match arrives(&response) {
                        true => call.on_reply(Reply::from(&response), self.now),
                        false => call.on_failure(TransportError::unknown(), self.now),
                    }
                }
                CallStep::Wait { until } => {
                    let by = until.as_micros() - self.now.mono.as_micros();
                    self.now = self.now.advanced_by(Duration::from_micros(by));
                }
                CallStep::Over(outcome) => return outcome,
                other => panic!("{other:?}"),
            }
        }
    }

    fn applied(&self, service: &Sandbox) -> u64 {
        service.ledger().applied(named(self.ledger.0), self.ledger.1)
    }

    /// Asks what became of a call, as its outcome says. Returns whether the service knows the call.
    fn is_known(&mut self, service: &mut Sandbox, outcome: &Outcome<Json>) -> bool {
        let Outcome::Unknown(unknown) = outcome else { panic!("{outcome:?}") };
        let question = unknown.question().expect("nothing says what to ask");
        let call = self.call(question.operation(), &question.request());
        match self.drive(service, call) {
            Outcome::Done(_) => true,
            Outcome::Refused(_) => false,
            other => panic!("{other:?}"),
        }
    }
}

/// Whether a client gets the whole reply.
fn arrives(response: &Response<Vec<u8>>) -> bool {
    let whole = |delivery: &Delivery| {
        matches!(delivery, Delivery::Drip(_) | Delivery::Interim(_) | Delivery::NextBroken { .. })
    };
    response.extensions().get().is_none_or(whole)
}

fn faulted(scene: &Scene, fault: Fault) -> Sandbox {
    let mut service = Sandbox::default();
    let operation = Some(named(scene.ledger.0));
    service.set_faults(vec![Rule { operation, when: When::Nth(1), fault }]);
    service
}

fn close() -> Scene {
    let request = json!({ "request_id": ID, "card_id": "7", "description": "d" });
    Scene::new(card_api::service(), ("close-card", ("card-api.close-card", ID)), request, None)
}

fn block() -> Scene {
    let request = json!({ "request_id": ID, "identifier": "w", "description": "d" });
    Scene::new(e_money::service(), ("block", ("e-money.block", ID)), request, None)
}

fn reverse() -> Scene {
    let names = ("reverse", ("gateway-async.reverse", ID));
    Scene::new(gateway_async::service(), names, json!({ "id": "1000001" }), Some(ID))
}

fn pay() -> Scene {
    let names = ("token-pay", ("gateway.purchase-card", "23"));
    let request = json!({ "pg_order_id": "23", "pg_amount": "10", "pg_card_token": "t" });
    Scene::new(gateway::service(), names, request, None)
}

fn prepare() -> Scene {
    let names = ("confirm-token-payment", ("merchant.confirm-token-payment", "1000001"));
    let request = json!({ "pg_merchant_id": DEFAULT_MERCHANT, "pg_payment_id": "1000001" });
    Scene::new(merchant::service(), names, request, None)
}

#[test]
fn without_a_fault_each_call_is_done_and_applied_once() {
    for mut scene in [close(), block(), reverse(), pay(), prepare()] {
        let mut service = Sandbox::default();
        let outcome = scene.play(&mut service);
        assert_eq!(outcome.ending(), Ending::Done, "{}: {outcome:?}", scene.name);
        assert_eq!(scene.applied(&service), 1, "{}", scene.name);
    }
}

#[test]
fn a_call_whose_repeat_is_refused_is_asked_about_and_never_applied_twice() {
    for delivery in Delivery::each() {
        let mut scene = close();
        let mut service = faulted(&scene, Fault::Delivery(delivery));
        let outcome = scene.play(&mut service);
        let applied = u64::from(delivery.applies());
        assert_eq!(scene.applied(&service), applied, "{delivery:?}");
        if outcome.ending() != Ending::Done {
            assert_eq!(outcome.ending(), Ending::Unknown, "{delivery:?}");
            assert_eq!(scene.is_known(&mut service, &outcome), applied == 1, "{delivery:?}");
        }
    }
}

#[test]
fn a_call_whose_reply_is_replayed_is_sent_again_and_applied_once() {
    for delivery in Delivery::each() {
        let mut scene = reverse();
        let mut service = faulted(&scene, Fault::Delivery(delivery));
        let outcome = scene.play(&mut service);
        assert_eq!(outcome.ending(), Ending::Done, "{delivery:?}: {outcome:?}");
        assert_eq!(scene.applied(&service), 1, "{delivery:?}");
    }
}

#[test]
fn a_call_without_a_rule_for_repeats_is_sent_once_and_asked_about_by_its_order() {
    for delivery in Delivery::each() {
        let mut scene = pay();
        let mut service = faulted(&scene, Fault::Delivery(delivery));
        let outcome = scene.play(&mut service);
        let applied = u64::from(delivery.applies());
        assert_eq!(scene.applied(&service), applied, "{delivery:?}");
        assert_eq!(service.count(named("gateway.purchase-card")), 1, "{delivery:?}");
        if outcome.ending() != Ending::Done {
            assert_eq!(outcome.ending(), Ending::Unknown, "{delivery:?}");
            assert_eq!(scene.is_known(&mut service, &outcome), applied == 1, "{delivery:?}");
        }
    }
}

#[test]
fn a_refused_repeat_is_never_taken_for_nothing_happened() {
    for mut scene in [close(), block()] {
        let mut service = Sandbox::default();
        assert_eq!(scene.play(&mut service).ending(), Ending::Done);
        assert_eq!(scene.play(&mut service).ending(), Ending::Unknown, "{}", scene.name);
        assert_eq!(scene.applied(&service), 1);
    }
}

#[test]
fn a_signed_reply_that_does_not_verify_is_neither_done_nor_refused() {
    let refused = Fault::Field { name: "pg_status".to_owned(), value: json!("error") };
    for (fault, expected) in [
        (Fault::Unsigned, Ending::Unknown),
        (Fault::WronglySigned, Ending::Unknown),
        (Fault::Body { text: "<response>".to_owned() }, Ending::Unknown),
        (refused, Ending::Refused),
    ] {
        let mut scene = pay();
        let mut service = faulted(&scene, fault.clone());
        let outcome = scene.play(&mut service);
        assert_eq!(outcome.ending(), expected, "{fault:?}: {outcome:?}");
        assert_eq!(scene.applied(&service), 1, "{fault:?}");
    }
}

#[test]
fn a_well_signed_reply_about_another_order_is_not_believed() {
    let mut scene = pay();
    let mut service = faulted(&scene, Fault::OtherOrder);
    let outcome = scene.play(&mut service);
    assert_eq!(outcome.ending(), Ending::Unknown, "{outcome:?}");
    assert_eq!(scene.applied(&service), 1);
}

#[test]
fn a_page_of_html_with_403_is_not_called_done_and_nothing_is_applied() {
    let mut scene = pay();
    let mut service = faulted(&scene, Fault::Html { status: 403 });
    let outcome = scene.play(&mut service);
    assert_ne!(outcome.ending(), Ending::Done);
    assert_eq!(scene.applied(&service), 0);
}
