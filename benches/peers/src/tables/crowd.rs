//! A thousand tasks at once: cold, when the token is just stale, when the endpoint fails; and a
//! leader who leaves.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::names;
use crate::measure::{AGE, Samples, millis, print_table};
use crate::peer::{Peer, Start, Visit};
use crate::peers::visit_all;
use crate::ready::several;
use crate::service::{Behaviour, Service, Trouble};

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
        match answer {
            Ok(true) => answers.served.push(took),
            Ok(false) => answers.refused += 1,
            Err(_late) => continue,
        }
        answers.last = answers.last.max(Some(took));
    }
    answers
}

/// One scene, which any client can be put in. Yields the numbers of a row.
trait Scene {
    const COLUMNS: &'static [&'static str];
    fn play<P: Peer>() -> impl Future<Output = Vec<f64>>;
}

/// Plays a scene with every client in turn, in each round.
struct Rows<S> {
    rows: Vec<(Vec<String>, Vec<Samples>)>,
    at: usize,
    scene: PhantomData<S>,
}

impl<S: Scene> Visit for Rows<S> {
    fn visit<P: Peer>(&mut self) {
        // A runtime for each play: what a client left running in it ends with it.
        let runtime = several();
        let numbers = runtime.block_on(S::play::<P>());
        runtime.shutdown_background();
        if self.rows.len() == self.at {
            self.rows.push((names::<P>().to_vec(), vec![Samples::default(); numbers.len()]));
        }
        let row = self.rows.get_mut(self.at).map(|(_, samples)| samples);
        for (samples, number) in row.into_iter().flatten().zip(numbers) {
            samples.push(number);
        }
        self.at += 1;
    }
}

fn play<S: Scene>(rounds: usize, title: &str, how: &str) {
    let mut visitor = Rows::<S> { rows: Vec::new(), at: 0, scene: PhantomData };
    for _ in 0..rounds {
        visitor.at = 0;
        visit_all(&mut visitor);
    }
    let rows: Vec<_> = visitor
        .rows
        .into_iter()
        .map(|(mut row, samples)| {
            row.extend(samples.iter().map(ToString::to_string));
            row
        })
        .collect();
    let head = [&["crate", "asked"], S::COLUMNS].concat();
    print_table(title, how, &head, &rows);
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
    const COLUMNS: &'static [&'static str] =
        &["token's life, s", "token calls", "served", "median wait, ms", "last answer, ms"];

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
        &["token calls", "told of it within 3 s", "last of them, ms"];

    async fn play<P: Peer>() -> Vec<f64> {
        let trouble = Trouble { status: 500, retry_after: None, until: None };
        let service = Service::start(Behaviour {
            latency: Duration::from_millis(5),
            trouble: Some(trouble),
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
        "After 5 ms; watched for 3 s, so that what takes longer is cut off. tokio, 2 workers. To show: 1 call, all told at once.",
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
