//! A thousand tasks at once: cold, when the token is just stale, when the endpoint fails; and a
//! leader who leaves.

mod short;
mod threads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use self::short::short;
pub use self::threads::stampede_of_threads;
use super::scene::{Scene, play};
use crate::measure::{AGE, millis};
use crate::peer::{Peer, Start};
use crate::service::{Behaviour, Downtime, Service};

const TASKS: usize = 1_000;
const LATENCY: Duration = Duration::from_millis(50);
/// How long a table waits for answers.
const LIMIT: Duration = Duration::from_secs(3);

/// What came of many asks.
#[derive(Debug, Default)]
struct Answers {
    /// How long each of those took who got a token.
    served: Vec<Duration>,
    refused: usize,
    /// When the last one was answered at all.
    last: Option<Duration>,
}

impl Answers {
    /// Adds whether one was served; `None` if it was not answered in time.
    fn add(&mut self, took: Duration, is_served: Option<bool>) {
        match is_served {
            Some(true) => self.served.push(took),
            Some(false) => self.refused += 1,
            None => return,
        }
        self.last = self.last.max(Some(took));
    }
}

/// Asks from so many tasks, released together.
async fn ask<P: Peer>(peer: &Arc<P>, tasks: usize, limit: Duration) -> Answers {
    let gate = Arc::new(Barrier::new(tasks));
    let mut asks = JoinSet::new();
    for _ in 0..tasks {
        let (peer, gate) = (Arc::clone(peer), Arc::clone(&gate));
        asks.spawn(async move {
            gate.wait().await;
            let begin = Instant::now();
            let answer = timeout(limit, peer.token()).await;
            (begin.elapsed(), answer.map(|answer| answer.is_ok()))
        });
    }
    let mut answers = Answers::default();
    while let Some(ask) = asks.join_next().await {
        let (took, answer) = ask.expect("no asker panics");
        answers.add(took, answer.ok());
    }
    answers
}

/// How many took longer than a caller that is served at once.
fn long(took: &[Duration]) -> usize {
    took.iter().filter(|took| **took > Duration::from_millis(1)).count()
}

fn middle(mut took: Vec<Duration>) -> f64 {
    took.sort();
    took.get(took.len() / 2).map_or(f64::NAN, |middle| millis(*middle))
}

struct Stampede;

impl Scene for Stampede {
    const COLUMNS: &'static [&'static str] = &["token calls", "served", "last answer, ms"];

    async fn play<P: Peer>() -> Vec<f64> {
        let service = Service::start(Behaviour { latency: LATENCY, ..Behaviour::default() });
        let peer = Arc::new(P::new(&service, Start::Cold).await);
        let answers = ask(&peer, TASKS, LIMIT).await;
        vec![
            service.calls() as f64,
            answers.served.len() as f64,
            answers.last.map_or(f64::NAN, millis),
        ]
    }
}

/// A thousand tasks that ask a client which has no token yet.
pub fn stampede(rounds: usize) {
    play::<Stampede>(
        rounds,
        "A thousand tasks, no token yet",
        "The endpoint answers after 50 ms. tokio, 2 workers. To show: 1 call, all served soon after it.",
    );
}

struct Stale;

impl Scene for Stale {
    const COLUMNS: &'static [&'static str] = &[
        "token's life, s",
        "token calls",
        "served",
        "asks over 1 ms",
        "median wait, ms",
        "last answer, ms",
    ];

    async fn play<P: Peer>() -> Vec<f64> {
        let lifetime = Duration::from_secs(P::STALE_LIFETIME);
        let service = Service::start(Behaviour { lifetime, ..Behaviour::default() });
        let peer = Arc::new(P::new(&service, Start::Cold).await);
        peer.token().await.expect("the service grants");
        service.forget_calls();
        service.behave(Behaviour { latency: LATENCY, ..Behaviour::default() });
        sleep(AGE + Duration::from_millis(250)).await;
        let answers = ask(&peer, TASKS, LIMIT).await;
        sleep(LATENCY).await; // a renewal in the background has set out by then
        vec![
            lifetime.as_secs_f64(),
            service.calls() as f64,
            answers.served.len() as f64,
            long(&answers.served) as f64,
            middle(answers.served),
            answers.last.map_or(f64::NAN, millis),
        ]
    }
}

/// A thousand tasks that ask a client whose token has just become stale by its own margin.
pub fn stale(rounds: usize) {
    play::<Stale>(
        rounds,
        "A thousand tasks, the token just stale",
        "The token is 2.25 s old and lives as long as the client's own margin and 2 s: due for renewal, and good. The endpoint answers after 50 ms. tokio, 2 workers. To show: 1 call, nobody waits.",
    );
}

struct Storm;

impl Scene for Storm {
    const COLUMNS: &'static [&'static str] =
        &["token calls", "got the error within 3 s", "last of them, ms"];

    async fn play<P: Peer>() -> Vec<f64> {
        let downtime = Downtime { status: 500, retry_after: None, until: None };
        let service = Service::start(Behaviour {
            latency: Duration::from_millis(5),
            downtime: Some(downtime),
            ..Behaviour::default()
        });
        let peer = Arc::new(P::new(&service, Start::Cold).await);
        let answers = ask(&peer, TASKS, LIMIT).await;
        vec![service.calls() as f64, answers.refused as f64, answers.last.map_or(f64::NAN, millis)]
    }
}

/// A thousand tasks that ask while the endpoint fails.
pub fn storm(rounds: usize) {
    play::<Storm>(
        rounds,
        "A thousand tasks, the endpoint answers 500",
        "After 5 ms; watched for 3 s, so that what takes longer is cut off. tokio, 2 workers. To show: 1 call, and all get its error at once.",
    );
}

struct Cancelled;

impl Scene for Cancelled {
    const COLUMNS: &'static [&'static str] =
        &["token calls", "served of 100", "last answer, ms", "spent refresh tokens sent again"];

    async fn play<P: Peer>() -> Vec<f64> {
        let service = Service::start(Behaviour::default());
        let peer = Arc::new(P::new(&service, Start::Refreshing).await);
        service.forget_calls();
        service.behave(Behaviour { latency: LATENCY, ..Behaviour::default() });
        let leader = Arc::clone(&peer);
        let leader = tokio::spawn(async move { leader.token().await.is_ok() });
        // Google's client is its own leader: it has begun when it was made.
        let mut patience = 200;
        while service.calls() == 0 && patience > 0 {
            sleep(Duration::from_millis(1)).await;
            patience -= 1;
        }
        let followers = Arc::clone(&peer);
        let followers =
            tokio::spawn(async move { ask(&followers, 100, Duration::from_secs(6)).await });
        sleep(Duration::from_millis(10)).await;
        leader.abort();
        let answers = followers.await.expect("no follower panics");
        vec![
            service.calls() as f64,
            answers.served.len() as f64,
            answers.last.map_or(f64::NAN, millis),
            service.reused() as f64,
        ]
    }
}

/// A hundred tasks that wait for a renewal whose leader is cancelled.
pub fn cancelled(rounds: usize) {
    play::<Cancelled>(
        rounds,
        "The leader is cancelled, a hundred wait",
        "10 ms after its request has reached the endpoint, which answers after 50 ms. The clients of imts and yup-oauth2 spend a rotating refresh token, whose reuse revokes its family; the others have no such flow here and fetch anew. Watched for 6 s. tokio, 2 workers. To show: 1 call, 100 served, no spent token sent again.",
    );
}
