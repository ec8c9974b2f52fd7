//! Credentials from a callback of a client for tasks.

use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use http::Request;
use imts::client::HookError;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, Builder, Credentials, Endpoint, TokenError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation};

use crate::{ByHand, Turnstile, World, at_once, no_timer};

fn builder(world: &World) -> Builder {
    let endpoint = Endpoint::https("https://sandbox.example").unwrap();
    Builder::new(endpoint).clock(world.clock.clone())
}

fn good() -> Result<Credentials, HookError> {
    Ok(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
}

/// A secret store that lets a reading through when the test says so, and that counts the readings
/// and those that were dropped.
#[derive(Clone, Default)]
struct Vault {
    secret: Arc<Mutex<String>>,
    stile: Turnstile,
    reads: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

struct CountsDrop(Arc<AtomicUsize>);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Vault {
    fn with(secret: &str) -> Self {
        Self { secret: Arc::new(Mutex::new(secret.to_owned())), ..Self::default() }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn client(&self, builder: Builder, world: &World) -> AsyncClient {
        let vault = self.clone();
        let builder = builder.credentials_from_async(move || {
            vault.reads.fetch_add(1, Ordering::SeqCst);
            let (secret, turn) = (Arc::clone(&vault.secret), vault.stile.pass());
            let ends = CountsDrop(Arc::clone(&vault.dropped));
            async move {
                turn.await;
                drop(ends);
                let secret = secret.lock().unwrap().clone();
                Ok(Credentials::new(DEFAULT_AGENT, secret)?)
            }
        });
        let service = world.clone();
        let send = move |request: Request<Body>, _: Bounds| ready(Ok(service.answer(request)));
        builder.nonblocking((send, no_timer)).unwrap()
    }
}

fn ask(client: &AsyncClient) -> ByHand<Result<u64, TokenError>> {
    let client = client.clone();
    ByHand::new(async move { client.token().await.map(|bearer| bearer.epoch().count()) })
}

fn rotate(world: &World, secret: &str) {
    let mut sandbox = world.sandbox();
    let settings = sandbox.settings_mut();
    settings.agents.insert(DEFAULT_AGENT.to_owned(), secret.to_owned());
    settings.refuse_refresh = true;
}

#[test]
fn a_replaced_secret_is_read_and_used_and_the_old_token_serves_meanwhile() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = vault.client(builder(&world), &world);
    vault.stile.turn(1);
    assert_eq!(at_once(client.token()).unwrap().epoch().count(), 1);
    *vault.secret.lock().unwrap() = "new".to_owned();
    rotate(&world, "new");
    world.pass(850);
    // The refresh and the sign-in are refused, and the callback is asked.
    assert_eq!(at_once(client.token()).unwrap().epoch().count(), 1);
    assert_eq!(vault.reads(), 2);
    world.pass(1);
    assert_eq!(at_once(client.token()).unwrap().epoch().count(), 1);
    assert_eq!((vault.reads(), world.sandbox().count(Operation::GetToken)), (2, 2));
    vault.stile.turn(1);
    assert_eq!(at_once(client.token()).unwrap().epoch().count(), 2);
    assert_eq!((vault.reads(), world.sandbox().count(Operation::GetToken)), (2, 3));
}

#[test]
fn a_callback_without_a_future_serves_both_clients() {
    let world = World::default();
    let builder = builder(&world).credentials_from(good);
    let client = builder.nonblocking(world.when(|| ready(()))).unwrap();
    at_once(client.token()).unwrap();
}

#[test]
fn a_caller_that_is_cancelled_leaves_the_reading_to_the_next_one() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = vault.client(builder(&world), &world);
    let (mut first, mut second) = (ask(&client), ask(&client));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop(first);
    let mut third = ask(&client);
    assert!(third.poll().is_pending());
    assert_eq!(vault.reads(), 1);
    drop(second);
    vault.stile.turn(1);
    assert!(third.is_woken());
    let Poll::Ready(epoch) = third.poll() else { panic!("it has what it needs") };
    assert_eq!((epoch.unwrap(), vault.reads()), (1, 1));
}

#[test]
fn dropping_the_last_client_drops_the_reading() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = vault.client(builder(&world), &world);
    let mut asker = ask(&client);
    assert!(asker.poll().is_pending());
    drop(client);
    drop(asker);
    // What it waits for has its waker, and drops that now.
    vault.stile.turn(1);
    assert_eq!(vault.dropped.load(Ordering::SeqCst), 1);
    assert_eq!(world.calls(), 0);
}

#[test]
fn a_callback_that_does_not_complete_in_time_has_failed() {
    let world = World::default();
    let service = world.clone();
    let send = move |request: Request<Body>, _: Bounds| ready(Ok(service.answer(request)));
    let builder = builder(&world).credentials_from_async(pending);
    // Every sleep is over at once, so each time limit is.
    let client = builder.nonblocking((send, |_: Duration| ready(()))).unwrap();
    let error = at_once(client.token()).unwrap_err();
    assert!(matches!(error, TokenError::Credentials { .. }), "{error:?}");
    assert!(error.to_string().contains("did not return within the time limit"), "{error}");
    assert_eq!(world.calls(), 0);
}

#[test]
fn a_callback_that_panics_at_once_or_later_has_failed_and_is_called_again() {
    for early in [true, false] {
        let world = World::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let builder = builder(&world).credentials_from_async(move || {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            assert!(!(is_first && early), "the callback's own fault");
            async move {
                assert!(!is_first, "the callback's own fault");
                good()
            }
        });
        let client = builder.nonblocking(world.when(|| ready(()))).unwrap();
        let error = at_once(client.token()).unwrap_err();
        assert!(error.to_string().ends_with("the credentials callback panicked"), "{error}");
        let again = at_once(client.token()).unwrap_err();
        assert!(matches!(again, TokenError::Credentials { .. }), "{again:?}");
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        world.pass(1);
        at_once(client.token()).unwrap();
    }
}

#[test]
fn a_callback_that_fails_or_brings_nothing_new_is_paced_and_nothing_is_sent() {
    let (world, vault) = (World::default(), Vault::with("wrong"));
    let client = vault.client(builder(&world), &world);
    vault.stile.turn(10_000);
    for _ in 0..3_600 {
        at_once(client.token()).unwrap_err();
        world.pass(1);
    }
    assert_eq!(world.sandbox().count(Operation::GetToken), 1);
    assert!((40..=130).contains(&vault.reads()), "{}", vault.reads());
}

#[test]
fn an_ask_from_the_callback_is_an_error_and_not_a_hang() {
    let world = World::default();
    let slot = Arc::new(Mutex::new(None::<AsyncClient>));
    let inside = Arc::clone(&slot);
    let builder = builder(&world).credentials_from_async(move || {
        let client = inside.lock().unwrap().clone().unwrap();
        assert_eq!(client.health().phase, "unauthenticated");
        async move {
            client.token().await?;
            good()
        }
    });
    let client = builder.nonblocking(world.when(|| ready(()))).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    let error = at_once(client.token()).unwrap_err();
    assert!(error.to_string().contains("inside the renewal"), "{error}");
    *slot.lock().unwrap() = None;
}

#[test]
fn what_is_read_after_close_is_not_used() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = vault.client(builder(&world), &world);
    let mut asker = ask(&client);
    assert!(asker.poll().is_pending());
    let closing = client.clone();
    let mut close = ByHand::new(async move { closing.close(Duration::from_secs(60)).await });
    assert!(close.poll().is_pending());
    vault.stile.turn(1);
    assert!(matches!(close.poll(), Poll::Ready(None)));
    let Poll::Ready(Err(TokenError::Closed)) = asker.poll() else { panic!("it was closed") };
    assert_eq!(world.calls(), 0);
}

#[tokio::test]
async fn with_a_spawner_a_reading_ends_though_no_one_waits() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let spawner = |work| drop(tokio::spawn(work));
    let client = vault.client(builder(&world).spawner(spawner).keep_alive(), &world);
    vault.stile.turn(1);
    for _ in 0..12_000 {
        if client.health().is_ready() {
            assert_eq!(vault.reads(), 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited a minute in vain for a token");
}
