//! One intent, one sending: over both clients, with a journal in a file and without one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use http::Request;
use imts::call::{Ending, NotCallable};
use imts::journal::IntentError;
use imts::journal::{Despite, Finding, RecordError, Resolution};
use imts::operation::Json;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::transport_error::NotSent;
use imts::{AsyncClient, Builder, Client, Outcome, TransportError};

use crate::{World, confirm, request, run};

/// Either kind of client.
enum Any {
    Threads(Client),
    Tasks(AsyncClient),
}

impl Any {
    /// Both kinds over a service of which each answer is lost while `lost` is not zero.
    fn both(world: &World, lost: &Arc<AtomicUsize>, make: impl Fn() -> Builder) -> [Self; 2] {
        let (one, other) = (world.clone(), world.clone());
        let (here, there) = (Arc::clone(lost), Arc::clone(lost));
        let drops = |lost: &AtomicUsize| {
            lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        };
        let threads = make().blocking(move |request: Request<Body>, _: Bounds| {
            let is_call = !request.uri().path().contains("/agent/");
            let reply = one.exchange(request);
            if is_call && drops(&here).is_ok() { Err(TransportError::unknown()) } else { reply }
        });
        let send = move |request: Request<Body>, _: Bounds| {
            let is_call = !request.uri().path().contains("/agent/");
            let reply = other.exchange(request);
            let is_lost = is_call && drops(&there).is_ok();
            std::future::ready(if is_lost { Err(TransportError::unknown()) } else { reply })
        };
        let tasks = make().nonblocking((send, crate::timer));
        [Self::Threads(threads.unwrap()), Self::Tasks(tasks.unwrap())]
    }

    fn pay(&self, id: &str, amount: &str) -> Result<Ending, IntentError> {
        let json = format!(r#"{{"client_uuid":"{id}","amount":"{amount}"}}"#);
        let json = Json::parse(&json).unwrap();
        let call = match self {
            Self::Threads(client) => client.call_named("confirm", &json),
            Self::Tasks(client) => client.call_named("confirm", &json),
        };
        let call = call.unwrap().with_reference(id);
        let outcome: Outcome<Json> = match self {
            Self::Threads(client) => client.perform(call)?,
            Self::Tasks(client) => run(client.perform(call))?,
        };
        Ok(outcome.ending())
    }

    fn resolve(&self, id: u64, finding: Finding) -> Result<(), RecordError> {
        let resolution = Resolution { finding, reason: "asked status".to_owned(), by: None };
        match self {
            Self::Threads(client) => client.resolve(id, resolution),
            Self::Tasks(client) => run(client.resolve(id, resolution)),
        }
    }

    fn in_doubt(&self) -> Vec<u64> {
        let calls = match self {
            Self::Threads(client) => client.in_doubt(),
            Self::Tasks(client) => client.in_doubt(),
        };
        calls.unwrap().iter().map(|call| call.id).collect()
    }
}

/// A file of this test's own, gone with it.
#[cfg(feature = "journal")]
struct File(std::path::PathBuf);

#[cfg(feature = "journal")]
impl File {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("imts-guard-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

#[cfg(feature = "journal")]
impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// Lost, asked for again, resolved either way, done: what each caller gets, and what is applied.
fn one_sending(world: &World, client: &Any, lost: &AtomicUsize) {
    let word = |told: Result<Ending, IntentError>| match told {
        Ok(ending) => ending.as_str().to_owned(),
        Err(error) => format!("{} {:?}", error.as_str(), error.id()),
    };
    let sent = world.sent().len();
    lost.store(1, Ordering::SeqCst);
    assert_eq!(word(client.pay("a", "15.4")), "unknown");
    for _ in 0..3 {
        assert_eq!(word(client.pay("a", "15.4")), "in_doubt Some(1)");
        assert_eq!(word(client.pay("a", "99")), "conflict Some(1)");
    }
    assert_eq!((world.sent().len() - sent, client.in_doubt()), (1, vec![1]));
    assert_eq!(word(client.pay("b", "15.4")), "done", "another intent");
    assert_eq!(word(client.pay("b", "15.4")), "already_done Some(2)");
    client.resolve(1, Finding::Done).unwrap();
    assert!(client.resolve(1, Finding::Refused).is_err(), "it is known");
    assert!(client.resolve(9, Finding::Refused).is_err(), "it is not there");
    assert_eq!(word(client.pay("a", "15.4")), "already_done Some(1)");
    lost.store(1, Ordering::SeqCst);
    assert_eq!(word(client.pay("c", "15.4")), "unknown");
    client.resolve(3, Finding::Refused).unwrap();
    assert_eq!(word(client.pay("c", "15.5")), "done", "corrected");
    assert!(client.in_doubt().is_empty());
    assert_eq!(world.sent().len() - sent, 4);
}

#[test]
fn without_a_journal_an_intent_is_sent_once_as_long_as_the_client_lives() {
    let (world, lost) = (World::new(), Arc::default());
    for client in Any::both(&world, &lost, || world.builder()) {
        one_sending(&world, &client, &lost);
    }
}

#[cfg(feature = "journal")]
#[test]
fn with_a_journal_in_a_file_an_intent_is_sent_once_whoever_opens_it() {
    use imts::JournalFile;
    let (world, lost) = (World::new(), Arc::<AtomicUsize>::default());
    for waits in [true, false] {
        let file = File::new();
        let open = || {
            let mut journal = Some(JournalFile::open(&file.0).unwrap());
            let slot = std::cell::RefCell::new(&mut journal);
            let [threads, tasks] = Any::both(&world, &lost, || match slot.borrow_mut().take() {
                Some(journal) => world.builder().journal(journal),
                None => world.builder(),
            });
            // The first of the two has the journal.
            drop(tasks);
            threads
        };
        let tasks = || {
            let journal = JournalFile::open(&file.0).unwrap();
            let client = world.builder().journal(journal);
            Any::Tasks(client.nonblocking(world.task_transport()).unwrap())
        };
        let first = open();
        one_sending(&world, &first, &lost);
        drop(first);
        let later = if waits { open() } else { tasks() };
        let error = later.pay("a", "15.4").unwrap_err();
        assert!(matches!(error, IntentError::AlreadyDone { id: 1, .. }), "{error}");
    }
}

#[test]
fn of_two_callers_with_one_intent_one_sends_and_the_other_is_told_at_once() {
    let (world, again) = (World::new(), Arc::<OnceLock<Client>>::default());
    let (service, second) = (world.clone(), Arc::clone(&again));
    let client = world
        .builder()
        .blocking(move |request: Request<Body>, _: Bounds| {
            if !request.uri().path().contains("/agent/") {
                // The first is on its way: its record may be in doubt, and nobody may say so yet.
                let client = second.get().unwrap();
                let same = client.call(&confirm("a")).unwrap_err();
                let same =
                    matches!(same, NotCallable::Intent(IntentError::InProgress { id: 1, .. }));
                assert!(same, "the same");
                let json = Json::parse(r#"{"client_uuid":"a","amount":"1"}"#).unwrap();
                let other = client.call_named("confirm", &json).unwrap().with_reference("a");
                let other = client.perform(other).unwrap_err();
                assert!(matches!(other, IntentError::Conflict { id: 1, .. }), "{other}");
                assert!(client.in_doubt().unwrap().is_empty());
                let found =
                    Resolution { finding: Finding::Refused, reason: String::new(), by: None };
                let error = client.resolve(1, found).unwrap_err();
                assert!(
                    matches!(error, RecordError::UnderWay { id: 1, until: Some(_) }),
                    "{error}"
                );
            }
            service.exchange(request)
        })
        .unwrap();
    again.set(client.clone()).unwrap();
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!(world.applied("a"), 1);
}

#[test]
fn a_call_that_was_dropped_after_it_was_sent_is_in_doubt_and_before_that_it_is_not() {
    let world = World::new();
    let service = world.clone();
    let send = move |request: Request<Body>, _: Bounds| {
        let is_call = !request.uri().path().contains("/agent/");
        let reply = service.exchange(request);
        async move {
            if is_call {
                std::future::pending::<()>().await;
            }
            reply
        }
    };
    let client = world.builder().nonblocking((send, crate::timer)).unwrap();
    let poll = |times: usize, id: &str| {
        let confirm = confirm(id);
        let mut call = std::pin::pin!(client.call(&confirm));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        for _ in 0..times {
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
    };
    poll(0, "a");
    poll(20, "a");
    let error = run(client.call(&confirm("a"))).unwrap_err();
    assert!(matches!(error, NotCallable::Intent(IntentError::InDoubt { .. })), "{error}");
    assert_eq!((client.in_doubt().unwrap().len(), world.applied("a")), (1, 1));
}

#[test]
fn what_was_not_sent_or_refused_may_be_sent_again() {
    let world = World::new();
    let unsent = AtomicUsize::new(9);
    let service = world.clone();
    let client = world.builder().blocking(move |request: Request<Body>, _: Bounds| {
        let is_call = !request.uri().path().contains("/agent/");
        let fails = is_call && unsent.load(Ordering::SeqCst) > 0;
        if fails {
            unsent.fetch_sub(1, Ordering::SeqCst);
            return Err(TransportError::not_sent(NotSent::vouch()));
        }
        service.exchange(request)
    });
    let client = client.unwrap();
    for _ in 0..3 {
        assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::NotSent);
    }
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!(world.applied("a"), 1);
}

#[test]
fn a_decision_to_send_again_is_the_only_way_past_and_lasts_for_one_call() {
    let (world, lost) = (World::new(), Arc::new(AtomicUsize::new(2)));
    let [Any::Threads(client), _] = Any::both(&world, &lost, || world.builder()) else { panic!() };
    let json = Json::parse(r#"{"client_uuid":"a"}"#).unwrap();
    let call = || client.call_named("confirm", &json).unwrap().with_reference("a");
    let despite = |id| Despite { id, reason: "the service lost it".to_owned(), by: None };
    assert_eq!(client.perform(call()).unwrap().ending(), Ending::Unknown);
    assert!(client.perform(call().despite(despite(7))).is_err());
    assert_eq!(client.perform(call().despite(despite(1))).unwrap().ending(), Ending::Unknown);
    let error = client.perform(call().despite(despite(1))).unwrap_err();
    assert!(matches!(error, IntentError::InDoubt { id: 2, .. }), "{error}");
    assert_eq!(client.perform(call().despite(despite(2))).unwrap().ending(), Ending::Done);
    assert_eq!(world.sent().len(), 3);
}

#[test]
fn a_call_is_not_sent_with_the_token_of_another_agent() {
    let world = World::new();
    let client = world.builder().blocking(world.transport()).unwrap();
    let json = Json::parse(r#"{"client_uuid":"a"}"#).unwrap();
    let call = client.call_named("confirm", &json).unwrap().with_reference("a");
    let other = imts::Credentials::new("another-agent", "secret").unwrap();
    client.sign_in(other, imts::Keep::Always);
    let Outcome::Failed(failed) = client.perform(call).unwrap() else { panic!("it was sent") };
    assert!(failed.why().to_string().contains("another agent"), "{}", failed.why());
    assert!(world.sent().is_empty());
}

#[test]
fn a_call_of_another_agents_client_gets_no_token_even_if_one_is_at_hand() {
    let (world, lost) = (World::new(), Arc::new(AtomicUsize::new(0)));
    let other = imts::Credentials::new("another-agent", "secret").unwrap();
    let other = world.builder().credentials(other).blocking(world.transport()).unwrap();
    for client in Any::both(&world, &lost, || world.builder()) {
        let json = Json::parse(r#"{"client_uuid":"a"}"#).unwrap();
        let call = other.call_named("confirm", &json).unwrap().with_reference("a");
        let outcome = match client {
            Any::Threads(client) => {
                client.warm_up().unwrap();
                client.perform(call)
            }
            Any::Tasks(client) => {
                run(client.warm_up()).unwrap();
                run(client.perform(call))
            }
        };
        let Outcome::Failed(failed) = outcome.unwrap() else { panic!("it was sent") };
        assert!(failed.why().to_string().contains("another agent"), "{}", failed.why());
    }
    assert!(world.sent().is_empty());
}

#[test]
fn a_call_that_was_made_before_the_sign_in_is_known_by_the_agent_that_sends_it() {
    let (world, lost) = (World::new(), Arc::new(AtomicUsize::new(2)));
    for client in Any::both(&world, &lost, || world.builder()) {
        let agent = || {
            let (id, secret) = (imts_sandbox::DEFAULT_AGENT, imts_sandbox::DEFAULT_SECRET);
            (imts::Credentials::new(id, secret).unwrap(), imts::Keep::Always)
        };
        let json = Json::parse(r#"{"client_uuid":"a","amount":"1"}"#).unwrap();
        let before = world.sent().len();
        let outcome = match &client {
            Any::Threads(client) => {
                client.sign_out();
                let call = client.call_named("confirm", &json).unwrap().with_reference("a");
                client.sign_in(agent().0, agent().1);
                client.perform(call).unwrap()
            }
            Any::Tasks(client) => {
                client.sign_out();
                let call = client.call_named("confirm", &json).unwrap().with_reference("a");
                client.sign_in(agent().0, agent().1);
                run(client.perform(call)).unwrap()
            }
        };
        assert_eq!(outcome.ending(), Ending::Unknown);
        let error = client.pay("a", "1").unwrap_err();
        assert!(matches!(error, IntentError::InDoubt { id: 1, .. }), "{error}");
        assert_eq!(world.sent().len() - before, 1);
    }
}

#[test]
fn what_reads_is_asked_as_often_as_one_likes() {
    let world = World::new();
    let client = world.builder().blocking(world.transport()).unwrap();
    for _ in 0..3 {
        let status = request::<imts::services::transfer::Status>("a");
        assert_eq!(client.call(&status).unwrap().ending(), Ending::Done);
    }
}
