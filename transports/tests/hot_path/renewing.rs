//! Asking while a renewal is under way or backs off: the old token is served without the session, which
//! shows by the precise clock that nobody reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use http::Request;
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::transport_error::NotSent;
use imts::{Now, Policy, TransportError};
use imts_sandbox::Outage;

use crate::{World, at_once};

/// Counts readings, but for the coarse ones.
#[derive(Clone, Default)]
struct Counting {
    time: ManualClock,
    read: Arc<AtomicU64>,
}

impl Clock for Counting {
    fn now(&self) -> Now {
        self.read.fetch_add(1, Ordering::SeqCst);
        self.time.now()
    }

    fn coarse(&self) -> Now {
        self.time.now()
    }
}

impl Counting {
    fn of(world: &World) -> Self {
        Self { time: world.clock.clone(), read: Arc::default() }
    }

    /// How often the session's clock is read in a thousand asks.
    fn read_by(&self, mut ask: impl FnMut()) -> u64 {
        let before = self.read.load(Ordering::SeqCst);
        (0..1_000).for_each(|_| ask());
        self.read.load(Ordering::SeqCst) - before
    }
}

#[test]
fn threads_need_no_session_while_one_renews() {
    let world = World::default();
    let clock = Counting::of(&world);
    let (arrives, arrived) = mpsc::channel();
    let (let_go, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let service = world.clone();
    let transport = move |request: Request<Body>, _: Bounds| {
        arrives.send(()).unwrap();
        held.lock().unwrap().recv().unwrap();
        Ok(service.answer(request))
    };
    let client = world.builder().clock(clock.clone()).blocking(transport).unwrap();
    let_go.send(()).unwrap();
    client.token().unwrap();
    arrived.recv().unwrap();
    world.pass(800);
    client.token().unwrap();
    arrived.recv().unwrap();
    assert_eq!(clock.read_by(|| drop(client.token().unwrap())), 0);
    world.pass(31);
    assert_ne!(clock.read_by(|| drop(client.token().unwrap())), 0, "its time limit has passed");
    let_go.send(()).unwrap();
    client.close(Duration::from_secs(60));
}

#[test]
fn tasks_need_no_session_while_the_background_renews_but_for_a_look_now_and_then() {
    for is_spawned in [true, false] {
        let world = World::default();
        let clock = Counting::of(&world);
        let builder = world.builder().clock(clock.clone());
        let builder = if is_spawned { builder.spawner(std::mem::forget) } else { builder };
        let service = world.clone();
        let send = move |request: Request<Body>, _: Bounds| {
            let first = service.calls() == 0;
            let response = service.answer(request);
            async move {
                if !first {
                    std::future::pending::<()>().await;
                }
                Ok::<_, TransportError>(response)
            }
        };
        let sleep = |_: Duration| std::future::pending();
        let client = builder.nonblocking((send, sleep)).unwrap();
        at_once(client.token()).unwrap();
        world.pass(800);
        let mut ask = || drop(at_once(client.token()).unwrap());
        ask();
        assert_eq!(world.calls(), 2, "it renews");
        let read = clock.read_by(&mut ask);
        assert_eq!(read == 0, is_spawned, "{read} times: without a spawner each ask drives it");
        world.clock.advance(Duration::from_millis(100));
        let read = clock.read_by(&mut ask);
        assert!((1..10).contains(&read) || !is_spawned, "{read} times: one ask looks");
    }
}

#[test]
fn nobody_needs_the_session_while_a_renewal_backs_off() {
    let mut policy = Policy::default();
    policy.backoff_first = Duration::from_secs(60);
    policy.jitter_percent = 0;
    for is_refused in [true, false] {
        let world = World::default();
        let clock = Counting::of(&world);
        let builder = || world.builder().policy(policy.clone()).clock(clock.clone());
        let service = world.clone();
        let transport = move |request: Request<Body>, _: Bounds| match service.calls() {
            0 => Ok(service.answer(request)),
            _ if is_refused => Ok(service.answer(request)),
            _ => Err(TransportError::not_sent(NotSent::vouch())),
        };
        let client = builder().blocking(transport).unwrap();
        client.token().unwrap();
        let other = world.nonblocking_by(builder());
        at_once(other.token()).unwrap();
        world.sandbox().settings_mut().outage = Some(Outage::default());
        world.pass(800);
        client.token().unwrap();
        crate::eventually("the flight has landed", || {
            client.phase(|_| ());
            client.health().in_flight.is_none()
        });
        at_once(other.token()).unwrap();
        at_once(other.token()).unwrap();
        for seconds in [0, 59] {
            world.pass(seconds);
            assert_eq!(clock.read_by(|| drop(client.token().unwrap())), 0);
            assert_eq!(clock.read_by(|| drop(at_once(other.token()).unwrap())), 0);
        }
        let before = world.calls();
        world.pass(1);
        at_once(other.token()).unwrap();
        assert_eq!(world.calls(), before + 1, "it is over");
    }
}
