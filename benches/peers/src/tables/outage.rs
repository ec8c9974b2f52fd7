//! An outage that says how long it lasts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::names;
use crate::measure::{Samples, millis, print_table};
use crate::peer::{Peer, Start, Visit};
use crate::peers::visit_all;
use crate::ready::several;
use crate::service::{Behaviour, Service, Trouble};

const OUTAGE: Duration = Duration::from_secs(3);
/// How long after it the askers go on.
const AFTER: Duration = Duration::from_secs(4);
const TASKS: usize = 16;

/// Token calls, answers that were errors, askers served in the end, and when the last was, in
/// milliseconds after the outage.
async fn play<P: Peer>() -> [f64; 4] {
    let until = Instant::now() + OUTAGE;
    let trouble = Trouble { status: 503, retry_after: Some(1), until: Some(until) };
    let service = Service::start(Behaviour { trouble: Some(trouble), ..Behaviour::default() });
    let peer = Arc::new(P::new(&service, Start::Cold).await);
    let errors = Arc::new(AtomicUsize::new(0));
    let mut asks = JoinSet::new();
    for _ in 0..TASKS {
        let (peer, errors) = (Arc::clone(&peer), Arc::clone(&errors));
        asks.spawn(async move {
            let served = async {
                while peer.token().await.is_err() {
                    errors.fetch_add(1, SeqCst);
                    sleep(Duration::from_millis(1)).await;
                }
                until.elapsed()
            };
            timeout(OUTAGE + AFTER, served).await.ok()
        });
    }
    sleep(until.saturating_duration_since(Instant::now())).await;
    let calls = service.calls();
    let served: Vec<_> = asks.join_all().await.into_iter().flatten().collect();
    let last = served.iter().max().map_or(f64::NAN, |last| millis(*last));
    [calls as f64, errors.load(SeqCst) as f64, served.len() as f64, last]
}

#[derive(Default)]
struct Rows {
    rows: Vec<(Vec<String>, [Samples; 4])>,
    at: usize,
}

impl Visit for Rows {
    fn visit<P: Peer>(&mut self) {
        let runtime = several();
        let numbers = runtime.block_on(play::<P>());
        runtime.shutdown_background();
        if self.rows.len() == self.at {
            self.rows.push((names::<P>().to_vec(), Default::default()));
        }
        let row = self.rows.get_mut(self.at).map(|(_, samples)| samples);
        for (samples, number) in row.into_iter().flatten().zip(numbers) {
            samples.push(number);
        }
        self.at += 1;
    }
}

/// Sixteen tasks that ask through an outage of three seconds.
pub fn outage(rounds: usize) {
    let mut visitor = Rows::default();
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
    print_table(
        "An outage of 3 s: 503, `Retry-After: 1`",
        "16 tasks, each asking again 1 ms after an error, no token yet; watched until 4 s after the outage. tokio, 2 workers. To show: about one call a second, everybody told meanwhile, and served soon after.",
        &[
            "crate",
            "asked",
            "token calls in the outage",
            "answers with an error",
            "served of 16",
            "last, ms after the outage",
        ],
        &rows,
    );
}
