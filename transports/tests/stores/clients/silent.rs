//! Stores that fail, hang or panic: no ask waits for them longer than their time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use imts::swap::{Swap, Swapped};
use imts::{Store, StoreError, TokenError};
use imts_sandbox::Rotation;

use super::{World, eventually, reports};

/// A store that can be made to hang.
#[derive(Clone)]
struct Hanging {
    world: World,
    hangs: Arc<AtomicBool>,
    /// How many swaps have begun while it hangs.
    begun: Arc<AtomicUsize>,
    free: Arc<Mutex<Receiver<()>>>,
}

impl Hanging {
    fn new(world: &World) -> (Self, Sender<()>) {
        let (sender, receiver) = channel();
        let store = Self {
            world: world.clone(),
            hangs: Arc::new(AtomicBool::new(true)),
            begun: Arc::default(),
            free: Arc::new(Mutex::new(receiver)),
        };
        (store, sender)
    }

    /// Hangs until the test says so, or is over.
    fn hang(&self) {
        let _freed = self.free.lock().unwrap().recv();
    }
}

impl Store for Hanging {
    fn swap(&self, swap: &Swap) -> Result<Swapped, StoreError> {
        if self.hangs.load(Ordering::SeqCst) {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.hang();
        }
        self.world.store.swap(swap)
    }
}

fn quick() -> World {
    let mut world = World::default();
    world.policy.store_within = Duration::from_millis(300);
    world.policy.store_backoff_cap = Duration::from_millis(500);
    world
}

#[test]
fn a_store_that_hangs_costs_one_thread_and_its_time_limit() {
    let world = quick();
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(3);
    let (store, _free) = Hanging::new(&world);
    let client = world.client_over(world.builder().store(store.clone()));
    client.token().unwrap();
    let counts = client.store_counts();
    assert_eq!((counts.failed, counts.alone, counts.renewed, world.sign_ins()), (1, 1, 0, 1));
    let text = client.store_failure().unwrap().to_string();
    assert_eq!(text, "the store did not answer in time");
    // It goes on trying, and the store is not called again before it has returned.
    eventually("the store is asked again", || {
        client.token().unwrap();
        client.store_counts().failed >= 3
    });
    assert_eq!(store.begun.load(Ordering::SeqCst), 1);
    let text = client.store_failure().unwrap().to_string();
    assert!(text.contains("not yet returned"), "{text}");
}

#[test]
fn a_store_that_comes_back_is_used_and_gets_what_was_got_alone() {
    let world = quick();
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(3);
    world.sandbox().settings_mut().rotation = Rotation::ReuseRevokesFamily;
    let (store, free) = Hanging::new(&world);
    let client = world.client_over(world.builder().store(store.clone()));
    client.token().unwrap();
    assert_eq!((client.store_counts().alone, client.store_counts().done), (1, 0));
    store.hangs.store(false, Ordering::SeqCst);
    free.send(()).unwrap();
    eventually("its next renewal is by a claim", || {
        client.token().unwrap();
        client.store_counts().renewed >= 1
    });
    assert!(client.store_failure().is_none());
    eventually("it is handed over", || client.store_counts().done >= 2);
    let token = client.token().unwrap().expose_token().to_owned();
    assert_eq!(world.client().token().unwrap().expose_token(), token);
    let made = (world.sign_ins(), world.refreshes(), world.sandbox().counters().refresh_reuse);
    assert_eq!(made, (1, 1, 0), "nobody but this client had that refresh token");
}

#[test]
fn no_ask_waits_for_the_hand_over_of_its_grant() {
    let world = World::default();
    let (store, free) = Hanging::new(&world);
    store.hangs.store(false, Ordering::SeqCst);
    let (hanging, told) = (store.clone(), Arc::new(AtomicBool::new(false)));
    let handing = Arc::clone(&told);
    let client = world.client_over(world.builder().store(move |swap: &Swap| {
        if reports(swap) {
            handing.store(true, Ordering::SeqCst);
            hanging.hang();
        }
        hanging.world.store.swap(swap)
    }));
    let asks: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            thread::spawn(move || client.token().unwrap().epoch().count())
        })
        .collect();
    for ask in asks {
        assert_eq!(ask.join().unwrap(), 1);
    }
    eventually("the grant is being handed over", || told.load(Ordering::SeqCst));
    assert_eq!(client.store_counts().done, 1, "the claim alone");
    client.token().unwrap();
    free.send(()).unwrap();
    eventually("it is handed over", || client.store_counts().done == 2);
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn the_news_of_a_failure_delays_no_caller() {
    let world = World::default();
    world.sandbox().settings_mut().outage = Some(imts_sandbox::Outage::default());
    let (store, free) = Hanging::new(&world);
    let client = world.client_over(world.builder().store(move |swap: &Swap| {
        if reports(swap) {
            store.hang();
        }
        store.world.store.swap(swap)
    }));
    let error = client.token().unwrap_err();
    assert!(matches!(error, TokenError::Renewal(_)), "{error:?}");
    assert_eq!(client.store_counts().done, 1, "the claim alone");
    free.send(()).unwrap();
    eventually("the siblings can know", || client.store_counts().done == 2);
}

#[test]
fn a_store_that_panics_is_one_that_failed() {
    let mut world = World::default();
    // A panic may take long: it prints where it comes from.
    world.policy.store_within = Duration::from_secs(60);
    let client =
        world.client_over(world.builder().store(|_: &Swap| -> Result<Swapped, StoreError> {
            panic!("a test's own");
        }));
    client.token().unwrap();
    let counts = client.store_counts();
    assert_eq!((counts.alone, counts.done, world.sign_ins()), (1, 0, 1));
    assert!(counts.failed >= 1);
    let text = client.store_failure().unwrap().to_string();
    assert_eq!(text, "the store cannot be reached: the store panicked");
}

#[test]
fn while_a_token_is_usable_nobody_waits_for_a_store_that_hangs() {
    let mut world = quick();
    world.policy.store_within = Duration::from_secs(30);
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(4);
    let (store, _free) = Hanging::new(&world);
    store.hangs.store(false, Ordering::SeqCst);
    let client = world.client_over(world.builder().store(store.clone()));
    client.token().unwrap();
    eventually("it is handed over", || client.store_counts().done == 2);
    store.hangs.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let mut asks = 0;
    while store.begun.load(Ordering::SeqCst) == 0 {
        client.token().unwrap();
        asks += 1;
        thread::sleep(Duration::from_millis(2));
        assert!(began.elapsed() < Duration::from_secs(60), "it never claims");
    }
    assert!(asks > 10, "{asks}");
    let bearer = client.token().unwrap();
    assert_eq!(bearer.epoch().count(), 1, "the old one is served meanwhile");
    eventually("it signs in alone", || client.token().unwrap().epoch().count() == 2);
    assert_eq!((client.store_counts().alone, world.refreshes()), (1, 0));
}

#[test]
fn an_ask_from_inside_the_store_is_an_error_and_not_a_hang() {
    let world = World::default();
    let own: Arc<Mutex<Option<imts::Client>>> = Arc::default();
    let (asking, seen) = (Arc::clone(&own), Arc::new(Mutex::new(Vec::new())));
    let (errors, store) = (Arc::clone(&seen), Arc::clone(&world.store));
    let client = world.client_over(world.builder().store(move |swap: &Swap| {
        let client = asking.lock().unwrap().clone();
        if let Some(Err(error)) = client.map(|client| client.token().map(drop)) {
            errors.lock().unwrap().push(error);
        }
        store.swap(swap)
    }));
    *own.lock().unwrap() = Some(client.clone());
    client.token().unwrap();
    let errors = seen.lock().unwrap();
    assert!(matches!(errors[..], [TokenError::Reentrant, ..]), "{errors:?}");
    assert_eq!(world.sign_ins(), 1);
    *own.lock().unwrap() = None;
}
