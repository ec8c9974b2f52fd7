//! A call in doubt is resolved once its sender cannot be alive: of a client's own calls that is known,
//! of another process's calls the journal says until when.

use std::future::{pending, poll_fn, ready};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use imts::call::Ending;
use imts::clock::Clock;
use imts::journal::CallState;
use imts::journal::{
    Answer, Book, CLOCK_MARGIN, CallRecord, Entry, Finding, Journal, Reconcile, RecordError,
    Resolution, Submitted,
};
use imts::secret::Body;
use imts::time::Wall;
use imts::transport::Bounds;
use imts::{AsyncClient, Client, Now, Outcome};

use crate::{World, confirm, run};

/// A journal that several processes share.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Book>>);

impl Shared {
    pub(crate) fn state(&self, id: u64) -> CallState {
        self.0.lock().unwrap().call(id).unwrap().state
    }
}

impl Journal for Shared {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        let mut book = self.0.lock().unwrap();
        let id = book.check(entry)?;
        book.apply(id, entry);
        Ok(id)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        Ok(self.0.lock().unwrap().in_doubt().cloned().collect())
    }
}

/// A journal whose own rules know nothing of senders.
#[derive(Clone)]
struct Careless(Shared);

impl Journal for Careless {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        if let Entry::Resolved { id, .. } = entry {
            self.0.0.lock().unwrap().apply(*id, entry);
            return Ok(*id);
        }
        self.0.record(entry)
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        self.0.in_doubt()
    }
}

fn found(finding: Finding) -> Resolution {
    Resolution { finding, reason: "asked status".to_owned(), by: None }
}

/// Until when a resolution has to wait.
fn waits(resolved: Result<(), RecordError>) -> Option<Wall> {
    match resolved.unwrap_err() {
        error @ RecordError::UnderWay { id: 1, until } => {
            assert!(error.to_string().contains("until 20"), "{error}");
            until
        }
        error => panic!("{error}"),
    }
}

/// The other process, of either kind, with the same journal and the same clock.
struct Other {
    threads: Client,
    tasks: AsyncClient,
}

impl Other {
    fn with<J: Journal + Clone + Send + 'static>(world: &World, journal: &J) -> Self {
        let builder = || world.builder().journal(journal.clone());
        Self {
            threads: builder().blocking(world.transport()).unwrap(),
            tasks: builder().nonblocking(world.task_transport()).unwrap(),
        }
    }

    fn resolve(&self, finding: Finding) -> [Result<(), RecordError>; 2] {
        [self.threads.resolve(1, found(finding)), run(self.tasks.resolve(1, found(finding)))]
    }
}

/// A client whose calls get no reply, and wait for it.
fn waiting(world: &World, journal: impl Journal + Send + 'static) -> AsyncClient {
    let service = world.clone();
    let send = move |request: Request<Body>, _: Bounds| {
        let is_call = !request.uri().path().contains("/agent/");
        let reply = service.exchange(request);
        async move {
            if is_call {
                pending::<()>().await;
            }
            reply
        }
    };
    world.builder().journal(journal).nonblocking((send, crate::timer)).unwrap()
}

/// A call that is dropped once its request has left, by a client that lives on.
fn dropped(world: &World, journal: impl Journal + Send + 'static) -> AsyncClient {
    let client = waiting(world, journal);
    let pays = confirm("a");
    {
        let mut call = pin!(client.call(&pays));
        let mut cx = Context::from_waker(Waker::noop());
        while world.sent().is_empty() {
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
    }
    client
}

#[test]
fn another_process_waits_for_the_deadline_of_a_sender_that_it_cannot_see() {
    for careless in [false, true] {
        let (world, shared) = (World::new(), Shared::default());
        drop(dropped(&world, shared.clone()));
        let other = match careless {
            true => Other::with(&world, &Careless(shared.clone())),
            false => Other::with(&world, &shared),
        };
        let until = shared.0.lock().unwrap().call(1).unwrap().sending_until.unwrap();
        for resolved in other.resolve(Finding::Refused) {
            assert_eq!(waits(resolved), Some(until.after(CLOCK_MARGIN)));
        }
        assert_eq!(shared.state(1), CallState::InDoubt, "nothing was written down");
        let wait = until.after(CLOCK_MARGIN).since(world.clock.now().wall);
        world.clock.advance(wait - Duration::from_secs(1));
        assert!(other.resolve(Finding::Refused).map(waits).iter().all(Option::is_some));
        world.clock.advance(Duration::from_secs(1));
        let [resolved, again] = other.resolve(Finding::Refused);
        assert!(resolved.is_ok() && (again.is_err() || careless), "{resolved:?}");
        assert_eq!(shared.state(1), CallState::Refused);
    }
}

#[test]
fn a_client_knows_that_its_own_call_was_left_and_tells_the_others() {
    let (world, shared) = (World::new(), Shared::default());
    let client = dropped(&world, shared.clone());
    assert_eq!(client.in_doubt().unwrap().len(), 1);
    run(client.resolve(1, found(Finding::Done))).unwrap();
    assert_eq!(shared.state(1), CallState::Done);
}

/// A journal that is asked to write a resolution down, and does so when its test lets it, or fails.
#[derive(Clone, Default)]
struct Slow {
    shared: Shared,
    lets: Arc<Mutex<Option<bool>>>,
}

impl Journal for Slow {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        assert!(!matches!(entry, Entry::Resolved { .. }), "it would hold its caller up");
        self.shared.record(entry)
    }

    fn submit(&mut self, entry: &Entry) -> Result<Submitted, RecordError> {
        let Entry::Resolved { id, .. } = entry else {
            return self.record(entry).map(Submitted::durable);
        };
        let (slow, entry) = (self.clone(), entry.clone());
        let written = poll_fn(move |_| match slow.lets.lock().unwrap().take() {
            None => Poll::Pending,
            Some(true) => Poll::Ready(slow.shared.clone().record(&entry).map(drop)),
            Some(false) => {
                Poll::Ready(Err(RecordError::Failed(Arc::new(io::Error::other("full")))))
            }
        });
        Ok(Submitted::later(*id, Box::pin(written)))
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        self.shared.in_doubt()
    }
}

#[test]
fn a_task_awaits_the_journal_that_writes_a_resolution_down() {
    let (world, slow) = (World::new(), Slow::default());
    let client = dropped(&world, slow.clone());
    let mut cx = Context::from_waker(Waker::noop());
    let mut resolved = pin!(client.resolve(1, found(Finding::Done)));
    assert!(resolved.as_mut().poll(&mut cx).is_pending());
    assert_eq!(client.in_doubt().unwrap().len(), 1);
    assert!(resolved.as_mut().poll(&mut cx).is_pending());
    assert_eq!(slow.shared.state(1), CallState::InDoubt);
    *slow.lets.lock().unwrap() = Some(true);
    run(resolved).unwrap();
    assert_eq!(slow.shared.state(1), CallState::Done);
}

#[test]
fn a_task_awaits_the_journal_that_writes_down_what_its_callback_found() {
    let (world, slow) = (World::new(), Slow::default());
    let client = dropped(&world, slow.clone());
    let settings = Reconcile::default();
    let answer = |_| ready(Answer::Done("asked status".to_owned()));
    let mut reconciled = pin!(client.reconcile(&settings, answer));
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        assert!(reconciled.as_mut().poll(&mut cx).is_pending());
    }
    *slow.lets.lock().unwrap() = Some(true);
    assert!(run(reconciled).unwrap().in_doubt.is_empty());
    assert_eq!(slow.shared.state(1), CallState::Done);
}

#[test]
fn a_resolution_that_could_not_be_written_down_can_be_written_again() {
    let (world, slow) = (World::new(), Slow::default());
    let client = dropped(&world, slow.clone());
    let resolve = |lets| {
        *slow.lets.lock().unwrap() = Some(lets);
        run(client.resolve(1, found(Finding::Done)))
    };
    assert!(matches!(resolve(false), Err(RecordError::Failed(_))));
    assert_eq!(slow.shared.state(1), CallState::InDoubt);
    resolve(true).unwrap();
    assert_eq!(slow.shared.state(1), CallState::Done);
}

#[test]
fn a_sender_that_ended_is_waited_for_by_nobody() {
    let (world, shared) = (World::new(), Shared::default());
    let lost = |_: Request<Body>, _: Bounds| Err(imts::TransportError::unknown());
    let service = world.transport();
    let client = world.builder().journal(shared.clone());
    let client = client.blocking(move |request: Request<Body>, bounds: Bounds| {
        let is_call = !request.uri().path().contains("/agent/");
        if is_call {
            lost(request, bounds)
        } else {
            imts::Transport::send(&service, request, bounds)
        }
    });
    assert_eq!(client.unwrap().call(&confirm("a")).unwrap().ending(), Ending::Unknown);
    let [resolved, _] = Other::with(&world, &shared).resolve(Finding::Done);
    resolved.unwrap();
}

#[test]
fn a_call_under_way_says_until_when_and_its_late_end_stands_above_a_finding() {
    let finding = Finding::Refused;
    for clock_jumps in [false, true] {
        let (world, shared) = (World::new(), Shared::default());
        let (service, own) = (world.clone(), Arc::<OnceLock<Client>>::default());
        let (journal, this) = (shared.clone(), Arc::clone(&own));
        let client = world.builder().journal(shared.clone());
        let client = client.blocking(move |request: Request<Body>, _: Bounds| {
            if !request.uri().path().contains("/agent/") {
                let until = waits(this.get().unwrap().resolve(1, found(finding)));
                let (other, now) = (Other::with(&service, &journal), service.clock.now());
                assert!(until.unwrap() > now.wall);
                assert!(other.resolve(finding).map(waits).iter().all(Option::is_some));
                if clock_jumps {
                    // The margin is not enough for this: somebody believes that it was refused.
                    let mut then = now;
                    then.wall = then.wall.after(Duration::from_secs(3_600));
                    service.clock.set(then);
                    other.threads.resolve(1, found(finding)).unwrap();
                    service.clock.set(now);
                }
            }
            service.exchange(request)
        });
        let client = client.unwrap();
        own.set(client.clone()).unwrap();
        let outcome = client.call(&confirm("a")).unwrap();
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        assert_eq!(shared.state(1), CallState::Done);
        assert!(client.call(&confirm("a")).is_err(), "it is known to be done");
        assert_eq!(world.applied("a"), 1);
    }
}

/// Both clocks as they are, but the wall clock shows an hour more: nobody's sending lasts until then.
fn an_hour_on(world: &World) -> [Now; 2] {
    let now = world.clock.now();
    [now, Now { wall: now.wall.after(Duration::from_secs(3_600)), ..now }]
}

fn is_under_way(resolved: &Result<(), RecordError>, in_doubt: &[CallRecord]) {
    assert!(matches!(resolved, Err(RecordError::UnderWay { id: 1, .. })), "{resolved:?}");
    assert!(in_doubt.is_empty(), "it is not asked about either: {in_doubt:?}");
}

#[test]
fn a_clients_own_call_is_under_way_whatever_the_wall_clock_shows() {
    let finding = Finding::Refused;
    let (world, shared) = (World::new(), Shared::default());
    let (service, own) = (world.clone(), Arc::<OnceLock<Client>>::default());
    let this = Arc::clone(&own);
    let client = world.builder().journal(Careless(shared.clone()));
    let client = client.blocking(move |request: Request<Body>, _: Bounds| {
        if !request.uri().path().contains("/agent/") {
            let [now, then] = an_hour_on(&service);
            service.clock.set(then);
            let client = this.get().unwrap();
            is_under_way(&client.resolve(1, found(finding)), &client.in_doubt().unwrap());
            service.clock.set(now);
        }
        service.exchange(request)
    });
    let client = client.unwrap();
    own.set(client.clone()).unwrap();
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!(shared.state(1), CallState::Done);
}

#[test]
fn a_task_that_still_waits_has_its_call_under_way_whatever_the_wall_clock_shows() {
    let (world, shared) = (World::new(), Shared::default());
    let client = waiting(&world, Careless(shared.clone()));
    let pays = confirm("a");
    let mut call = Box::pin(client.call(&pays));
    let mut cx = Context::from_waker(Waker::noop());
    while world.sent().is_empty() {
        assert!(call.as_mut().poll(&mut cx).is_pending());
    }
    let [_, then] = an_hour_on(&world);
    world.clock.set(then);
    is_under_way(&run(client.resolve(1, found(Finding::Done))), &client.in_doubt().unwrap());
    drop(call);
    assert_eq!(client.in_doubt().unwrap().len(), 1);
    run(client.resolve(1, found(Finding::Done))).unwrap();
    assert_eq!(shared.state(1), CallState::Done);
}

#[test]
fn an_intent_that_was_resolved_as_refused_is_sent_again_once() {
    let (world, shared) = (World::new(), Shared::default());
    drop(dropped(&world, shared.clone()));
    world.clock.advance(Duration::from_secs(3_600));
    let other = Other::with(&world, &shared);
    other.threads.resolve(1, found(Finding::Refused)).unwrap();
    let both = (other.threads.call(&confirm("a")), run(other.tasks.call(&confirm("a"))));
    assert_eq!(both.0.unwrap().ending(), Ending::Done);
    assert!(both.1.is_err());
}
