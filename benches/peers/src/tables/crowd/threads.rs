//! A thousand threads at once, cold.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{Answers, LATENCY, LIMIT, Scene, play};
use crate::measure::millis;
use crate::peer::{Peer, Start, Visit};
use crate::peers::visit_threads;
use crate::ready::at_once;
use crate::service::{Behaviour, Service};

const THREADS: usize = 1_000;
/// Enough for a peer's TLS and RSA; a thousand of them are address space for the most part.
const STACK: usize = 256 * 1_024;

/// Asks from so many threads, released together. The client is made when all of them wait: some begin
/// to fetch at once. The time runs from the release on for all: it holds their waking up, and nothing
/// of their coming about.
async fn ask<P: Peer>(new: impl Future<Output = P>) -> Answers {
    let gate = Arc::new(Barrier::new(THREADS + 1));
    let (arrived, made) = (Arc::new(AtomicUsize::new(0)), Arc::new(OnceLock::new()));
    let asking = |_| {
        let (gate, arrived, made) = (Arc::clone(&gate), Arc::clone(&arrived), Arc::clone(&made));
        let runtime = Handle::current();
        let ask = move || {
            arrived.fetch_add(1, SeqCst);
            gate.wait();
            let peer: &P = made.get().expect("it is made before the release");
            let is_served = if P::BLOCKS {
                Some(at_once(peer.token()).is_ok())
            } else {
                let answer = runtime.block_on(async { timeout(LIMIT, peer.token()).await });
                answer.ok().map(|answer| answer.is_ok())
            };
            (Instant::now(), is_served)
        };
        thread::Builder::new().stack_size(STACK).spawn(ask).expect("the system gives threads")
    };
    let threads: Vec<_> = (0..THREADS).map(asking).collect();
    while arrived.load(SeqCst) < THREADS {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(Duration::from_millis(20)); // the last ones lie down
    let peer = new.await;
    assert!(made.set(peer).is_ok(), "nobody else makes one");
    let begin = Instant::now();
    gate.wait();
    let mut answers = Answers::default();
    for thread in threads {
        let (at, is_served) = thread.join().expect("no asker panics");
        answers.add(at - begin, is_served);
    }
    answers
}

struct Stampede;

impl Scene for Stampede {
    const COLUMNS: &'static [&'static str] = super::Stampede::COLUMNS;

    async fn play<P: Peer>() -> Vec<f64> {
        let service = Service::start(Behaviour { latency: LATENCY, ..Behaviour::default() });
        let answers = ask(P::new(&service, Start::Cold)).await;
        vec![
            service.calls() as f64,
            answers.served.len() as f64,
            answers.last.map_or(f64::NAN, millis),
        ]
    }

    fn cast(visitor: &mut impl Visit) {
        visit_threads(visitor);
    }
}

/// A thousand threads that ask a client which has no token yet.
pub fn stampede_of_threads(rounds: usize) {
    play::<Stampede>(
        rounds,
        "A thousand threads, no token yet",
        "All threads wait at a barrier before the time runs, from its release to the last answer. The endpoint answers after 50 ms. imts's Client blocks its threads; no other crate has a blocking form: each thread blocks on the future of a client whose runtime is tokio's, 2 workers. To show: 1 call, all served soon after it.",
    );
}
