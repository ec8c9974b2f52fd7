//! A caller's patience bounds a call, whatever a virtual clock shows, and does not make it safe to
//! repeat.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use http::Request;
use imts::call::{CallError, Ending};
use imts::clock::{Clock, ManualClock};
use imts::journal::Entry;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::transport_error::NotSent;
use imts::{Outcome, TransportError};

use crate::{Notes, World, confirm, policy};

/// Fails if the work hangs.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, hear) = mpsc::channel();
    thread::spawn(move || tell.send(work()));
    hear.recv_timeout(Duration::from_secs(120)).expect("it comes back")
}

/// Nothing ever leaves, and virtual time stands still.
fn stuck(world: &World, notes: &Notes) -> imts::Builder {
    let mut patient = policy();
    (patient.call_attempts, patient.backoff_first) = (u32::MAX, Duration::from_secs(3_600));
    patient.backoff_cap = Duration::from_secs(3_600);
    world.builder().policy(patient).clock(world.clock.clone()).journal(notes.clone())
}

fn not_leaving(world: &World) -> impl imts::Transport + 'static {
    let world = world.clone();
    move |request: Request<Body>, _: Bounds| match request.uri().path().contains("/agent/") {
        true => world.exchange(request),
        false => Err::<http::Response<Vec<u8>>, _>(TransportError::not_sent(NotSent::vouch())),
    }
}

#[test]
fn a_call_made_with_more_patience_than_it_is_performed_with_ends_in_time() {
    let (world, notes) = (World::new(), Notes::default());
    let client = stuck(&world, &notes).patience(Duration::from_secs(86_400));
    let client = client.blocking(not_leaving(&world)).unwrap();
    drop(client.token().unwrap());
    let json = imts::operation::Json::parse(r#"{"client_uuid": "a"}"#).unwrap();
    let call = client.call_named("confirm", &json).unwrap().with_reference("a");
    // Enough for a first attempt on a busy machine.
    let hasty = client.with_patience(Duration::from_secs(3));
    let outcome = in_time(move || hasty.perform(call).unwrap());
    let Outcome::Failed(failed) = outcome else { panic!("{outcome:?}") };
    assert!(matches!(failed.why(), CallError::Failed(_)), "the last attempt's error: {failed:?}");
    assert_eq!(notes.lines(), ["intent a", "sending 1", "ended 1 not_sent"]);
    let Some(Entry::Ended { at, .. }) = notes.entries().pop() else { panic!("it ended") };
    assert_eq!(at, world.clock.now().wall, "the journal tells the time as it is");
}

#[test]
fn a_task_is_held_to_its_patience_too() {
    let (world, notes) = (World::new(), Notes::default());
    let sending = not_leaving(&world);
    let send = move |request: Request<Body>, bounds: Bounds| {
        std::future::ready(imts::Transport::send(&sending, request, bounds))
    };
    let client = stuck(&world, &notes).patience(Duration::from_secs(86_400));
    let client = client.nonblocking((send, tokio::time::sleep)).unwrap();
    let json = imts::operation::Json::parse(r#"{"client_uuid": "a"}"#).unwrap();
    let call = client.call_named("confirm", &json).unwrap().with_reference("a");
    let hasty = client.with_patience(Duration::from_millis(300));
    let outcome = in_time(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(hasty.perform(call)).unwrap()
    });
    assert_eq!(outcome.ending(), Ending::NotSent);
    assert_eq!(notes.lines().last().unwrap(), "ended 1 not_sent");
}

#[test]
fn a_call_without_time_is_not_sent() {
    let (world, notes) = (World::new(), Notes::default());
    let client = world.builder().journal(notes.clone()).patience(Duration::ZERO);
    let client = client.blocking(world.transport()).unwrap();
    let outcome = client.call(&confirm("a")).unwrap();
    assert_eq!((outcome.ending(), world.sent().len()), (Ending::NotSent, 0));
}

#[test]
fn money_that_ran_out_of_time_is_unknown_and_is_not_sent_again() {
    let (world, notes) = (World::new(), Notes::default());
    let service = world.clone();
    let client = world
        .builder()
        .clock(world.clock.clone())
        .journal(notes.clone())
        .blocking(move |request: Request<Body>, bounds: Bounds| {
            let is_call = !request.uri().path().contains("/agent/");
            let outcome = service.exchange(request);
            if is_call {
                // The reply came in, and its time was over: a transport drops it.
                service.clock.advance(bounds.time_limit);
                return Err(TransportError::unknown().timed_out());
            }
            outcome
        })
        .unwrap();
    let outcome = client.call(&confirm("a")).unwrap();
    assert_eq!((outcome.ending(), world.applied("a")), (Ending::Unknown, 1));
    assert_eq!(notes.lines(), ["intent a", "sending 1", "ended 1 unknown"]);
}

#[test]
fn a_transport_that_panics_leaves_money_unknown_and_the_client_usable() {
    let (world, notes) = (World::new(), Notes::default());
    let service = world.clone();
    let client = world.builder().journal(notes.clone());
    let client = client
        .blocking(move |request: Request<Body>, _: Bounds| {
            let panics = request.body().as_ref().windows(3).any(|part| part == b"\"a\"");
            let outcome = service.exchange(request);
            assert!(!panics, "the transport's own panic");
            outcome
        })
        .unwrap();
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Unknown);
    assert_eq!(client.call(&confirm("b")).unwrap().ending(), Ending::Done);
    assert_eq!((world.applied("a"), world.applied("b")), (1, 1));
}

#[test]
fn a_clock_that_jumps_back_in_mid_call_changes_nothing() {
    let world = World::new();
    let (service, clock) = (world.clone(), world.clock.clone());
    let start = clock.now();
    let client = world.builder().clock(clock.clone());
    let client = client
        .blocking(move |request: Request<Body>, _: Bounds| {
            let outcome = service.exchange(request);
            ManualClock::set(&clock, start);
            outcome
        })
        .unwrap();
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(client.call(&confirm("a")).unwrap().ending(), Ending::Done);
    assert_eq!((world.sent().len(), world.applied("a")), (1, 1));
}
