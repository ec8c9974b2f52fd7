//! Health, a warm start, and a client that keeps itself alive while nobody asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::session::CredentialsHealth;
use imts::transport::Bounds;
use imts::{Credentials, Keep, Now, TokenError, TransportError};
use imts_sandbox::{Fault, Operation, Outage, Rule};

use crate::{World, eventually};

/// How many requests of this kind the service has seen.
fn seen(world: &World, operation: Operation) -> usize {
    world.sandbox().log().iter().filter(|entry| entry.operation == operation).count()
}

#[test]
fn a_client_says_how_it_is_and_shows_no_secret() {
    let world = World::default();
    let client = world.client();
    assert!(!client.health().is_ready());
    client.warm_up().unwrap();
    let token = client.token().unwrap();
    world.pass(60);
    let health = client.health();
    assert!(health.is_ready() && !health.needs_credentials());
    assert_eq!((health.phase, health.credentials), ("valid", CredentialsHealth::Worked));
    assert_eq!(health.next_renewal, Some(health.remaining.unwrap() - Duration::from_secs(120)));
    assert!(!health.save_failed);
    let text = format!("{} {health:?}", serde_json::to_string(&health).unwrap());
    for secret in [token.expose_token(), imts_sandbox::DEFAULT_SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.contains(r#""phase":"valid","remaining_ms":"#), "{text}");
}

#[test]
fn a_warm_start_says_why_there_is_no_token() {
    let world = World::default();
    world.sandbox().settings_mut().outage = Some(Outage::default());
    let client = world.client();
    assert!(matches!(client.warm_up(), Err(TokenError::Renewal(_))));
    let health = client.health();
    let last = health.last_error.as_ref().unwrap();
    assert_eq!((last.renewal_error().kind(), health.failures), ("unexpected", 1));
    assert!(health.backing_off.is_some() && health.next_renewal == health.backing_off);
    let hook = |_: &imts::Saved| Err("no disk".into());
    world.sandbox().settings_mut().outage = None;
    let client = world.builder().on_grant(hook).blocking(world.transport()).unwrap();
    client.warm_up().unwrap();
    assert!(client.health().save_failed);
}

#[test]
fn a_403_is_health_to_read_and_not_an_end() {
    let world = World::default();
    let fault = Fault::Status { status: 403, retry_after_s: None };
    world.sandbox().set_faults(vec![Rule::always(Operation::GetToken, fault)]);
    let client = world.client();
    assert!(matches!(client.warm_up(), Err(TokenError::Renewal(_))));
    let health = client.health();
    assert_eq!(health.credentials, CredentialsHealth::Forbidden);
    assert_eq!(health.next_renewal, Some(Duration::from_secs(60)));
    world.sandbox().set_faults(Vec::new());
    world.pass(60);
    client.warm_up().unwrap();
}

#[test]
fn an_idle_client_that_keeps_itself_alive_never_expires() {
    let world = World::default();
    let client = world.builder().keep_alive().blocking(world.transport()).unwrap();
    eventually("it signs in by itself", || client.health().is_ready());
    for round in 1..=5 {
        let before = client.health().epoch;
        world.clock.advance(client.health().next_renewal.unwrap());
        eventually("it renews by itself", || client.health().epoch > before);
        assert!(client.health().is_ready(), "round {round}");
    }
    assert_eq!((seen(&world, Operation::GetToken), seen(&world, Operation::Refresh)), (1, 5));
}

#[test]
fn a_client_that_keeps_itself_alive_renews_what_was_rejected_and_uses_new_credentials() {
    let world = World::default();
    let builder = world.builder().keep_alive();
    let client = builder.credentials(Credentials::new("sandbox-agent", "wrong").unwrap());
    let client = client.blocking(world.transport()).unwrap();
    eventually("the health shows it", || client.health().credentials == CredentialsHealth::Refused);
    let right = Credentials::new(imts_sandbox::DEFAULT_AGENT, imts_sandbox::DEFAULT_SECRET);
    client.sign_in(right.unwrap(), Keep::Always);
    eventually("it signs in", || client.health().is_ready());
    let bearer = client.token().unwrap();
    client.reject(bearer.epoch());
    eventually("it renews", || client.health().epoch > bearer.epoch().count());
}

/// Counts how often the time is read.
struct Counted(ManualClock, Arc<AtomicUsize>);

impl Clock for Counted {
    fn now(&self) -> Now {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.now()
    }

    fn on_set(&self, look_again: std::sync::Weak<dyn Fn() + Send + Sync>) {
        self.0.on_set(look_again);
    }
}

#[test]
fn between_renewals_it_sleeps_and_it_ends_with_its_client() {
    let world = World::default();
    let reads = Arc::new(AtomicUsize::new(0));
    let gone = Arc::new(());
    let (service, held) = (world.clone(), Arc::clone(&gone));
    let client = world
        .builder()
        .clock(Counted(world.clock.clone(), Arc::clone(&reads)))
        .keep_alive()
        .blocking(move |request: Request<Body>, _: Bounds| {
            let _held = &held;
            Ok::<_, TransportError>(service.answer(request))
        })
        .unwrap();
    eventually("it signs in", || client.health().is_ready());
    // It looks once more after its own renewal, and then not again.
    let settled = || {
        let before = reads.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(200));
        reads.load(Ordering::SeqCst) == before
    };
    eventually("it comes to rest", settled);
    assert!(settled(), "it rests");
    drop(client);
    eventually("nothing of the client is left", || Arc::strong_count(&gone) == 1);
}

#[test]
fn closing_ends_it_before_it_returns() {
    let world = World::default();
    let gone = Arc::new(());
    let (service, held) = (world.clone(), Arc::clone(&gone));
    let client = world.builder().keep_alive();
    let client = client
        .blocking(move |request: Request<Body>, _: Bounds| {
            let _held = &held;
            Ok::<_, TransportError>(service.answer(request))
        })
        .unwrap();
    eventually("it signs in", || client.health().is_ready());
    assert!(client.close(Duration::from_secs(60)).is_some());
    assert!(matches!(client.token(), Err(TokenError::Closed)));
    drop(client);
    assert_eq!(Arc::strong_count(&gone), 1, "its thread was waited for");
}
