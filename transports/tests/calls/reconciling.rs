//! A callback of the integrator's finds out about each call in doubt, over both clients. Nothing is
//! ever sent again.

mod times;

use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imts::call::{Ending, NotCallable};
use imts::clock::Clock;
use imts::journal::{
    Answer, CallRecord, Entry, Finding, Journal, Reconcile, Reconciled, RecordError, Resolution,
    Unresolved,
};
use imts::journal::{CallState, IntentError};
use imts::services::transfer::Status;
use imts::{AsyncClient, Client};

use crate::resolving::Shared;
use crate::{World, confirm, request, run};

/// A client of either kind whose journal has these calls in doubt.
enum Any {
    Threads(Client),
    Tasks(AsyncClient),
}

impl Any {
    fn both(world: &World, journal: impl Fn() -> Box<dyn Journal + Send>) -> [Self; 2] {
        let builder = || world.builder().journal(Boxed(journal()));
        [
            Self::Threads(builder().blocking(world.transport()).unwrap()),
            Self::Tasks(builder().nonblocking(world.task_transport()).unwrap()),
        ]
    }

    fn reconcile<A: Into<Answer>>(
        &self,
        settings: &Reconcile,
        mut find_out: impl FnMut(&CallRecord) -> A,
    ) -> Reconciled {
        match self {
            Self::Threads(client) => client.reconcile(settings, find_out),
            Self::Tasks(client) => run(client.reconcile(settings, |call| ready(find_out(&call)))),
        }
        .unwrap()
    }

    fn resolve(&self, id: u64, resolution: Resolution) -> Result<(), RecordError> {
        match self {
            Self::Threads(client) => client.resolve(id, resolution),
            Self::Tasks(client) => run(client.resolve(id, resolution)),
        }
    }

    /// The status of a call, asked of the service through this client.
    fn status(&self, reference: &str) -> Ending {
        let status = request::<Status>(reference);
        match self {
            Self::Threads(client) => client.call(&status),
            Self::Tasks(client) => run(client.call(&status)),
        }
        .unwrap()
        .ending()
    }
}

struct Boxed(Box<dyn Journal + Send>);

impl Journal for Boxed {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        self.0.record(entry)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        self.0.in_doubt()
    }
}

/// A journal with these calls in doubt, whose senders are gone.
fn doubts(world: &World, references: &[&str]) -> Shared {
    let shared = Shared::default();
    let lost = |_: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
        Err(imts::TransportError::unknown())
    };
    let tokens = world.transport();
    let client = world.builder().journal(shared.clone());
    let client = client.blocking(
        move |request: http::Request<imts::secret::Body>, bounds: imts::transport::Bounds| {
            match request.uri().path().contains("/agent/") {
                true => imts::Transport::send(&tokens, request, bounds),
                false => lost(request, bounds),
            }
        },
    );
    let client = client.unwrap();
    for reference in references {
        assert_eq!(client.call(&confirm(reference)).unwrap().ending(), Ending::Unknown);
    }
    shared
}

fn at_once() -> Reconcile {
    Reconcile::default().interval(Duration::ZERO).by("night-shift")
}

fn of(call: &CallRecord) -> &str {
    call.reference.as_deref().unwrap()
}

#[test]
fn each_answer_is_written_down_with_its_reason_and_nothing_is_sent() {
    let world = World::new();
    let shared = Arc::new(Mutex::new(Shared::default()));
    let journal = || Box::new(shared.lock().unwrap().clone()) as Box<dyn Journal + Send>;
    for place in 0..2 {
        *shared.lock().unwrap() = doubts(&world, &["a", "b", "c", "d"]);
        let client = &Any::both(&world, journal)[place];
        let report = client.reconcile(&at_once(), |call| match of(call) {
            "a" => Ok(Answer::Done("paid".to_owned())),
            "b" => Ok(Answer::Refused("no such transfer".to_owned())),
            "c" => Ok(Answer::Unknown("still processing".to_owned())),
            _ => Err(std::io::Error::other("status is down")),
        });
        assert_eq!(report.resolved, [(1, Finding::Done), (2, Finding::Refused)]);
        let [(3, Unresolved::Unknown(c)), (4, Unresolved::Unknown(d))] = &report.in_doubt[..]
        else {
            panic!("{report:?}")
        };
        assert_eq!((c.as_str(), d.as_str()), ("still processing", "status is down"));
        let shared = shared.lock().unwrap();
        let book = shared.0.lock().unwrap();
        let found = book.call(1).unwrap().resolution.clone().unwrap();
        let expected = Resolution {
            finding: Finding::Done,
            reason: "paid".to_owned(),
            by: Some("night-shift".to_owned()),
        };
        assert_eq!(found, expected);
        let states: Vec<_> = book.calls().map(|call| call.state).collect();
        let in_doubt = CallState::InDoubt;
        assert_eq!(states, [CallState::Done, CallState::Refused, in_doubt, in_doubt]);
        assert!(world.sent().is_empty(), "{place}");
    }
}

#[test]
fn a_callback_may_use_the_same_client_and_resolve_the_call_itself() {
    let world = World::new();
    let shared = doubts(&world, &["a", "b"]);
    for (place, client) in Any::both(&world, || Box::new(shared.clone())).into_iter().enumerate() {
        let report = client.reconcile(&at_once(), |call| {
            assert_eq!(client.status(of(call)), Ending::Done);
            let error = match &client {
                Any::Threads(client) => client.call(&confirm(of(call))).unwrap_err(),
                Any::Tasks(client) => run(client.call(&confirm(of(call)))).unwrap_err(),
            };
            let stands = matches!(error, NotCallable::Intent(IntentError::InDoubt { .. }));
            assert!(stands, "{error}");
            if call.id == 1 {
                let reason = "the callback's own".to_owned();
                let found = Resolution { finding: Finding::Done, reason, by: None };
                client.resolve(1, found).unwrap();
            }
            Answer::Unknown(String::new())
        });
        assert!(report.resolved.is_empty());
        assert!(matches!(report.in_doubt[..], [(2, Unresolved::Unknown(_))]), "{report:?}");
        assert_eq!((shared.state(1), shared.state(2)), (CallState::Done, CallState::InDoubt));
        let reads = world.sent().len();
        assert_eq!(reads, [2, 3][place], "statuses, and no money");
    }
}

#[test]
fn a_callback_that_panics_leaves_its_call_in_doubt_and_the_others_are_asked_about() {
    let world = World::new();
    let shared = doubts(&world, &["a", "b"]);
    for client in Any::both(&world, || Box::new(shared.clone())) {
        let report = client.reconcile(&at_once(), |call| match call.id {
            1 => panic!("the callback's own panic"),
            _ => Answer::Unknown(String::new()),
        });
        let [(1, Unresolved::NoAnswer(why)), (2, Unresolved::Unknown(_))] = &report.in_doubt[..]
        else {
            panic!("{report:?}")
        };
        assert!(why.to_string().contains("panicked"), "{why}");
    }
    let [_, Any::Tasks(client)] = Any::both(&world, || Box::new(shared.clone())) else { panic!() };
    let report = run(client.reconcile(&at_once(), |call| async move {
        assert_eq!(call.id, 2, "the future's own panic");
        Answer::Done("paid".to_owned())
    }));
    let report = report.unwrap();
    assert_eq!(report.resolved, [(2, Finding::Done)]);
    assert!(matches!(report.in_doubt[..], [(1, Unresolved::NoAnswer(_))]), "{report:?}");
}

/// A journal that breaks once it has taken so many entries, or was read so often.
struct Breaking {
    shared: Shared,
    left: usize,
    panics: bool,
}

impl Breaking {
    fn step(&mut self) -> Result<(), RecordError> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None if self.panics => panic!("the journal's own panic"),
            None => {
                let full = Arc::new(std::io::Error::other("full"));
                return Err(RecordError::Failed(full));
            }
        }
        Ok(())
    }
}

impl Journal for Breaking {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        self.step()?;
        self.shared.record(entry)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        self.step()?;
        self.shared.in_doubt()
    }
}

#[test]
fn a_journal_that_breaks_in_between_ends_it_and_the_report_says_so() {
    let world = World::new();
    for panics in [false, true] {
        let mut ended = 0;
        for left in 1..40 {
            for place in 0..2 {
                let shared = doubts(&world, &["a", "b", "c"]);
                let journal = || -> Box<dyn Journal + Send> {
                    Box::new(Breaking { shared: shared.clone(), left, panics })
                };
                let asked = AtomicUsize::new(0);
                let report = Any::both(&world, journal)[place].reconcile(&at_once(), |_| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    Answer::Done("paid".to_owned())
                });
                // No report says what is not so.
                let told: Vec<_> = report.resolved.iter().map(|(id, _)| *id).collect();
                let done = (1..=3).filter(|id| shared.state(*id) == CallState::Done);
                assert_eq!(told, done.collect::<Vec<_>>(), "{left}");
                assert_eq!(told.len() + report.in_doubt.len(), 3, "{left}: {report:?}");
                let asked = asked.into_inner();
                assert!(asked <= told.len() + 1, "{left}: nothing is asked in vain");
                let broke = |(_, why): &(u64, Unresolved)| matches!(why, Unresolved::Journal(_));
                let broken = report.in_doubt.iter().filter(|it| broke(it)).count();
                assert_eq!(broken, usize::from(told.len() < 3), "{left}: {report:?}");
                ended += usize::from(told.len() == 3);
            }
        }
        assert!(ended > 0, "it never came to its end");
    }
}

#[test]
fn a_journal_that_cannot_be_read_is_an_error_at_once() {
    let world = World::new();
    let journal = || -> Box<dyn Journal + Send> {
        Box::new(Breaking { shared: Shared::default(), left: 0, panics: false })
    };
    let [Any::Threads(threads), Any::Tasks(tasks)] = Any::both(&world, journal) else { panic!() };
    let nobody = |_: &CallRecord| -> Answer { panic!("nobody is asked") };
    assert!(matches!(threads.reconcile(&at_once(), nobody), Err(RecordError::Failed(_))));
    let failed = run(tasks.reconcile(&at_once(), |call| ready(nobody(&call))));
    assert!(matches!(failed, Err(RecordError::Failed(_))));
}

#[test]
fn a_call_that_may_be_under_way_is_not_asked_about() {
    let (world, shared) = (World::new(), doubts(&World::new(), &["a"]));
    let (now, id) = (world.clock.now().wall, 1);
    let until = Some(now.after(Duration::from_secs(3_600)));
    shared.clone().record(&Entry::Sending { id, at: now, until }).unwrap();
    for client in Any::both(&world, || Box::new(shared.clone())) {
        let report = client.reconcile(&at_once(), |_| -> Answer { panic!("it may be sent now") });
        let said = matches!(report.in_doubt[..], [(1, Unresolved::UnderWay { until: Some(_) })]);
        assert!(said, "{report:?}");
    }
    // This client's own calls are known to be under way.
    let (asked, own) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::OnceLock::new()));
    let (count, this) = (Arc::clone(&asked), Arc::<std::sync::OnceLock<Client>>::clone(&own));
    let service = world.clone();
    let client = world.builder().blocking(
        move |request: http::Request<imts::secret::Body>, _: imts::transport::Bounds| {
            if !request.uri().path().contains("/agent/") {
                let client = this.get().unwrap();
                let report = client.reconcile(&at_once(), |_| {
                    count.fetch_add(1, Ordering::SeqCst);
                    Answer::Refused("no such transfer".to_owned())
                });
                assert!(report.unwrap().in_doubt.is_empty());
            }
            service.exchange(request)
        },
    );
    let client = client.unwrap();
    own.set(client.clone()).unwrap();
    assert_eq!(client.call(&confirm("b")).unwrap().ending(), Ending::Done);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
