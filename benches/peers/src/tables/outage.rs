//! An outage that says how long it lasts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::scene::{Scene, play};
use crate::measure::millis;
use crate::peer::{Peer, Start};
use crate::service::{Behaviour, Downtime, Service};

const OUTAGE: Duration = Duration::from_secs(3);
/// How long after it the askers go on.
const AFTER: Duration = Duration::from_secs(4);
const TASKS: usize = 16;

struct Outage;

impl Scene for Outage {
    const COLUMNS: &'static [&'static str] = &[
        "token calls in the outage",
        "answers with an error",
        "longest ask begun in it, ms",
        "healthy of 16",
        "all healthy, ms after its end",
    ];

    async fn play<P: Peer>() -> Vec<f64> {
        let until = Instant::now() + OUTAGE;
        let downtime = Downtime { status: 503, retry_after: Some(1), until: Some(until) };
        let service =
            Service::start(Behaviour { downtime: Some(downtime), ..Behaviour::default() });
        let peer = Arc::new(P::new(&service, Start::Cold).await);
        let mut askers = JoinSet::new();
        for _ in 0..TASKS {
            askers.spawn(ask_through(Arc::clone(&peer), until));
        }
        sleep(until.saturating_duration_since(Instant::now())).await;
        let calls = service.calls();
        let told: Vec<Told> = askers.join_all().await;
        let healthy: Vec<_> = told.iter().filter_map(|told| told.healthy).collect();
        vec![
            calls as f64,
            told.iter().map(|told| told.errors).sum::<usize>() as f64,
            told.iter().map(|told| told.longest).max().map_or(f64::NAN, millis),
            healthy.len() as f64,
            healthy.into_iter().max().map_or(f64::NAN, millis),
        ]
    }
}

/// What one asker got.
#[derive(Default)]
struct Told {
    errors: usize,
    /// The longest that it waited for an answer to what it asked in the outage.
    longest: Duration,
    /// How long after the outage it was served, if it was.
    healthy: Option<Duration>,
}

async fn ask_through<P: Peer>(peer: Arc<P>, until: Instant) -> Told {
    let mut told = Told::default();
    loop {
        let begin = Instant::now();
        let left = (until + AFTER).saturating_duration_since(begin);
        if left.is_zero() {
            return told;
        }
        let answer = timeout(left, peer.token()).await;
        if begin < until {
            told.longest = told.longest.max(begin.elapsed());
        }
        match answer {
            Ok(Ok(_)) => {
                told.healthy = Some(until.elapsed());
                return told;
            }
            Ok(Err(_)) => told.errors += 1,
            Err(_late) => return told,
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// Sixteen tasks that ask through an outage of three seconds.
pub fn outage(rounds: usize) {
    play::<Outage>(
        rounds,
        "An outage of 3 s: 503, `Retry-After: 1`",
        "16 tasks without a token ask again 1 ms after each error. They are watched until 4 s after the outage. tokio, 2 workers. To show: about one call a second, all get the error at once meanwhile, and a token soon after its end.",
    );
}
