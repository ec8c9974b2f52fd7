//! Every way in which the service's socket can break or drag, by each transport, under a sign-in, a
//! refresh, a question and a call that moves money: the end is a typed one, it comes within its
//! time limit, and nothing that may have been processed is sent again.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use imts::call::CallError;
use imts::operation::Custom;
use imts::service_file::service_of;
use imts::services::transfer::{Confirm, Status};
use imts::{Builder, Outcome as Ended, Policy};
use imts_sandbox::{Break, Delivery, Fault, Front, Operation, Position, Rule, Sandbox, When};
use serde_json::json;

use crate::client::Either;
use crate::hostile::Outcome;
use crate::raw::Raw;
use crate::{Carrier, GRANT, ok, plain};

const SERVICE_FILE: &str = r#"
version = 1
[operation.status]
path = "/v5/partner/transfer/status-example"
[operation.confirm]
path = "/v5/partner/transfer/confirm-example"
"#;

/// What is exchanged.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Token,
    Refresh,
    Read,
    Money,
}

const KINDS: [Kind; 4] = [Kind::Token, Kind::Refresh, Kind::Read, Kind::Money];

impl Kind {
    fn operation(self) -> Operation {
        match self {
            Self::Token => Operation::GetToken,
            Self::Refresh => Operation::Refresh,
            Self::Read => Operation::Status,
            Self::Money => Operation::Confirm,
        }
    }
}

/// What comes of a delivery, whatever it is that is delivered so.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Comes {
    Whole,
    /// No whole reply.
    Lost,
    /// No whole reply in time.
    Late,
    /// The one or the other.
    LostOrLate,
    /// A reply with these words in what is said of it, and whether its status is a success.
    Reply(&'static str, bool),
}

impl Comes {
    fn of(delivery: Delivery) -> Self {
        use Delivery as D;
        match delivery {
            D::Broken { by: Break::Stall, .. } | D::NextBroken { by: Break::Stall, .. } => {
                Self::Late
            }
            D::Broken { .. } | D::NextBroken { .. } => Self::Lost,
            D::Closed | D::Reset | D::HalfClosed | D::CutAfter(_) | D::ResetAfter(_) => Self::Lost,
            D::BadChunk | D::HeaderFlood => Self::Lost,
            D::Drip(0) | D::Interim(_) => Self::Whole,
            D::Stalled | D::StalledAfter(_) | D::Drip(_) => Self::Late,
            D::InterimFlood => Self::LostOrLate,
            D::EndlessWithLength | D::EndlessUntilClose | D::EndlessChunked => {
                Self::Reply("longer than 65536 bytes", true)
            }
            D::GzipBomb => Self::Reply("not UTF-8", true),
            D::RedirectTo(_) => Self::Reply("307", false),
            other => panic!("a delivery without a row: {other:?}"),
        }
    }

    /// Whether it may take all the time that there is.
    fn lasts(self) -> bool {
        matches!(self, Self::Late | Self::LostOrLate)
    }

    fn is(self, outcome: &Outcome) -> bool {
        match self {
            Self::Whole => matches!(outcome, Outcome::Token(_)),
            Self::Lost => *outcome == Outcome::Lost,
            Self::Late => *outcome == Outcome::Late,
            Self::LostOrLate => matches!(outcome, Outcome::Lost | Outcome::Late),
            Self::Reply(words, _) => {
                matches!(outcome, Outcome::Reply(text) if text.contains(words))
            }
        }
    }
}

/// Whether what was delivered met the exchange.
#[derive(PartialEq)]
enum Met {
    Yes,
    /// It met none: no connection was used again.
    Not,
    /// The machine was too busy to bring the request to the service in time.
    TooSlowly,
}

/// One delivery, under one kind of exchange.
struct Trial {
    carrier: Carrier,
    kind: Kind,
    delivery: Delivery,
    front: Front,
}

impl Trial {
    fn new(carrier: &Carrier, kind: Kind, delivery: Delivery) -> Self {
        let front = Front::start(Sandbox::with_service_file(SERVICE_FILE).unwrap()).unwrap();
        Self { carrier: carrier.clone(), kind, delivery, front }
    }

    /// Whether the exchange went over a connection that had been used before, and broke as the
    /// sign-in on it foretold.
    fn is_of_the_next(&self) -> bool {
        matches!(self.delivery, Delivery::NextBroken { .. })
    }

    fn builder(&self, time_limit: Duration) -> Builder {
        let mut policy = Policy::default();
        (policy.backoff_first, policy.settle) = (Duration::from_millis(1), Duration::ZERO);
        policy.time_limit = time_limit;
        policy.call_attempts = if self.is_of_the_next() { 1 } else { 2 };
        plain(&self.front.url()).service(service_of(SERVICE_FILE).unwrap()).policy(policy)
    }

    /// A client that is to make the exchange, with a token where that takes one.
    fn client(&self, time_limit: Duration) -> Either {
        let (operation, when) = match self.is_of_the_next() {
            true => (Operation::GetToken, When::Nth(1)),
            false => (self.kind.operation(), When::Always),
        };
        let (operation, fault) = (Some(operation), Fault::Delivery(self.delivery));
        self.front.sandbox().set_faults(vec![Rule { operation, when, fault }]);
        let builder = self.builder(time_limit);
        if self.kind == Kind::Token && !self.is_of_the_next() {
            return self.carrier.client(builder);
        }
        // The token is signed in for by another client, which has time.
        let other = self.carrier.client(self.builder(Duration::from_secs(60)));
        other.token().unwrap();
        if self.is_of_the_next() {
            // Until its connection is most likely back in the pool.
            thread::sleep(Duration::from_millis(30));
        }
        match self.kind {
            Kind::Token => self.carrier.client(builder),
            _ => self.carrier.client(builder.restore(other.saved().unwrap())),
        }
    }

    /// Makes the exchange, which may take so many seconds where it lasts.
    fn run(&self, seconds: u64) -> Met {
        let comes = Comes::of(self.delivery);
        let limit = Duration::from_secs(if comes.lasts() { seconds } else { 60 });
        let client = self.client(limit);
        let began = Instant::now();
        let outcome = self.exchange(&client);
        let took = began.elapsed();
        let tell = format!("{:?} {:?} {:?}: {outcome:?}", self.carrier, self.kind, self.delivery);
        assert!(took < 2 * limit + Duration::from_secs(50), "{tell}: after {took:?}");
        if self.is_of_the_next() && matches!(outcome, Outcome::Token(_)) {
            return Met::Not;
        }
        let heard = self.front.sandbox().count(self.kind.operation());
        if comes.lasts() && seconds < 60 && heard < self.sent(comes) {
            return Met::TooSlowly;
        }
        // A refresh that cannot be read is followed by a sign-in at once.
        let signed_in = self.kind == Kind::Refresh && matches!(comes, Comes::Reply(_, true));
        let expected = if signed_in { Comes::Whole } else { comes };
        assert!(expected.is(&outcome), "{tell}, and not {expected:?}");
        self.check_what_was_sent(comes, &tell);
        if self.kind == Kind::Refresh {
            self.recovers(&client, comes, &tell);
        }
        Met::Yes
    }

    fn exchange(&self, client: &Either) -> Outcome {
        let id = json!({ "client_uuid": "17" });
        let of = |token: Result<imts::BearerGuard, imts::TokenError>| match token {
            Ok(bearer) => Outcome::Token(bearer.expose_token().to_owned()),
            Err(error) => Outcome::from(&error),
        };
        match self.kind {
            Kind::Token => of(client.token()),
            Kind::Refresh => {
                client.reject(client.token().unwrap().epoch());
                of(client.token())
            }
            Kind::Read => self.ended(&client.call(&Custom::<Status, _>::new(id))),
            Kind::Money => self.ended(&client.call(&Custom::<Confirm, _>::new(id))),
        }
    }

    /// What a call came to; where it is not done, money is in doubt and a question is not.
    fn ended<R: std::fmt::Debug>(&self, ended: &Ended<R>) -> Outcome {
        let why = match (ended, self.kind) {
            (Ended::Done(_), _) => return Outcome::Token("done".to_owned()),
            (Ended::Unknown(unknown), Kind::Money) => unknown.why(),
            (Ended::Failed(failed), Kind::Read) => failed.why(),
            _ => panic!("{:?} {:?} {:?}: {ended:?}", self.carrier, self.kind, self.delivery),
        };
        match why {
            CallError::Reply(error) => Outcome::Reply(error.to_string()),
            CallError::Failed(failure) => Outcome::failed(failure),
            other => panic!("{other:?}"),
        }
    }

    /// How many the service sees: what breaks may have been processed, and is sent once; a question
    /// without an answer twice.
    fn sent(&self, comes: Comes) -> usize {
        let seen = match self.delivery {
            // The service never sees what breaks before it is applied.
            Delivery::NextBroken { at, .. } => usize::from(at.applies()),
            _ => 1,
        };
        match self.kind {
            // The one with which the connection was opened.
            Kind::Token if self.is_of_the_next() => seen + 1,
            Kind::Read if !self.is_of_the_next() && is_asked_again(comes) => 2,
            _ => seen,
        }
    }

    fn check_what_was_sent(&self, comes: Comes, tell: &str) {
        let sandbox = self.front.sandbox();
        assert_eq!(sandbox.count(self.kind.operation()), self.sent(comes), "{tell}");
        let applies = match self.delivery {
            Delivery::NextBroken { at, .. } => at.applies(),
            delivery => delivery.applies(),
        };
        if self.kind == Kind::Money {
            assert_eq!(
                sandbox.ledger().applied(Operation::Confirm, "17"),
                u64::from(applies),
                "{tell}"
            );
        }
    }

    /// A refresh token that may be spent is not sent again: the next token is signed in for.
    fn recovers(&self, client: &Either, comes: Comes, tell: &str) {
        let refreshes = self.front.sandbox().count(Operation::Refresh);
        let mut tokens = (0..200).filter_map(|_| {
            thread::sleep(Duration::from_millis(10));
            client.token().ok()
        });
        tokens.next().unwrap_or_else(|| panic!("{tell}: and no token ever"));
        let sandbox = self.front.sandbox();
        assert_eq!(sandbox.count(Operation::Refresh), refreshes, "{tell}");
        let signed_in = if comes == Comes::Whole { 1 } else { 2 };
        assert!(sandbox.count(Operation::GetToken) >= signed_in, "{tell}");
    }
}

fn is_asked_again(comes: Comes) -> bool {
    matches!(comes, Comes::Lost | Comes::Late | Comes::LostOrLate)
}

#[test]
fn every_delivery_ends_every_exchange_in_time_typed_and_sent_no_more_than_it_may_be() {
    let elsewhere = Raw::saying(ok(GRANT));
    let here = |delivery| match delivery {
        Delivery::RedirectTo(_) => Delivery::RedirectTo(elsewhere.address.port()),
        other => other,
    };
    let mut trials = Vec::new();
    for carrier in Carrier::each() {
        for kind in KINDS {
            // hyper reads interim replies for as long as there are any, and its runtime does nothing
            // else meanwhile.
            let each = Delivery::each()
                .filter(|it| !carrier.is_over_reqwest() || *it != Delivery::InterimFlood);
            trials.extend(each.map(|delivery| (carrier.clone(), kind, here(delivery))));
        }
    }
    assert!(trials.len() > 3 * KINDS.len() * Position::EACH.len() * Break::EACH.len() * 2);
    let trials = Mutex::new(trials);
    thread::scope(|scope| {
        // Most of them wait.
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let trial = trials.lock().unwrap().pop();
                    let Some((carrier, kind, delivery)) = trial else { return };
                    let mut seconds = 1;
                    let met = (0..50).any(|_| {
                        let met = Trial::new(&carrier, kind, delivery).run(seconds);
                        seconds *= if met == Met::TooSlowly { 4 } else { 1 };
                        met == Met::Yes
                    });
                    assert!(
                        met,
                        "{carrier:?} {kind:?} {delivery:?}: no connection was used again, or what \
                         broke was sent again"
                    );
                }
            });
        }
    });
    assert_eq!(elsewhere.connections(), 0, "a redirect was followed");
}
