//! Credentials from a callback: when it is called, how often, and what its failures do.

mod slow;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imts::builder::BuildError;
use imts::client::HookError;
use imts::session::CredentialsHealth;
use imts::{Builder, Client, Credentials, Endpoint, Keep, Policy, Recovery, Saved, TokenError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation, Rotation};

use crate::{World, eventually};

/// A secret store that counts its readings.
#[derive(Clone)]
struct Vault {
    secret: Arc<Mutex<Result<String, &'static str>>>,
    reads: Arc<AtomicUsize>,
}

impl Vault {
    fn with(secret: &str) -> Self {
        Self { secret: Arc::new(Mutex::new(Ok(secret.to_owned()))), reads: Arc::default() }
    }

    fn set(&self, secret: Result<&str, &'static str>) {
        *self.secret.lock().unwrap() = secret.map(str::to_owned);
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn read(&self) -> Result<Credentials, HookError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let secret = self.secret.lock().unwrap().clone()?;
        Ok(Credentials::new(DEFAULT_AGENT, secret)?)
    }
}

fn builder(world: &World) -> Builder {
    let endpoint = Endpoint::https("https://sandbox.example").unwrap();
    Builder::new(endpoint).clock(world.clock.clone())
}

fn client(world: &World, vault: &Vault) -> Client {
    let vault = vault.clone();
    builder(world).credentials_from(move || vault.read()).blocking(world.transport()).unwrap()
}

/// The service knows this secret from now on, and refuses all earlier refresh tokens.
fn rotate(world: &World, secret: &str) {
    let mut sandbox = world.sandbox();
    let settings = sandbox.settings_mut();
    settings.agents.insert(DEFAULT_AGENT.to_owned(), secret.to_owned());
    settings.refuse_refresh = true;
}

fn sign_ins(world: &World) -> usize {
    world.sandbox().count(Operation::GetToken)
}

/// Lets a back-off end, and no more time pass than that.
fn pass_a_back_off(world: &World, client: &Client) {
    if client.health().backing_off.is_some() {
        world.pass(1);
    }
}

/// What another thread returns, or a failure if it hangs.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = channel();
    std::thread::spawn(move || done.send(work()));
    result.recv_timeout(Duration::from_secs(60)).expect("it hangs")
}

#[test]
fn the_callback_is_called_once_and_its_credentials_are_kept() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = client(&world, &vault);
    assert_eq!(vault.reads(), 0, "nobody has asked");
    for _ in 0..5 {
        client.token().unwrap();
        client.sign_in(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap(), Keep::Always);
        world.sandbox().settings_mut().refuse_refresh = true;
        world.pass(901);
    }
    assert_eq!((vault.reads(), sign_ins(&world)), (1, 5));
}

#[test]
fn a_replaced_secret_is_read_when_the_service_refuses_the_old_one_and_a_waiting_caller_gets_a_token()
 {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = client(&world, &vault);
    client.token().unwrap();
    vault.set(Ok("new"));
    world.pass(700);
    client.token().unwrap();
    assert_eq!(vault.reads(), 1, "nothing was refused");
    rotate(&world, "new");
    world.pass(201);
    let waiting = client.clone();
    let waiter = std::thread::spawn(move || waiting.token_waiting());
    eventually("the new secret", || vault.reads() == 2);
    eventually("the end of the flight", || client.health().backing_off.is_some());
    world.pass(1);
    let bearer = waiter.join().unwrap().unwrap();
    assert_eq!(bearer.epoch().count(), 2);
    assert_eq!((vault.reads(), sign_ins(&world)), (2, 3), "the old one, and then the new one");
    assert_eq!(client.health().credentials, CredentialsHealth::Worked);
}

#[test]
fn while_an_old_token_serves_a_replaced_secret_is_no_error_for_anyone() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = client(&world, &vault);
    client.token().unwrap();
    vault.set(Ok("new"));
    rotate(&world, "new");
    world.pass(850);
    eventually("the new token", || {
        let epoch = client.token().unwrap().epoch();
        pass_a_back_off(&world, &client);
        epoch.count() == 2
    });
    assert_eq!((vault.reads(), sign_ins(&world)), (2, 3));
}

#[test]
fn a_refused_secret_that_comes_again_is_not_sent_again_and_the_callback_is_paced() {
    let (world, vault) = (World::default(), Vault::with("wrong"));
    let client = client(&world, &vault);
    for asks in 0..3_600 {
        let error = client.token().unwrap_err();
        let is_refused = matches!(&error, TokenError::SignIn { last: Some(_) })
            || asks == 0 && matches!(&error, TokenError::Renewal(_));
        assert!(is_refused, "{error:?}");
        assert_eq!(error.recovery(), Recovery::SignIn);
        world.pass(1);
    }
    assert_eq!(sign_ins(&world), 1);
    // Doubling to a minute each.
    assert!((40..=130).contains(&vault.reads()), "{}", vault.reads());
    vault.set(Ok(DEFAULT_SECRET));
    world.pass(60);
    client.token().unwrap();
    assert_eq!(sign_ins(&world), 2);
}

#[test]
fn new_secrets_that_are_refused_are_minutes_apart_because_accounts_get_locked() {
    let world = World::default();
    let number = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&number);
    let builder = builder(&world).credentials_from(move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        Ok(Credentials::new(DEFAULT_AGENT, format!("wrong-{number}"))?)
    });
    let client = builder.blocking(world.transport()).unwrap();
    let mut sent = Vec::new();
    for second in 0..3_600 {
        client.token().unwrap_err();
        if sign_ins(&world) > sent.len() {
            sent.push(second);
        }
        world.pass(1);
    }
    assert_eq!(sent, [0, 60, 180, 420, 900, 1_860]);
    assert_eq!(number.load(Ordering::SeqCst), sent.len());
}

#[test]
fn a_callback_that_fails_is_the_error_of_the_ask_and_is_called_again_after_a_back_off() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = client(&world, &vault);
    vault.set(Err("the vault is sealed"));
    for _ in 0..100 {
        let error = client.token().unwrap_err();
        assert_eq!(error.to_string(), "the credentials could not be read: the vault is sealed");
        let TokenError::Credentials { wait, .. } = error else { panic!("{error:?}") };
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(500), "{wait:?}");
        assert_eq!(error.recovery(), Recovery::Retry { after: Some(wait) });
    }
    assert_eq!((vault.reads(), world.calls()), (1, 0), "nothing was sent");
    assert!(client.health().credentials_failed);
    world.pass(1);
    client.token().unwrap_err();
    assert_eq!(vault.reads(), 2);
    vault.set(Ok(DEFAULT_SECRET));
    world.pass(1);
    client.token().unwrap();
    assert_eq!((vault.reads(), world.calls()), (3, 1));
    assert!(!client.health().credentials_failed);
}

#[test]
fn a_caller_that_waits_waits_out_a_callback_that_fails() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    vault.set(Err("the vault is sealed"));
    let client = client(&world, &vault);
    let waiting = client.clone();
    let waiter = std::thread::spawn(move || waiting.token_waiting());
    eventually("the failure", || vault.reads() == 1);
    vault.set(Ok(DEFAULT_SECRET));
    eventually("the token", || {
        world.pass(1);
        waiter.is_finished()
    });
    waiter.join().unwrap().unwrap();
}

#[test]
fn a_callback_that_panics_is_a_callback_that_fails() {
    let world = World::default();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let builder = builder(&world).credentials_from(move || {
        assert!(count.fetch_add(1, Ordering::SeqCst) > 0, "the callback's own fault");
        Ok(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET)?)
    });
    let client = builder.blocking(world.transport()).unwrap();
    let error = client.token().unwrap_err();
    assert!(error.to_string().ends_with("the credentials callback panicked"), "{error}");
    world.pass(1);
    client.token().unwrap();
}

#[test]
fn an_ask_from_the_callback_is_an_error_and_not_a_hang() {
    let world = World::default();
    let slot: Arc<Mutex<Option<Client>>> = Arc::default();
    let inner = Arc::clone(&slot);
    let builder = builder(&world).credentials_from(move || {
        let client = inner.lock().unwrap().clone().unwrap();
        assert_eq!(client.health().phase, "unauthenticated");
        Err(client.token().unwrap_err().into())
    });
    let client = builder.blocking(world.transport()).unwrap();
    *slot.lock().unwrap() = Some(client.clone());
    let error = in_time(move || client.token().unwrap_err());
    assert!(error.to_string().contains("inside the renewal"), "{error}");
    *slot.lock().unwrap() = None;
}

#[test]
fn a_sign_out_switches_the_callback_off_and_a_sign_in_switches_it_on() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    let client = client(&world, &vault);
    client.token().unwrap();
    client.sign_out();
    world.pass(3_600);
    let error = client.token().unwrap_err();
    assert!(matches!(error, TokenError::SignIn { last: None }), "{error:?}");
    assert_eq!((vault.reads(), sign_ins(&world)), (1, 1));
    client.sign_in(Credentials::new(DEFAULT_AGENT, "wrong").unwrap(), Keep::Always);
    client.token().unwrap();
    assert_eq!((vault.reads(), sign_ins(&world)), (2, 3));
}

#[test]
fn a_refresh_token_in_doubt_is_not_sent_if_the_callback_has_credentials() {
    let world = World::default();
    world.sandbox().settings_mut().rotation = Rotation::ReuseRevokesFamily;
    let store = Arc::new(Mutex::new(Vec::<Saved>::new()));
    let disk = Arc::clone(&store);
    let first = world.builder().on_grant(move |saved| {
        disk.lock().unwrap().push(saved.clone());
        Ok(())
    });
    let first = first.blocking(world.transport()).unwrap();
    let old = first.token().unwrap();
    world.pass(850);
    first.token().unwrap();
    eventually("the new token", || first.token().unwrap().epoch() > old.epoch());
    let mark = store.lock().unwrap()[1].clone();
    assert!(mark.is_in_doubt());
    world.pass(900);
    let vault = Vault::with(DEFAULT_SECRET);
    let reading = vault.clone();
    let restored = builder(&world).restore(mark.clone()).credentials_from(move || reading.read());
    restored.blocking(world.transport()).unwrap().token().unwrap();
    assert_eq!(world.sandbox().counters().refresh_reuse, 0);
    assert_eq!((vault.reads(), sign_ins(&world)), (1, 2));
    // If there are no credentials, the policy decides what is done with the token.
    vault.set(Err("the vault is sealed"));
    let reading = vault.clone();
    let restored = builder(&world).restore(mark).credentials_from(move || reading.read());
    restored.blocking(world.transport()).unwrap().token().unwrap_err();
    assert_eq!(world.sandbox().counters().refresh_reuse, 1);
}

#[test]
fn a_client_that_keeps_itself_alive_calls_the_callback_again_without_an_ask() {
    let (world, vault) = (World::default(), Vault::with(DEFAULT_SECRET));
    vault.set(Err("the vault is sealed"));
    let reading = vault.clone();
    let builder = builder(&world).credentials_from(move || reading.read()).keep_alive();
    let client = builder.blocking(world.transport()).unwrap();
    eventually("the failure", || vault.reads() >= 1);
    vault.set(Ok(DEFAULT_SECRET));
    eventually("a token", || {
        world.pass(1);
        client.health().is_ready()
    });
    // Refused and dead: an unchanged secret is waited for too.
    rotate(&world, "new");
    eventually("the refusal", || {
        world.pass(60);
        client.health().credentials == CredentialsHealth::Refused
    });
    vault.set(Ok("new"));
    eventually("a token by the new secret", || {
        world.pass(60);
        client.health().credentials == CredentialsHealth::Worked
    });
    client.close(Duration::from_secs(60));
}

#[test]
fn a_client_that_keeps_itself_alive_reads_a_refused_secret_again_though_nothing_else_happens() {
    let (world, vault) = (World::default(), Vault::with("wrong"));
    let moment = Duration::from_millis(1);
    let policy = Policy::default().with_backoff_first(moment).with_forbidden_first(moment);
    let reading = vault.clone();
    // With the machine's clock: a virtual one wakes the client whenever it is set.
    let builder = Builder::new(Endpoint::https("https://sandbox.example").unwrap())
        .policy(policy)
        .credentials_from(move || reading.read())
        .keep_alive();
    let client = builder.blocking(world.transport()).unwrap();
    eventually("a second reading", || vault.reads() >= 2);
    assert_eq!(sign_ins(&world), 1);
    vault.set(Ok(DEFAULT_SECRET));
    eventually("a token", || client.health().is_ready());
    client.close(Duration::from_secs(60));
}

#[test]
fn a_blocking_client_is_not_built_over_a_callback_that_it_cannot_await() {
    let world = World::default();
    let builder = builder(&world).credentials_from_async(|| {
        std::future::ready(Ok(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap()))
    });
    let error = builder.blocking(world.transport()).unwrap_err();
    assert!(matches!(error, BuildError::AsyncCallback), "{error:?}");
}
