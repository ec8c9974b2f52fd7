//! A whole authenticated `POST`: a valid token asked for, then the request over loopback.

mod http;

use std::marker::PhantomData;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use ::http::HeaderValue;
use imts::{HyperTransport, UreqTransport};
use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinSet;

use self::http::{BODY, Http, HyperUtil, Raw, Reqwest, Ureq};
use super::names;
use crate::measure::{Measure, Samples, print_table};
use crate::peer::{Peer, Start, bearer};
use crate::peers::{AwsSmithyIdentity, Azure, Gcp, Google, ImtsBlocking, ImtsTasks, Reqsign, Yup};
use crate::pinned::Pinned;
use crate::ready::{at_once, here};
use crate::service::{Behaviour, REPLY, Service, TOKEN_BYTES};

/// Requests a round, by all tasks together.
const REQUESTS: usize = 4_800;
/// How many tasks are many.
const MANY: usize = 32;
/// How many threads are as many, where a request blocks its own: what ureq keeps connections for.
const THREADS: usize = 3;

/// No client at all: the same value each time, to show what the token costs beside the request.
struct Fixed(HeaderValue);

impl Peer for Fixed {
    const CRATE: &'static str = "no client";
    const SUBJECT: &'static str = "a fixed value";
    const RESULT: &'static str = "HeaderValue";
    const STALE_LIFETIME: u64 = 0;
    const BLOCKS: bool = true;

    type Token = HeaderValue;

    async fn new(_: &Service, _: Start) -> Self {
        Self(bearer(&"x".repeat(TOKEN_BYTES)))
    }

    async fn token(&self) -> Result<HeaderValue, String> {
        Ok(self.0.clone())
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.clone()
    }
}

struct Pair<P, H>(PhantomData<(P, H)>);

/// One pair of token client and HTTP client.
trait Race {
    fn names(&self) -> Vec<String>;
    /// The HTTP client that this one's is made of.
    fn bare(&self) -> &'static str;
    /// Requests a second of one task, or of many.
    fn rate(&self, is_many: bool) -> f64;
    /// What [`SOME`] requests of one thread cost, by this measure.
    fn cost(&self, measure: Measure<'_>) -> f64;
}

/// How many requests a cost is measured over.
const SOME: usize = 400;

/// One request with a token asked for.
async fn send<P: Peer, H: Http>(peer: &P, http: &H, url: &str) {
    assert_eq!(http.post(url, peer.authorization().await).await, REPLY.len());
}

/// Requests from many threads, each at its own.
fn from_threads(threads: usize, requests: usize, send: impl Fn() + Sync) {
    let gate = Barrier::new(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                gate.wait();
                (0..requests / threads).for_each(|_| send());
            });
        }
    });
}

/// Requests from many tasks of one thread.
async fn from_tasks<P: Peer, H: Http>(
    tasks: usize,
    requests: usize,
    all: &(Arc<P>, Arc<H>, Arc<str>),
) {
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let (peer, http, url) = all.clone();
        running.spawn(async move {
            for _ in 0..requests / tasks {
                send(&*peer, &*http, &url).await;
            }
        });
    }
    running.join_all().await;
}

impl<P: Peer, H: Http> Race for Pair<P, H> {
    fn names(&self) -> Vec<String> {
        let [krate, asked] = names::<P>();
        vec![krate.trim_end_matches(" ?").to_owned(), asked, H::NAME.to_owned()]
    }

    fn bare(&self) -> &'static str {
        H::BARE
    }

    fn rate(&self, is_many: bool) -> f64 {
        let runtime = here();
        let service = Service::start(Behaviour::default());
        let peer = Arc::new(runtime.block_on(P::new(&service, Start::Cold)));
        let all = (peer, Arc::new(H::new()), Arc::<str>::from(service.operation_url()));
        let round = |requests: usize| {
            if H::BLOCKS {
                let (peer, http, url) = &all;
                let threads = if is_many { THREADS } else { 1 };
                from_threads(threads, requests, || at_once(send(&**peer, &**http, url)));
            } else {
                let tasks = if is_many { MANY } else { 1 };
                runtime.block_on(from_tasks(tasks, requests, &all));
            }
        };
        round(2 * MANY); // opens the connections
        let begin = Instant::now();
        round(REQUESTS);
        REQUESTS as f64 / begin.elapsed().as_secs_f64()
    }

    fn cost(&self, measure: Measure<'_>) -> f64 {
        let runtime = here();
        let service = Service::start(Behaviour::default());
        let peer = runtime.block_on(P::new(&service, Start::Cold));
        let (http, url) = (H::new(), service.operation_url());
        let round = |requests: usize| {
            runtime.block_on(async {
                for _ in 0..requests {
                    send(&peer, &http, &url).await;
                }
            });
        };
        round(20); // opens a connection
        measure(&mut || round(SOME)) / SOME as f64
    }
}

fn pair<P: Peer, H: Http>() -> Box<dyn Race> {
    Box::new(Pair::<P, H>(PhantomData))
}

/// The samples of the pair with no token client and the bare HTTP client, for each pair.
fn bare<'a>(
    pairs: &'a [Box<dyn Race>],
    samples: &'a [Samples],
) -> impl Iterator<Item = &'a Samples> {
    let find = |bare: &str| {
        // It is the first with that HTTP client.
        let at = pairs.iter().position(|pair| pair.names().last().is_some_and(|it| it == bare));
        at.and_then(|at| samples.get(at)).expect("the bare one takes part")
    };
    pairs.iter().map(move |pair| find(pair.bare()))
}

/// What a whole request costs the thread that makes it, by a measure: names, its own, and the bare
/// client's.
pub fn post_costs(rounds: usize, measure: Measure<'_>) -> Vec<(Vec<String>, Samples, Samples)> {
    let pairs = [
        pair::<Fixed, Raw>(),
        pair::<Fixed, HyperUtil>(),
        pair::<ImtsTasks, HyperTransport>(),
        pair::<Fixed, Ureq>(),
        pair::<ImtsBlocking, UreqTransport>(),
    ];
    let mut samples = vec![Samples::default(); pairs.len()];
    for _ in 0..rounds {
        for (pair, samples) in pairs.iter().zip(&mut samples) {
            samples.push(pair.cost(measure));
        }
    }
    let bare = bare(&pairs, &samples).cloned();
    let names = pairs.iter().map(|pair| pair.names());
    names.zip(&samples).zip(bare).map(|((names, its), bare)| (names, its.clone(), bare)).collect()
}

/// The processor time of the thread that makes a request, the server's thread on the same core.
pub fn post_cpu(rounds: usize) {
    let pinned = Pinned::together();
    let cpu = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
    };
    let rows = post_costs(rounds, &|work| {
        let begin = cpu();
        work();
        cpu() - begin
    });
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(names, its, bare)| [names, vec![its.to_string(), its.ratio_to(&bare)]].concat())
        .collect();
    print_table(
        "What an authenticated POST costs its thread",
        &format!(
            "Processor time of one thread that asks for a token and sends a request, {SOME} a round; {pinned}; tokio current-thread runtime. The ratio is to the bare client that a transport is made of, round by round."
        ),
        &["token client", "asked", "HTTP client", "µs", "÷ bare"],
        &rows,
    );
}

/// Tokens and requests together, one task and thirty-two.
pub fn post(rounds: usize) {
    let pairs = [
        pair::<Fixed, HyperUtil>(),
        pair::<ImtsTasks, HyperTransport>(),
        pair::<AwsSmithyIdentity, HyperUtil>(),
        pair::<Gcp, HyperUtil>(),
        pair::<Reqsign, HyperUtil>(),
        pair::<Yup, HyperUtil>(),
        pair::<Fixed, Reqwest>(),
        pair::<Azure, Reqwest>(),
        pair::<Google, Reqwest>(),
        pair::<Fixed, Raw>(),
        pair::<Fixed, Ureq>(),
        pair::<ImtsBlocking, UreqTransport>(),
    ];
    let pinned = Pinned::apart();
    let [mut one, mut many] = [(); 2].map(|()| vec![Samples::default(); pairs.len()]);
    for _ in 0..rounds {
        for ((pair, one), many) in pairs.iter().zip(&mut one).zip(&mut many) {
            one.push(pair.rate(false));
            many.push(pair.rate(true));
        }
    }
    let mut rows: Vec<_> = pairs.iter().map(|pair| pair.names()).collect();
    for samples in [&one, &many] {
        for (row, (its, bare)) in rows.iter_mut().zip(samples.iter().zip(bare(&pairs, samples))) {
            row.extend([its.to_string(), its.ratio_to(bare)]);
        }
    }
    print_table(
        "A whole authenticated POST",
        &format!(
            "Requests a second over loopback, HTTP/1.1, connections kept: token asked for each, {} bytes out, {} bytes back; {pinned}; tokio current-thread runtime, or {THREADS} threads in place of {MANY} tasks where a request blocks its thread (as many as ureq keeps connections for). The ratio is to the bare client that a transport is made of, with a fixed value, round by round.",
            BODY.len(),
            REPLY.len()
        ),
        &["token client", "asked", "HTTP client", "1 task", "÷ bare", "32 tasks", "÷ bare"],
        &rows,
    );
}
