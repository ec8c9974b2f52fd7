//! Both ready-made transports against the service on a socket, which breaks at each position: what
//! each class makes of it, and what is written down. Every way in which a socket breaks, under every
//! kind of exchange, is the conformance suite's.

use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use imts::call::{CallError, Ending};
use imts::operation::Custom;
use imts::services::transfer::{Confirm, CreatePerson, Status};
use imts::{Builder, Class, Credentials, Endpoint, HyperTransport, Outcome, UreqTransport};
use imts_sandbox::{
    Break, DEFAULT_AGENT, DEFAULT_SECRET, Delivery, Fault, Front, Operation, Position, Rule, When,
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{Notes, TRIED, confirm, known_service, policy, request, sandbox};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
});

#[derive(Clone, Copy, Debug)]
enum Carrier {
    Ureq,
    Hyper,
}

const BOTH: [Carrier; 2] = [Carrier::Ureq, Carrier::Hyper];

/// What a call came to, and whether it was said that its request never left.
type Came = (Ending, bool);

/// One service, one client over one transport.
struct Line {
    front: Front,
    notes: Notes,
    carrier: Carrier,
    trusts_401: bool,
}

impl Line {
    fn new(carrier: Carrier) -> Self {
        Self::to(Front::start(sandbox()).unwrap(), carrier)
    }

    fn to(front: Front, carrier: Carrier) -> Self {
        Self { front, notes: Notes::default(), carrier, trusts_401: false }
    }

    fn meets(&self, operation: Operation, when: When, delivery: Delivery) {
        let fault = Fault::Delivery(delivery);
        self.front.sandbox().set_faults(vec![Rule { operation: Some(operation), when, fault }]);
    }

    fn builder(&self) -> Builder {
        let mut policy = policy();
        policy.unauthorized_is_unprocessed = self.trusts_401;
        Builder::new(Endpoint::plain_loopback(&self.front.url()).unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .service(known_service())
            .policy(policy)
            .journal(self.notes.clone())
    }

    /// Makes these calls in turn, by one client, each once its predecessor's connection is most
    /// likely back in its pool.
    fn calls(&self, class: Class, ids: &[&str]) -> Vec<Came> {
        match self.carrier {
            Carrier::Ureq => {
                let client = self.builder().blocking(UreqTransport::new().unwrap()).unwrap();
                let call = |id: &&str| match class {
                    Class::Read => came(&client.call(&request::<Status>(id)).unwrap()),
                    Class::Create => came(&client.call(&request::<CreatePerson>(id)).unwrap()),
                    Class::Money => came(&client.call(&confirm(id)).unwrap()),
                };
                ids.iter().map(call).collect()
            }
            Carrier::Hyper => {
                let client = self.builder().nonblocking(HyperTransport::new().unwrap()).unwrap();
                let call = async |id: &str| match class {
                    Class::Read => came(&client.call(&request::<Status>(id)).await.unwrap()),
                    Class::Create => {
                        came(&client.call(&request::<CreatePerson>(id)).await.unwrap())
                    }
                    Class::Money => came(&client.call(&confirm(id)).await.unwrap()),
                };
                let paced = |id: &&str| {
                    let came = RUNTIME.block_on(call(id));
                    thread::sleep(Duration::from_millis(if ids.len() > 1 { 30 } else { 0 }));
                    came
                };
                ids.iter().map(paced).collect()
            }
        }
    }

    fn applied(&self, id: &str) -> u64 {
        let sandbox = self.front.sandbox();
        let intents = sandbox.ledger().intents().filter(|intent| intent.id == id);
        intents.map(|intent| intent.applied).sum()
    }
}

fn came<R>(outcome: &Outcome<R>) -> Came {
    let says_unsent = match outcome {
        Outcome::Failed(failed) => match failed.why() {
            CallError::Failed(failure) => failure.is_not_sent(),
            _ => false,
        },
        _ => false,
    };
    (outcome.ending(), says_unsent)
}

#[test]
fn wherever_an_exchange_breaks_the_end_is_what_position_and_class_say() {
    for carrier in BOTH {
        for at in Position::EACH {
            for by in [Break::Close, Break::Reset, Break::HalfClose] {
                for (_, operation, _, class) in TRIED {
                    let line = Line::new(carrier);
                    // A question is asked again, and answered.
                    let (when, expected) = match class {
                        Class::Read => (When::Nth(1), Ending::Done),
                        _ => (When::Always, Ending::Unknown),
                    };
                    line.meets(operation, when, Delivery::Broken { at, by });
                    let came = line.calls(class, &["a"]);
                    let tell = format!("{carrier:?} {at:?} {by:?} {class}");
                    assert_eq!(came, [(expected, false)], "{tell}");
                    let applies = class != Class::Read && at.applies();
                    assert_eq!(line.applied("a"), u64::from(applies), "{tell}");
                    if class == Class::Money {
                        let lines = ["intent a", "sending 1", "ended 1 unknown"];
                        assert_eq!(line.notes.lines(), lines, "{tell}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_pooled_connection_that_dies_as_it_is_used_again_leaves_money_unknown() {
    for carrier in BOTH {
        for at in Position::EACH {
            for by in [Break::Close, Break::Reset] {
                let tell = format!("{carrier:?} {at:?} {by:?}");
                let met = (0..100).any(|_| dies_in_the_pool(carrier, at, by, &tell));
                assert!(met, "{tell}: no connection was used twice, or what broke was sent again");
            }
        }
    }
}

/// Whether a connection was back in its pool in time to break as it is used again; if so, how the
/// call ended must be what the position says.
fn dies_in_the_pool(carrier: Carrier, at: Position, by: Break, tell: &str) -> bool {
    let line = Line::new(carrier);
    line.meets(Operation::Confirm, When::Nth(1), Delivery::NextBroken { at, by });
    let came = line.calls(Class::Money, &["a", "b", "c"]);
    let applied = ["a", "b", "c"].map(|id| line.applied(id));
    let expected = [Ending::Done, Ending::Done, Ending::Done].map(|ending| (ending, false));
    if came == expected {
        assert_eq!(applied, [1, 1, 1], "{tell}");
        return false;
    }
    let expected = [Ending::Done, Ending::Unknown, Ending::Done].map(|ending| (ending, false));
    assert_eq!(came, expected, "{tell}");
    assert_eq!(applied, [1, u64::from(at.applies()), 1], "{tell}");
    true
}

#[test]
fn a_service_that_is_gone_is_not_sent_and_nothing_is_in_doubt() {
    for carrier in BOTH {
        let line = Line::new(carrier);
        let elsewhere = Line::new(carrier);
        let token = {
            let client = elsewhere.builder().blocking(UreqTransport::new().unwrap()).unwrap();
            drop(client.token().unwrap());
            client.saved().unwrap()
        };
        let builder = elsewhere.builder().restore(token);
        drop(elsewhere.front);
        let outcome = match carrier {
            Carrier::Ureq => {
                let client = builder.blocking(UreqTransport::new().unwrap()).unwrap();
                came(&client.call(&confirm("a")).unwrap())
            }
            Carrier::Hyper => {
                let client = builder.nonblocking(HyperTransport::new().unwrap()).unwrap();
                came(&RUNTIME.block_on(client.call(&confirm("a"))).unwrap())
            }
        };
        assert_eq!(outcome, (Ending::NotSent, true), "{carrier:?}");
        let lines = elsewhere.notes.lines();
        assert_eq!(lines.last().unwrap(), "ended 1 not_sent", "{lines:?}");
        assert!(line.front.sandbox().ledger().intents().next().is_none());
    }
}

#[test]
fn after_a_401_the_same_body_goes_over_the_socket_once_more_neither_lost_nor_doubled() {
    for carrier in BOTH {
        for length in [10, 200_000] {
            let bodies = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&bodies);
            let front = Front::builder(sandbox()).handler(move |sandbox, now, request| {
                if request.uri().path().ends_with("/confirm") {
                    seen.lock().unwrap().push(request.body().clone());
                }
                sandbox.handle(now, request)
            });
            let line = Line { trusts_401: true, ..Line::to(front.start().unwrap(), carrier) };
            let fault = Fault::Status { status: 401, retry_after_s: None };
            let rule = Rule { operation: Some(Operation::Confirm), when: When::Nth(1), fault };
            line.front.sandbox().set_faults(vec![rule]);
            let id = "a".repeat(200);
            let long = json!({ "client_uuid": id, "note": "n".repeat(length) });
            let operation = Custom::<Confirm, _>::new(long.clone()).with_reference(&id);
            let outcome = match carrier {
                Carrier::Ureq => {
                    let client = line.builder().blocking(UreqTransport::new().unwrap()).unwrap();
                    client.call(&operation).unwrap().ending()
                }
                Carrier::Hyper => {
                    let client = line.builder().nonblocking(HyperTransport::new().unwrap());
                    RUNTIME.block_on(client.unwrap().call(&operation)).unwrap().ending()
                }
            };
            assert_eq!((outcome, line.applied(&id)), (Ending::Done, 1), "{carrier:?}");
            let bodies = bodies.lock().unwrap();
            assert_eq!(bodies.len(), 2, "{carrier:?}");
            assert!(bodies.iter().all(|body| *body == long.to_string().as_bytes()), "{carrier:?}");
        }
    }
}
