//! Two hundred calls that move money, while exchanges break by chance.
//!
//! Owns what breaks, and the outcome that follows from where the exchange breaks. It derives this
//! without asking the client or the sandbox. Does not know what was applied: the sandbox's ledger
//! does.

use std::thread;
use std::time::Duration;

use imts::endpoint::ServicePath;
use imts::operation::Json;
use imts::{Class, Evidence, Service, services};
use imts_sandbox::{Break, Delivery, Fault, Position, Rule};
use serde_json::{Map, Value, json};

use super::stage::Stage;
use crate::client::Client;
use crate::failure::Failure;

const COUNT: usize = 200;
/// How many calls are under way at a time.
const AT_ONCE: usize = 20;
/// The seed of the chance: the same faults in each run.
const SEED: u64 = 0x1475;
/// The percentage of calls that meet no fault.
const WHOLE: u64 = 30;
/// How long an idle machine waits for a reply that never comes.
const STALLED: Duration = Duration::from_secs(1);

/// What may happen to an exchange, and what follows from it. Each kind has its own operation, so
/// the order of the calls does not matter.
struct Kind {
    name: String,
    fault: Fault,
    /// The outcome that the caller must get.
    told: &'static str,
    /// How often the service applies the call.
    applied: u64,
    /// The status in the service's log.
    status: u16,
    stalls: bool,
}

impl Kind {
    fn new(name: &str, told: &'static str, applied: u64, status: u16, fault: Fault) -> Self {
        let name = format!("pay-{name}");
        Self { name, fault, told, applied, status, stalls: false }
    }

    fn path(&self) -> String {
        format!("/v5/partner/transfer/demo/{}", self.name)
    }
}

/// Returns all kinds. The first is the exchange that does not break.
fn kinds() -> Vec<Kind> {
    let status = |status| Fault::Status { status, retry_after_s: None };
    let location = "/elsewhere".to_owned();
    let mut kinds = vec![
        Kind::new("whole", "done", 1, 200, Fault::Latency { ms: 0 }),
        Kind::new("late", "done", 1, 200, Fault::Latency { ms: 20 }),
        Kind::new("refused", "refused", 0, 422, status(422)),
        Kind::new("busy", "unknown", 0, 429, status(429)),
        Kind::new("unavailable", "unknown", 0, 503, status(503)),
        Kind::new("elsewhere", "unknown", 0, 307, Fault::Redirect { status: 307, location }),
        Kind::new("garbled", "unknown", 1, 200, Fault::Body { text: "{".to_owned() }),
        Kind::new("bad-chunk", "unknown", 1, 200, Fault::Delivery(Delivery::BadChunk)),
    ];
    for (at, place, applied) in [
        (Position::BeforeRead, "before-read", 0),
        (Position::BeforeApply, "before-apply", 0),
        (Position::AfterApply, "after-apply", 1),
        (Position::MidHeaders, "mid-headers", 1),
        (Position::MidBody, "mid-body", 1),
    ] {
        for (by, way) in [
            (Break::Close, "close"),
            (Break::Reset, "reset"),
            (Break::HalfClose, "half-close"),
            (Break::Stall, "stall"),
        ] {
            // The request was sent and no complete reply came: the caller cannot know the outcome.
            let broken = Fault::Delivery(Delivery::Broken { at, by });
            let kind = Kind::new(&format!("{place}-{way}"), "unknown", applied, 200, broken);
            kinds.push(Kind { stalls: matches!(by, Break::Stall), ..kind });
        }
    }
    kinds
}

/// Chooses the kind of each call, by chance.
fn plan(kinds: &[Kind]) -> Vec<&Kind> {
    let mut seed = SEED;
    let mut chance = move |below: u64| {
        // SplitMix64.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    };
    let drawn = (0..COUNT).map(|_| match chance(100) {
        0..WHOLE => 0,
        _ => 1 + chance(kinds.len() as u64 - 1) as usize,
    });
    drawn.filter_map(|place| kinds.get(place)).collect()
}

/// Returns the service with the operations of the demo.
pub(super) fn service() -> Result<Service, Failure> {
    let service = services::transfer();
    let mut operations = service.operations().clone();
    for kind in kinds() {
        let path = ServicePath::new(kind.path()).map_err(Failure::usage)?;
        operations
            .add(&kind.name, Class::Money, path, Evidence::Assumed)
            .map_err(Failure::usage)?;
    }
    Ok(service.with_operations(operations))
}

/// Returns what the service's log must hold: each call once, whatever its outcome.
pub(super) fn calls() -> Vec<(String, u16)> {
    let kinds = kinds();
    plan(&kinds).into_iter().map(|kind| (kind.name.clone(), kind.status)).collect()
}

pub(super) fn run(stage: &mut Stage) -> Result<(), String> {
    let kinds = kinds();
    let plan = plan(&kinds);
    stage.control.serve(&operations(&kinds, true), &rules(&kinds)?)?;
    let told = perform(&stage.client, &plan, stage.pace.scaled(STALLED));
    let ledger = stage.control.applied();
    stage.control.serve(&operations(&kinds, false), &[])?;
    let (told, ledger) = (told?, ledger?);
    let count = |word| told.iter().filter(|told| **told == word).count();
    let applied: u64 = ledger.values().sum();
    stage.tell(&format!(
        "{COUNT} calls, {AT_ONCE} at a time: {} done, {} refused, {} unknown; the service's ledger \
         counts {applied} applied",
        count("done"),
        count("refused"),
        count("unknown")
    ));
    for (number, (kind, told)) in plan.iter().zip(told).enumerate() {
        let applied = ledger.get(&id(number)).copied().unwrap_or_default();
        if applied > 1 {
            return Err(format!("call {number} ({}) was applied {applied} times", kind.name));
        }
        if (told, applied) != (kind.told, kind.applied) {
            return Err(format!(
                "call {number} ({}) ended as {told} and was applied {applied} times, promised were \
                 {} and {}",
                kind.name, kind.told, kind.applied
            ));
        }
    }
    Ok(())
}

/// Makes the calls. Returns the outcome of each, in their order.
fn perform(
    client: &Client,
    plan: &[&Kind],
    stalled: Duration,
) -> Result<Vec<&'static str>, String> {
    let mut told = vec![""; plan.len()];
    thread::scope(|scope| {
        let crowd: Vec<_> = (0..AT_ONCE)
            .map(|first| {
                scope.spawn(move || {
                    let mine = plan.iter().enumerate().skip(first).step_by(AT_ONCE);
                    mine.map(|(number, kind)| Ok((number, call(client, number, kind, stalled)?)))
                        .collect::<Result<Vec<_>, String>>()
                })
            })
            .collect();
        for one in crowd {
            for (number, word) in one.join().map_err(|_| "a caller panicked")?? {
                told[number] = word;
            }
        }
        Ok(told)
    })
}

fn call(
    client: &Client,
    number: usize,
    kind: &Kind,
    stalled: Duration,
) -> Result<&'static str, String> {
    let client = if kind.stalls { client.with_patience(stalled) } else { client.clone() };
    let request = json!({ "client_uuid": id(number), "amount": 15.4 });
    let request = Json::of(&request).map_err(|error| error.to_string())?;
    let call = client.call_named(&kind.name, &request).map_err(|error| error.to_string())?;
    let outcome = client.perform(call).map_err(|error| error.to_string())?;
    Ok(outcome.ending().as_str())
}

fn id(number: usize) -> String {
    format!("demo-{number}")
}

/// Returns the settings that add the kinds' operations to the sandbox, or remove them.
fn operations(kinds: &[Kind], served: bool) -> Value {
    let operation = |kind: &Kind| {
        let there = json!({ "path": kind.path(), "class": "money" });
        (kind.name.clone(), if served { there } else { Value::Null })
    };
    kinds.iter().map(operation).collect::<Map<_, _>>().into()
}

fn rules(kinds: &[Kind]) -> Result<Vec<Rule>, String> {
    let rule = |kind: &Kind| {
        let operation = kind.name.parse().map_err(|error| format!("{}: {error}", kind.name))?;
        Ok(Rule::always(operation, kind.fault.clone()))
    };
    kinds.iter().map(rule).collect()
}
