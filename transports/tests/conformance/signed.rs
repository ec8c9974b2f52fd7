//! Calls of signed services over each transport, under each way in which a delivery can fail: applied
//! at most once, and the outcome that the service's rule for repeats allows.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use imts::call::{Call, Ending};
use imts::operation::Json;
use imts::services::{card_api, gateway, gateway_async};
use imts::sign::jws::JwsKey;
use imts::sign::pg_sig::{AcceptingKey, PgSigner};
use imts::{Builder, Endpoint, Outcome, Policy, Service};
use imts_sandbox::{
    DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET, DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET, Delivery,
    Fault, Front, Operation, Rule, Sandbox, When,
};

use crate::Carrier;
use crate::client::Either;

const ID: &str = "828cf71d-a447-4a67-a149-c1df8bc197ca";

/// One rule for repeats, by an operation that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    /// A repeat is refused: Card API.
    Refused,
    /// A repeat gets the original reply: Async.
    Replayed,
    /// A repeat is applied: a payment by card.
    Applied,
}

impl Rules {
    const EACH: [Self; 3] = [Self::Refused, Self::Replayed, Self::Applied];

    fn service(self) -> Service {
        match self {
            Self::Refused => card_api::service(),
            Self::Replayed => gateway_async::service(),
            Self::Applied => gateway::service(),
        }
    }

    /// The operation's name in its service, and its request.
    fn call(self) -> (&'static str, String) {
        match self {
            Self::Refused => (
                "close-card",
                format!(r#"{{"request_id":"{ID}","card_id":"7","description":"d"}}"#),
            ),
            Self::Replayed => ("reverse", r#"{"id":"1000001"}"#.to_owned()),
            Self::Applied => (
                "token-pay",
                r#"{"pg_order_id":"23","pg_amount":"10","pg_card_token":"t"}"#.to_owned(),
            ),
        }
    }

    /// The operation's name in the sandbox, and the id under which the ledger has it.
    fn ledger(self) -> (Operation, &'static str) {
        let (name, id) = match self {
            Self::Refused => ("card-api.close-card", ID),
            Self::Replayed => ("gateway-async.reverse", ID),
            Self::Applied => ("gateway.purchase-card", "23"),
        };
        (name.parse().unwrap(), id)
    }

    fn builder(self, front: &Front) -> Builder {
        let mut policy = Policy::default();
        (policy.backoff_first, policy.call_attempts) = (Duration::from_millis(1), 3);
        policy.time_limit = Duration::from_millis(400);
        let (party, key) = match self {
            Self::Refused => (DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET),
            _ => (DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET),
        };
        let signer =
            PgSigner::new().with_accepting(AcceptingKey::new(DEFAULT_MERCHANT_SECRET).unwrap());
        Builder::new(Endpoint::plain_loopback(&front.url()).unwrap())
            .service(self.service())
            .policy(policy)
            .jws(party, JwsKey::new(key).unwrap())
            .pg_sig(DEFAULT_MERCHANT, signer)
    }

    fn perform(self, client: &Either) -> Outcome<Json> {
        let (name, request) = self.call();
        let request = Json::parse(&request).unwrap();
        let named = |call: Call<Json>| match self {
            Self::Replayed => call.with_reference(ID),
            _ => call,
        };
        match client {
            Either::Threads(client) => {
                let call = named(client.call_named(name, &request).unwrap());
                client.perform(call).unwrap()
            }
            Either::Tasks(client) => {
                let call = named(client.call_named(name, &request).unwrap());
                crate::RUNTIME.block_on(client.perform(call)).unwrap()
            }
        }
    }
}

fn run(carrier: &Carrier, rules: Rules, delivery: Delivery) -> (Ending, u64, usize) {
    let (operation, id) = rules.ledger();
    let mut service = Sandbox::default();
    let fault = Fault::Delivery(delivery);
    service.set_faults(vec![Rule { operation: Some(operation), when: When::Nth(1), fault }]);
    let front = Front::start(service).unwrap();
    let client = carrier.client(rules.builder(&front));
    let ending = rules.perform(&client).ending();
    let sandbox = front.sandbox();
    (ending, sandbox.ledger().applied(operation, id), sandbox.count(operation))
}

#[test]
fn a_signed_call_is_applied_at_most_once_under_every_delivery_and_its_outcome_agrees() {
    let mut trials = Vec::new();
    for carrier in Carrier::each() {
        for rules in Rules::EACH {
            // hyper reads interim replies for as long as there are any.
            let each = Delivery::each()
                .filter(|it| !carrier.is_over_reqwest() || *it != Delivery::InterimFlood);
            trials.extend(each.map(|delivery| (carrier.clone(), rules, delivery)));
        }
    }
    let all = trials.len();
    let (trials, replayed) = (Mutex::new(trials), Mutex::new(0));
    thread::scope(|scope| {
        // Most of them wait.
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let trial = trials.lock().unwrap().pop();
                    let Some((carrier, rules, delivery)) = trial else { return };
                    let (ending, applied, sent) = run(&carrier, rules, delivery);
                    let tell = format!("{carrier:?} {rules:?} {delivery:?}: {ending:?}");
                    assert!(applied <= 1, "{tell}: applied {applied} times");
                    match ending {
                        Ending::Done => assert_eq!(applied, 1, "{tell}"),
                        Ending::Refused | Ending::NotSent => assert_eq!(applied, 0, "{tell}"),
                        Ending::Unknown => {}
                    }
                    match rules {
                        Rules::Replayed => *replayed.lock().unwrap() += usize::from(sent > 1),
                        _ => assert!(sent <= 1, "{tell}: sent {sent} times"),
                    }
                }
            });
        }
    });
    assert!(all > 300, "{all} trials");
    let replayed = replayed.into_inner().unwrap();
    assert!(replayed > 20, "only {replayed} calls were sent again");
}
