//! A thousand tasks at once: one renewal for all, and one outcome.

use std::sync::Arc;
use std::time::{Duration, Instant};

use imts::clock::Clock;
use imts::session::RenewalError;
use imts::{AsyncClient, Credentials, TokenError};
use imts_sandbox::{Operation, Outage};
use tokio::sync::Barrier;

use crate::{World, at_once};

const CROWD: usize = 1_000;

/// A thousand tasks, released together; what each gets, and how long after the release.
async fn together(client: &AsyncClient) -> Vec<(Result<imts::BearerGuard, TokenError>, Duration)> {
    let barrier = Arc::new(Barrier::new(CROWD));
    let tasks: Vec<_> = (0..CROWD)
        .map(|_| {
            let (client, barrier) = (client.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let began = Instant::now();
                (client.token().await, began.elapsed())
            })
        })
        .collect();
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.unwrap());
    }
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_without_a_token_cost_one_sign_in() {
    let world = World::default();
    let client = world.client(world.after(50));
    let told = together(&client).await;
    assert!(told.iter().all(|(token, _)| token.as_ref().unwrap().epoch().count() == 1));
    assert_eq!(world.calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_at_the_moment_of_expiry_cost_one_refresh() {
    let world = World::default();
    let client = world.client(world.after(50));
    client.token().await.unwrap();
    world.pass(900);
    let told = together(&client).await;
    assert!(told.iter().all(|(token, _)| token.as_ref().unwrap().epoch().count() == 2));
    assert_eq!(world.sandbox().count(Operation::Refresh), 1);
    assert_eq!(world.calls(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_are_told_the_one_failure_at_once() {
    let world = World::default();
    let mut outage = Outage::default();
    outage.status = 500;
    world.sandbox().settings_mut().outage = Some(outage);
    let client = world.client(world.after(20));
    let told = together(&client).await;
    let address = |error: &TokenError| match error {
        TokenError::Renewal(error) | TokenError::Waiting { last: error, .. } => {
            std::ptr::from_ref::<RenewalError>(&**error).addr()
        }
        other => panic!("{other:?}"),
    };
    let errors: Vec<_> = told.iter().map(|(told, _)| address(told.as_ref().unwrap_err())).collect();
    assert!(errors.iter().all(|one| *one == errors[0]), "one error for all");
    assert_eq!(world.calls(), 1);
    let slowest = told.iter().map(|(_, waited)| *waited).max().unwrap();
    assert!(slowest < Duration::from_secs(50), "well before their patience ends: {slowest:?}");
}

#[test]
fn a_service_that_refuses_every_fresh_token_sees_one_renewal_a_back_off_step() {
    let world = World::default();
    let client = world.client(world.when(|| std::future::ready(())));
    let began = world.clock.now().mono;
    while world.clock.now().mono.since(began) < Duration::from_secs(600) {
        for _ in 0..CROWD {
            if let Ok(bearer) = at_once(client.token()) {
                client.reject(bearer.epoch());
            }
        }
        world.clock.advance(Duration::from_millis(500));
    }
    let times: Vec<_> = world.sandbox().log().iter().map(|entry| entry.at_us).collect();
    // The first rejection is news, and renews at once.
    for (step, pair) in times.windows(2).skip(1).enumerate() {
        let whole = (500_000_i64 << step.min(20)).min(60_000_000);
        assert!(pair[1] - pair[0] >= whole / 2, "step {step} after {} us", pair[1] - pair[0]);
    }
    // Half a second, doubled up to a minute, each less at most half of it.
    assert!((8..=30).contains(&times.len()), "{} renewals", times.len());
}

#[tokio::test]
async fn two_agents_over_one_transport_never_share_a_token_a_flight_or_a_back_off() {
    let world = World::default();
    world.sandbox().settings_mut().agents.insert("other".into(), "other-secret".into());
    let transport: Arc<dyn imts::AsyncTransport> = Arc::new(world.after(10));
    let of = |id: &str, secret: &str| {
        let (sender, sleeper) = (Arc::clone(&transport), Arc::clone(&transport));
        let send = move |request: http::Request<imts::secret::Body>,
                         bounds: imts::transport::Bounds| {
            let sender = Arc::clone(&sender);
            async move { sender.send(request, bounds).await }
        };
        let sleep = move |duration: Duration| sleeper.sleep(duration);
        let credentials = Credentials::new(id, secret).unwrap();
        world.builder().credentials(credentials).nonblocking((send, sleep)).unwrap()
    };
    let refused = of("other", "wrong");
    let (one, two) = (of("sandbox-agent", "sandbox-secret"), of("other", "other-secret"));
    let (refusal, one, two) = tokio::join!(refused.token(), one.token(), two.token());
    assert!(matches!(refusal.unwrap_err(), TokenError::SignIn { .. }));
    assert_ne!(one.unwrap().expose_token(), two.unwrap().expose_token());
    assert_eq!(world.calls(), 3);
}
