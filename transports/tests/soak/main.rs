//! Threads and tasks that ask for as long as many tokens live, while the service has its bad days.
//!
//! Time is virtual and moves only while nobody has a token in hand: whatever arrives too late at the
//! service is the client's fault. Renewals go over real sockets. `IMTS_SOAK_SECONDS=60` makes it long.
#![cfg(all(feature = "ureq", feature = "hyper-util", target_os = "linux"))]

mod askers;
mod process;
mod transit;
mod weather;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use imts::{Builder, Credentials, Endpoint, HyperTransport, Policy, UreqTransport};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation, Verdict};

use self::askers::{Ground, Half};
use self::process::Process;
use self::transit::Counted;
use self::weather::Weather;

const THREADS: usize = 16;
const TASKS: usize = 1_000;

/// How long a token lives before it is due with the default margin, less what passes meanwhile.
const DUE_AFTER: u64 = 900 - 120 - 30;

fn builder(ground: &Ground) -> Builder {
    let mut policy = Policy::default();
    // Of the machine's time, which is not the session's here.
    policy.time_limit = Duration::from_secs(600);
    Builder::new(Endpoint::plain_loopback(&ground.front.url()).unwrap())
        .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
        .clock(ground.clock.clone())
        .policy(policy)
}

/// It speaks plain HTTP to loopback: there is nobody to trust.
fn hyper() -> HyperTransport {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    HyperTransport::builder(Arc::new(config).into()).build()
}

/// How long it is to take at least, and how many lifetimes of a token.
fn length() -> (Duration, u64) {
    match std::env::var("IMTS_SOAK_SECONDS") {
        Ok(seconds) => (Duration::from_secs(seconds.parse().expect("whole seconds")), 100),
        Err(_) => (Duration::ZERO, 10),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_many_lifetimes_with_faults_all_are_served_and_nothing_grows() {
    let (least, lifetimes) = length();
    let (by_threads, by_tasks) = (Arc::new(Ground::new()), Arc::new(Ground::new()));
    let transport = Counted::new(UreqTransport::new().unwrap(), &by_threads);
    let client = builder(&by_threads).blocking(transport).unwrap();
    let transport = Counted::new(hyper(), &by_tasks);
    let async_client = builder(&by_tasks).nonblocking(transport).unwrap();

    let threads: Vec<_> = (0..THREADS)
        .map(|n| {
            let (ground, client) = (Arc::clone(&by_threads), client.clone());
            thread::spawn(move || askers::thread(&ground, &client, Half::of(n)))
        })
        .collect();
    let tasks: Vec<_> = (0..TASKS)
        .map(|n| {
            let (ground, client) = (Arc::clone(&by_tasks), async_client.clone());
            tokio::spawn(async move { askers::task(&ground, &client, Half::of(n)).await })
        })
        .collect();

    let driver = {
        let grounds = [Arc::clone(&by_threads), Arc::clone(&by_tasks)];
        thread::spawn(move || {
            let began = Instant::now();
            let mut weather = grounds.each_ref().map(Weather::new);
            let (mut second, mut settled) = (0, None);
            while second < lifetimes * 900 || began.elapsed() < least {
                for (ground, weather) in grounds.iter().zip(&mut weather) {
                    weather.change(second);
                    ground.pass(Duration::from_secs(5));
                }
                second += 5;
                if settled.is_none() && second >= lifetimes * 900 / 4 {
                    settled = Some(Process::now());
                }
            }
            weather.iter_mut().for_each(Weather::clear);
            let grew = settled.expect("a quarter has passed").until(Process::now());
            (second, weather.map(|weather| weather.faults), grew)
        })
    };
    let (seconds, faults, grew) =
        tokio::task::spawn_blocking(|| driver.join().unwrap()).await.unwrap();
    for ground in [&by_threads, &by_tasks] {
        ground.stop();
    }
    let asked: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    let mut asked_by_tasks = 0;
    for task in tasks {
        asked_by_tasks += task.await.unwrap();
    }
    client.close(Duration::from_secs(60));
    async_client.close(Duration::from_secs(60)).await;

    for (ground, faults, asked) in
        [(&by_threads, &faults[0], asked), (&by_tasks, &faults[1], asked_by_tasks)]
    {
        ground.complaints.lock().unwrap().iter().for_each(|complaint| println!("{complaint}"));
        assert!(ground.complaints.lock().unwrap().is_empty(), "see above");
        let sandbox = ground.front.sandbox();
        assert_eq!(sandbox.counters().expired_bearers, 0);
        assert_eq!(sandbox.counters().refresh_reuse, 0);
        let entries = sandbox.log().iter();
        let calls = entries.filter(|entry| entry.operation != Operation::Echo);
        let is_grant = |verdict| matches!(verdict, Verdict::Granted | Verdict::Refreshed);
        let (good, bad): (Vec<_>, Vec<_>) = calls.partition(|entry| is_grant(entry.verdict));
        let due = seconds / DUE_AFTER + 1;
        println!(
            "{asked} asks, {} grants ({due} due, {faults} faults), {} others",
            good.len(),
            bad.len()
        );
        assert!(good.len() as u64 <= due + faults, "more grants than lifetimes and faults");
        assert!(good.len() as u64 >= seconds / 900, "a token for each lifetime");
    }
    assert_eq!(process::threads("imts-renewal"), 0, "close leaves no thread");
    grew.assert_little();
}
