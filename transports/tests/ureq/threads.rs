//! Where a request is made: on threads of the client's own, whatever the caller runs in.

use std::time::Duration;

use imts::clock::{Clock, ManualClock};
use imts_sandbox::{Front, Sandbox, Time};

use crate::{builder, ureq};

fn service() -> (Front, ManualClock) {
    let clock = ManualClock::default();
    let time = clock.clone();
    let front = Front::builder(Sandbox::default())
        .clock(move || Time::from_micros(time.now().wall.unix_micros()))
        .start()
        .unwrap();
    (front, clock)
}

#[tokio::test]
async fn the_blocking_client_works_inside_an_async_runtime() {
    let (front, clock) = service();
    let client = builder(&front.url()).clock(clock.clone()).blocking(ureq()).unwrap();
    for calls in 1..=3 {
        client.token().unwrap();
        assert_eq!(front.log().len(), calls);
        clock.advance(Duration::from_secs(901));
    }
    let elsewhere = client.clone();
    tokio::task::spawn_blocking(move || elsewhere.token()).await.unwrap().unwrap();
    // Dropped in there as well.
    drop(client);
}

#[tokio::test]
async fn while_a_token_is_expiring_the_runtimes_thread_is_not_held_up() {
    let (front, clock) = service();
    let client = builder(&front.url()).clock(clock.clone()).blocking(ureq()).unwrap();
    let first = client.token().unwrap().expose_token().to_owned();
    front.sandbox().settings_mut().latency = Duration::from_secs(10);
    clock.advance(Duration::from_secs(840));
    // A caller that waited for the renewal would get its token.
    for _ in 0..10 {
        assert_eq!(client.token().unwrap().expose_token(), first);
    }
}
