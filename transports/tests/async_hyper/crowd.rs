//! Crowds and leavers over the sandbox's socket.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use imts::clock::{Clock, ManualClock};
use imts::{AsyncClient, Credentials, Keep, Policy};
use imts_sandbox::{
    DEFAULT_AGENT, DEFAULT_SECRET, Front, Operation, Rotation, Sandbox, Settings, Time,
};
use tokio::sync::Barrier;

use crate::{builder, hyper};

/// A service whose tokens rotate strictly, and whose replies take a while; its clock is the
/// client's.
fn strict(latency: u64) -> (Front, ManualClock) {
    let mut settings = Settings::default();
    settings.rotation = Rotation::ReuseRevokesFamily;
    settings.latency = Duration::from_millis(latency);
    let clock = ManualClock::default();
    let time = clock.clone();
    let front = Front::builder(Sandbox::new(settings))
        .clock(move || Time::from_micros(time.now().wall.unix_micros()))
        .start()
        .unwrap();
    (front, clock)
}

fn client(front: &Front, clock: &ManualClock) -> AsyncClient {
    builder(&front.url()).clock(clock.clone()).nonblocking(hyper().build()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_cost_one_call_without_a_token_and_one_at_its_expiry() {
    let (front, clock) = strict(50);
    let client = client(&front, &clock);
    for (epoch, calls) in [(1, 1), (2, 2)] {
        let barrier = Arc::new(Barrier::new(1_000));
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let (client, barrier) = (client.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    client.token().await.unwrap().epoch().count()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), epoch);
        }
        assert_eq!(front.log().len(), calls);
        clock.advance(Duration::from_secs(900));
    }
}

/// Polls a future until it ends or has been polled so often; whether it ended.
async fn poll_times<T>(times: usize, future: impl Future<Output = T>) -> bool {
    let (mut future, mut left) = (pin!(future), times);
    std::future::poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(true),
            // What would have polled it next finds it gone.
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_cancelled_after_any_poll_costs_nothing() {
    for polls in 0..40 {
        let (front, clock) = strict(10);
        // The refresh token is the only way on: nothing else would heal its loss.
        let client = imts::Builder::new(imts::Endpoint::plain_loopback(&front.url()).unwrap())
            .clock(clock.clone())
            .nonblocking(hyper().build())
            .unwrap();
        client.sign_in(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap(), Keep::Once);
        client.token().await.unwrap();
        clock.advance(Duration::from_secs(901));

        let leader = {
            let client = client.clone();
            tokio::spawn(async move { poll_times(polls, client.token()).await })
        };
        let followers: Vec<_> = (0..100)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.token().await })
            })
            .collect();
        let ended = leader.await.unwrap();
        for follower in followers {
            let served = tokio::time::timeout(Duration::from_secs(60), follower).await;
            served.expect("no follower hangs").unwrap().unwrap();
        }
        let sandbox = front.sandbox();
        assert_eq!(sandbox.count(Operation::Refresh), 1, "after {polls} polls");
        assert_eq!(sandbox.counters().refresh_reuse, 0);
        if ended {
            assert!(polls > 1);
            return;
        }
    }
    panic!("the leader never came to its end");
}

#[tokio::test]
async fn a_flight_that_a_cancelled_leader_left_is_polled_on_by_the_next() {
    let (front, clock) = strict(20);
    let client = client(&front, &clock);
    for polls in [1, 2, 3] {
        poll_times(polls, client.token()).await;
    }
    client.token().await.unwrap();
    assert_eq!(front.log().len(), 1);
}

#[tokio::test]
async fn asking_never_holds_up_the_thread() {
    const LATENCY: Duration = Duration::from_secs(1);
    let mut settings = Settings::default();
    settings.latency = LATENCY;
    settings.access_lifetime = Duration::from_secs(60);
    let front = Front::builder(Sandbox::new(settings))
        .clock(|| Time::from(SystemTime::now()))
        .start()
        .unwrap();
    let mut policy = Policy::default();
    policy.margin_percent = 100;
    let transport = hyper().build();
    let client = builder(&front.url()).policy(policy).nonblocking(transport).unwrap();

    // One thread for all; the watchdog sees how long it was away.
    let longest = Arc::new(Mutex::new(Duration::ZERO));
    let away = Arc::clone(&longest);
    let watchdog = tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let mut longest = away.lock().unwrap();
            *longest = longest.max(last.elapsed());
            last = Instant::now();
        }
    });
    let limit = Instant::now() + Duration::from_secs(60);
    while front.log().len() < 3 {
        assert!(Instant::now() < limit, "renewals go on meanwhile");
        for _ in 0..10 {
            client.token().await.unwrap();
        }
        tokio::task::yield_now().await;
    }
    watchdog.abort();
    let longest = *longest.lock().unwrap();
    assert!(longest < LATENCY, "the thread was held for {longest:?}");
}
