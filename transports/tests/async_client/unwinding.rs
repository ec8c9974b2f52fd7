//! Wakers, clocks, futures and spawners that panic or ask back: nobody is left waiting for that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use http::{Request, Response};
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, Now, TokenError, TransportError};

use crate::{ByHand, Turnstile, World, at_once, no_timer, run_all};

/// Panics when it is woken.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("the waker's own fault");
    }
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_asleep() {
    let (world, turnstile) = (World::default(), Turnstile::default());
    let (service, stile) = (world.clone(), turnstile.clone());
    let send = move |request: Request<Body>, _: Bounds| {
        let (service, passing) = (service.clone(), stile.pass());
        async move {
            passing.await;
            Ok(service.answer(request))
        }
    };
    let client = world.client((send, no_timer));
    let first = client.clone();
    let mut first = pin!(first.token());
    let bomb = Waker::from(Arc::new(Bomb));
    assert!(first.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending());
    let mut others: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            ByHand::new(async move { client.token().await })
        })
        .collect();
    others.iter_mut().for_each(|other| assert!(other.poll().is_pending()));
    let _told = catch_unwind(AssertUnwindSafe(|| turnstile.turn(1)));
    for outcome in run_all(others) {
        outcome.unwrap();
    }
    assert_eq!(world.calls(), 1);
}

/// A reply that is there, and a destructor that panics.
struct Brittle(Option<Result<Response<Vec<u8>>, TransportError>>);

impl Future for Brittle {
    type Output = Result<Response<Vec<u8>>, TransportError>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("the destructor's own fault");
        }
    }
}

#[test]
fn a_transport_whose_future_panics_when_it_is_dropped_has_answered_all_the_same() {
    let world = World::default();
    let service = world.clone();
    let send = move |request: Request<Body>, _: Bounds| Brittle(Some(Ok(service.answer(request))));
    let client = world.client((send, no_timer));
    assert_eq!(at_once(client.token()).unwrap().epoch().count(), 1);
    assert_eq!(world.calls(), 1);
}

#[test]
fn whoever_waits_for_a_renewal_that_is_given_up_is_told_even_if_dropping_it_panics() {
    let world = World::default();
    let sleep = |duration: Duration| async move {
        if duration > Duration::from_secs(1) {
            std::future::pending::<()>().await;
        }
    };
    let client = world.client((|_: Request<Body>, _: Bounds| Brittle(None), sleep));
    let asking = client.clone();
    let mut waiting = ByHand::new(async move { asking.token().await });
    assert!(waiting.poll().is_pending());
    assert!(at_once(client.close(Duration::ZERO)).is_none());
    let told = run_all(vec![waiting]).remove(0);
    assert!(matches!(told.unwrap_err(), TokenError::Closed));
}

/// A manual clock that panics once, when it is told to.
#[derive(Clone, Default)]
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
    let clock = Faulty { clock: world.clock.clone(), armed: Arc::default() };
    let (service, armed) = (world.clone(), Arc::clone(&clock.armed));
    let send = move |request: Request<Body>, _: Bounds| {
        let is_first = service.calls() == 0;
        let answer = service.answer(request);
        armed.store(is_first, Ordering::SeqCst);
        std::future::ready(Ok(answer))
    };
    let client = world.builder().clock(clock).nonblocking((send, no_timer)).unwrap();
    let error = at_once(client.token()).unwrap_err();
    assert!(error.to_string().contains("sign-in failed"), "{error}");
    world.pass(1);
    at_once(client.token()).unwrap();
    assert_eq!(world.calls(), 2);
}

#[test]
fn a_spawner_may_run_the_renewal_at_once_or_ask_the_client() {
    for asks in [false, true] {
        let world = World::default();
        let slot = Arc::new(Mutex::new(None::<AsyncClient>));
        let inside = Arc::clone(&slot);
        let builder = world.builder().spawner(move |renewal| {
            let client = inside.lock().unwrap().clone().unwrap();
            if asks {
                at_once(client.token()).unwrap();
            }
            at_once(renewal);
        });
        let client = builder.nonblocking(world.when(|| std::future::ready(()))).unwrap();
        *slot.lock().unwrap() = Some(client.clone());
        at_once(client.token()).unwrap();
        assert_eq!(world.calls(), 1);
        *slot.lock().unwrap() = None;
    }
}

#[test]
fn a_hook_may_close_its_client() {
    let world = World::default();
    let slot = Arc::new(Mutex::new(None::<AsyncClient>));
    let inside = Arc::clone(&slot);
    let builder = world.builder().on_grant(move |_| {
        let client = inside.lock().unwrap().clone().unwrap();
        at_once(client.close(Duration::from_secs(60)));
        Ok(())
    });
    let client = builder.nonblocking(world.when(|| std::future::ready(()))).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    assert!(matches!(at_once(client.token()).unwrap_err(), TokenError::Closed));
    *slot.lock().unwrap() = None;
}
