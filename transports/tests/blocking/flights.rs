//! One renewal at a time, owned by the client.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use http::{Request, Response};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Client, TokenError, Transport, TransportError};

use crate::{World, eventually};

/// A gate that a transport waits at, so that a test decides when a reply comes.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let mut open = self.0.0.lock().unwrap();
        while !*open {
            open = self.0.1.wait(open).unwrap();
        }
    }
}

fn gated(world: &World, gate: &Gate) -> Client {
    let (service, gate) = (world.clone(), gate.clone());
    let transport = move |request: Request<Body>, _: Bounds| {
        gate.pass();
        Ok(service.answer(request))
    };
    world.builder().blocking(transport).unwrap()
}

#[test]
fn two_hundred_threads_without_a_token_cost_one_sign_in() {
    let world = World::default();
    let gate = Gate::default();
    let client = gated(&world, &gate);
    let start = Barrier::new(201);
    thread::scope(|scope| {
        let asks: Vec<_> = (0..200)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    client.token().unwrap().epoch()
                })
            })
            .collect();
        start.wait();
        gate.open();
        let epochs: Vec<_> = asks.into_iter().map(|ask| ask.join().unwrap()).collect();
        assert!(epochs.iter().all(|epoch| *epoch == epochs[0]));
    });
    assert_eq!(world.calls(), 1);
}

#[test]
fn all_who_wait_are_told_the_one_failure() {
    let world = World::default();
    world.sandbox().settings_mut().outage = Some(imts_sandbox::Outage::default());
    let gate = Gate::default();
    let client = gated(&world, &gate);
    thread::scope(|scope| {
        let asks: Vec<_> = (0..50).map(|_| scope.spawn(|| client.token().unwrap_err())).collect();
        gate.open();
        for ask in asks {
            assert_eq!(ask.join().unwrap().renewal_error().unwrap().fault_status(), Some(503));
        }
    });
    assert_eq!(world.calls(), 1);
}

/// The status of the reply that an error is about.
trait FaultStatus {
    fn fault_status(&self) -> Option<u16>;
}

impl FaultStatus for imts::session::RenewalError {
    fn fault_status(&self) -> Option<u16> {
        match self.why() {
            imts::session::RenewalCause::Reply(imts::error::ReplyError::Unexpected {
                status,
                ..
            }) => Some(status.as_u16()),
            _ => None,
        }
    }
}

#[test]
fn a_caller_whose_patience_ends_leaves_the_renewal_to_go_on() {
    let world = World::default();
    let gate = Gate::default();
    let client = gated(&world, &gate);
    let hasty = client.with_patience(Duration::from_millis(20));
    assert!(matches!(hasty.token().unwrap_err(), TokenError::TimedOut));
    gate.open();
    client.token().unwrap();
    assert_eq!(world.calls(), 1);
}

#[test]
fn while_expiring_nobody_waits_for_the_renewal() {
    let world = World::default();
    let gate = Gate::default();
    gate.open();
    let client = gated(&world, &gate);
    let old = client.token().unwrap();
    *gate.0.0.lock().unwrap() = false;
    world.pass(850);
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(client.token().unwrap().epoch(), old.epoch());
    }
    assert!(began.elapsed() < Duration::from_secs(50), "well before their patience ends");
    gate.open();
    eventually("the new token", || client.token().unwrap().epoch() > old.epoch());
    assert_eq!(world.calls(), 2);
}

#[test]
fn a_transport_that_panics_is_an_error_once_and_the_next_ask_renews() {
    let world = World::default();
    let sends = Arc::new(AtomicUsize::new(0));
    let (service, count) = (world.clone(), Arc::clone(&sends));
    let transport =
        move |request: Request<Body>, _: Bounds| -> Result<Response<Vec<u8>>, TransportError> {
            assert!(count.fetch_add(1, Ordering::SeqCst) > 0, "the first send panics");
            Ok(service.answer(request))
        };
    let client = world.builder().blocking(transport).unwrap();
    assert!(matches!(client.token().unwrap_err(), TokenError::Renewal(_)));
    world.pass(1);
    client.token().unwrap();
    assert_eq!(sends.load(Ordering::SeqCst), 2);
}

/// A transport that asks the very client that it works for.
struct Reentrant {
    world: World,
    client: Arc<Mutex<Option<Client>>>,
    told: Arc<Mutex<Option<TokenError>>>,
}

impl Transport for Reentrant {
    fn send(&self, request: Request<Body>, _: Bounds) -> Result<Response<Vec<u8>>, TransportError> {
        let client = self.client.lock().unwrap().clone().unwrap();
        *self.told.lock().unwrap() = client.token().err();
        Ok(self.world.answer(request))
    }
}

#[test]
fn an_ask_from_inside_the_renewal_is_an_error_and_not_a_hang() {
    let world = World::default();
    let (slot, told) = (Arc::default(), Arc::default());
    let transport =
        Reentrant { world: world.clone(), client: Arc::clone(&slot), told: Arc::clone(&told) };
    let client = world.builder().blocking(transport).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    client.token().unwrap();
    assert!(matches!(*told.lock().unwrap(), Some(TokenError::Reentrant)));
    *slot.lock().unwrap() = None;
}

#[test]
fn two_agents_over_one_transport_never_share_a_token_or_a_back_off() {
    let world = World::default();
    world.sandbox().settings_mut().agents.insert("other".into(), "other-secret".into());
    let transport: Arc<dyn Transport> = Arc::new(world.transport());
    let of = |id: &str, secret: &str| {
        let shared = Arc::clone(&transport);
        world
            .builder()
            .credentials(imts::Credentials::new(id, secret).unwrap())
            .blocking(move |request: Request<Body>, bounds: Bounds| shared.send(request, bounds))
            .unwrap()
    };
    let (one, two, refused) =
        (of("sandbox-agent", "sandbox-secret"), of("other", "other-secret"), of("other", "no"));
    assert!(refused.token().is_err());
    assert_ne!(one.token().unwrap().expose_token(), two.token().unwrap().expose_token());
    assert_eq!(world.calls(), 3);
}
