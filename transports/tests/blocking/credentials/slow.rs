//! A callback that takes its time, and what happens meanwhile.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use imts::session::CredentialsHealth;
use imts::{Builder, Client, Credentials, Epoch, Keep, TokenError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET};

use super::{builder, in_time, pass_a_back_off, rotate, sign_ins};
use crate::{World, eventually};

/// A callback that waits for the test: it reports that it was called, and returns what it is given.
struct Held {
    called: Receiver<()>,
    give: Sender<&'static str>,
}

fn held(world: &World) -> (Builder, Held) {
    let (call, called) = channel();
    let (give, given) = channel();
    let given = Mutex::new(given);
    let builder = builder(world).credentials_from(move || {
        call.send(())?;
        Ok(Credentials::new(DEFAULT_AGENT, given.lock().unwrap().recv()?)?)
    });
    (builder, Held { called, give })
}

/// A client whose callback was called, for an ask on another thread.
fn called(world: &World) -> (Client, Held, JoinHandle<Result<Epoch, TokenError>>) {
    let (builder, vault) = held(world);
    let client = builder.blocking(world.transport()).unwrap();
    let asking = client.clone();
    let asker = thread::spawn(move || asking.token().map(|bearer| bearer.epoch()));
    vault.called.recv().unwrap();
    (client, vault, asker)
}

#[test]
fn while_the_callback_is_slow_the_old_token_serves_and_the_session_is_not_locked() {
    let world = World::default();
    let (builder, vault) = held(&world);
    let client = builder.blocking(world.transport()).unwrap();
    vault.give.send(DEFAULT_SECRET).unwrap();
    client.token().unwrap();
    vault.called.recv().unwrap();
    rotate(&world, "new");
    world.pass(850);
    client.token().unwrap();
    vault.called.recv_timeout(Duration::from_secs(60)).expect("the callback is asked");
    for _ in 0..3 {
        let asking = client.clone();
        let (epoch, health) =
            in_time(move || (asking.token().unwrap().epoch(), asking.health().credentials));
        assert_eq!((epoch.count(), health), (1, CredentialsHealth::Doubted));
    }
    vault.give.send("new").unwrap();
    eventually("the new token", || {
        pass_a_back_off(&world, &client);
        client.token().unwrap().epoch().count() == 2
    });
    assert!(vault.called.try_recv().is_err(), "it was called once more");
}

#[test]
fn credentials_that_the_caller_gives_meanwhile_are_not_replaced_by_what_is_read() {
    let world = World::default();
    let (client, vault, asker) = called(&world);
    client.sign_in(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap(), Keep::Always);
    client.token().unwrap();
    vault.give.send("outdated").unwrap();
    asker.join().unwrap().unwrap();
    world.sandbox().settings_mut().refuse_refresh = true;
    world.pass(901);
    client.token().unwrap();
    assert_eq!(sign_ins(&world), 2);
    assert!(vault.called.try_recv().is_err(), "nothing was refused");
}

#[test]
fn what_is_read_after_close_is_not_used() {
    let world = World::default();
    let (client, vault, asker) = called(&world);
    assert!(client.close(Duration::ZERO).is_none());
    vault.give.send(DEFAULT_SECRET).unwrap();
    assert!(matches!(asker.join().unwrap().unwrap_err(), TokenError::Closed));
    drop(client);
    eventually("the end of the thread", || vault.give.send(DEFAULT_SECRET).is_err());
    assert_eq!(world.calls(), 0);
}
