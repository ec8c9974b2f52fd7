//! Clocks and listeners that panic, hooks that close, clients that go: nobody is left waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use http::Request;
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Client, Now, TokenError, TransportError};

use crate::flights::Gate;
use crate::{World, eventually};

/// A manual clock that panics once, when it is told to.
struct Faulty {
    clock: ManualClock,
    armed: Arc<AtomicBool>,
}

impl Clock for Faulty {
    fn now(&self) -> Now {
        assert!(!self.armed.swap(false, Ordering::SeqCst), "the clock's own fault");
        self.clock.now()
    }
}

#[test]
fn a_clock_that_panics_as_a_reply_comes_ends_the_flight_and_the_next_one_flies() {
    let world = World::default();
    let armed = Arc::new(AtomicBool::new(false));
    let clock = Faulty { clock: world.clock.clone(), armed: Arc::clone(&armed) };
    let service = world.clone();
    let transport = move |request: Request<Body>, _: Bounds| {
        let is_first = service.calls() == 0;
        let answer = service.answer(request);
        armed.store(is_first, Ordering::SeqCst);
        Ok(answer)
    };
    let client = world.builder().clock(clock).blocking(transport).unwrap();
    let error = client.token().unwrap_err();
    assert!(error.to_string().contains("sign-in failed"), "{error}");
    world.pass(1);
    client.token().unwrap();
    assert_eq!(world.calls(), 2);
}

#[cfg(feature = "tracing")]
#[test]
fn a_listener_that_panics_leaves_no_renewal_undone() {
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    struct Panicking;

    impl Subscriber for Panicking {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {
            panic!("the listener's own fault");
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    let world = World::default();
    let client = world.client();
    tracing::subscriber::with_default(Panicking, || client.token().unwrap());
    assert_eq!(world.calls(), 1);
}

#[test]
fn a_hook_may_close_its_client() {
    let world = World::default();
    let slot = Arc::new(Mutex::new(None::<Client>));
    let inside = Arc::clone(&slot);
    let builder = world.builder().on_grant(move |_| {
        let client = inside.lock().unwrap().clone().unwrap();
        client.close(Duration::from_secs(60));
        Ok(())
    });
    let client = builder.blocking(world.transport()).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    let began = Instant::now();
    assert!(matches!(client.token().unwrap_err(), TokenError::Closed));
    assert!(began.elapsed() < Duration::from_secs(30));
    *slot.lock().unwrap() = None;
}

#[test]
fn dropping_the_last_client_blocks_nobody_and_leaves_nothing_behind() {
    let world = World::default();
    let gate = Gate::default();
    let kept = Arc::new(());
    let weak: Weak<()> = Arc::downgrade(&kept);
    let (service, stuck) = (world.clone(), gate.clone());
    let client = world
        .builder()
        .blocking(move |request: Request<Body>, _: Bounds| {
            let _transport = &kept;
            stuck.pass();
            Ok::<_, TransportError>(service.answer(request))
        })
        .unwrap();
    let hasty = client.with_patience(Duration::from_millis(5));
    assert!(matches!(hasty.token().unwrap_err(), TokenError::TimedOut));
    drop((client, hasty));
    assert!(weak.upgrade().is_some(), "its thread is still at the gate");
    gate.open();
    eventually("the end of all", || weak.upgrade().is_none());
}

/// Takes its time to be gone, as the end of a thread may.
struct Lingering(Arc<AtomicBool>);

impl Drop for Lingering {
    fn drop(&mut self) {
        std::thread::sleep(Duration::from_millis(100));
        self.0.store(true, Ordering::SeqCst);
    }
}

thread_local! {
    static LINGERING: std::cell::RefCell<Option<Lingering>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn close_leaves_no_thread() {
    let world = World::default();
    let gone = Arc::new(AtomicBool::new(false));
    let (service, sign) = (world.clone(), Arc::clone(&gone));
    let client = world
        .builder()
        .blocking(move |request: Request<Body>, _: Bounds| {
            LINGERING.set(Some(Lingering(Arc::clone(&sign))));
            Ok::<_, TransportError>(service.answer(request))
        })
        .unwrap();
    client.token().unwrap();
    client.close(Duration::from_secs(60));
    assert!(gone.load(Ordering::SeqCst), "the renewal's thread is still there");
}
