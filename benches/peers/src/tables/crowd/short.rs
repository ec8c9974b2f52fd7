//! A token that lives for a moment only, asked for all the time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{LATENCY, Scene, long, play};
use crate::measure::millis;
use crate::peer::{Peer, Start};
use crate::service::{Behaviour, Service};

const LIFETIME: Duration = Duration::from_secs(2);
/// How long it is asked for, from its beginning: past its end.
const TIME: Duration = Duration::from_millis(2_500);
/// How long after that the last answers are waited for.
const LIMIT: Duration = Duration::from_secs(1);
const TASKS: usize = 16;

struct Short;

impl Scene for Short {
    const COLUMNS: &'static [&'static str] =
        &["token calls", "asks begun", "served", "asks over 1 ms", "longest, ms"];

    async fn play<P: Peer>() -> Vec<f64> {
        let brief = Behaviour { lifetime: LIFETIME, ..Behaviour::default() };
        let service = Service::start(brief.clone());
        let peer = Arc::new(P::new(&service, Start::Cold).await);
        // Not every crate has a use for a token that lives so short.
        drop(peer.token().await);
        service.forget_calls();
        service.behave(Behaviour { latency: LATENCY, ..brief });
        let end = Instant::now() + TIME;
        let mut askers = JoinSet::new();
        for _ in 0..TASKS {
            let peer = Arc::clone(&peer);
            askers.spawn(async move {
                let (mut took, mut served) = (Vec::new(), 0);
                while Instant::now() < end {
                    let begin = Instant::now();
                    let answer = timeout(end + LIMIT - begin, peer.token()).await;
                    served += usize::from(answer.is_ok_and(|answer| answer.is_ok()));
                    took.push(begin.elapsed());
                    sleep(Duration::from_millis(1)).await;
                }
                (took, served)
            });
        }
        let (took, served): (Vec<_>, Vec<_>) = askers.join_all().await.into_iter().unzip();
        let took = took.concat();
        vec![
            service.calls() as f64,
            took.len() as f64,
            served.iter().sum::<usize>() as f64,
            long(&took) as f64,
            took.iter().max().map_or(f64::NAN, |longest| millis(*longest)),
        ]
    }
}

/// Sixteen tasks that ask through a life of two seconds, and beyond.
pub fn short(rounds: usize) {
    play::<Short>(
        rounds,
        "A token that lives for 2 s, under load",
        "16 tasks ask again 1 ms after each answer, for 2.5 s from the first token on. All crates get tokens of 2 s. A request that has no answer 1 s later is cut off. The endpoint answers after 50 ms. tokio, 2 workers. To show: 1 call whenever half of a life is over, so 2, and all served at once.",
    );
}
