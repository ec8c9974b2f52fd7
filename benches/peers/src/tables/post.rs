//! A whole authenticated `POST`: a valid token asked for, then the request over loopback.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use imts::{AsyncTransport, Body, Bounds, HyperTransport, Tls, Transport, UreqTransport};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::task::JoinSet;

use super::names;
use crate::measure::{Samples, print_table};
use crate::peer::{Peer, Start, bearer};
use crate::peers::{AwsSmithyIdentity, Azure, Gcp, Google, ImtsBlocking, ImtsTasks, Reqsign, Yup};
use crate::ready::{here, several};
use crate::service::{Behaviour, REPLY, Service};

const BODY: &[u8] = include_bytes!("../../../../core/tests/fixtures/get-token.request.json");
const BOUNDS: Bounds = Bounds { reply_limit: 65_536, time_limit: Duration::from_secs(30) };
/// Requests a round, by all tasks together.
const REQUESTS: usize = 4_800;

/// An HTTP client that posts [`BODY`] and reads the whole reply.
trait Http: Send + Sync + 'static {
    const NAME: &'static str;
    fn new() -> Self;
    fn post(&self, url: &str, value: HeaderValue) -> impl Future<Output = usize> + Send;
}

struct HyperUtil(Client<HttpConnector, Full<Bytes>>);

impl Http for HyperUtil {
    const NAME: &'static str = "hyper-util";

    fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(Full::new(Bytes::from_static(BODY)));
        let response = self.0.request(request.expect("the parts make a request")).await;
        let body = response.expect("the service answers").into_body().collect().await;
        body.expect("the body is whole").to_bytes().len()
    }
}

struct Reqwest(reqwest::Client);

impl Http for Reqwest {
    const NAME: &'static str = "reqwest";

    fn new() -> Self {
        Self(reqwest::Client::builder().no_proxy().build().expect("it has defaults"))
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = self.0.post(url).header(CONTENT_TYPE, "application/json");
        let response = request.header(AUTHORIZATION, value).body(BODY).send().await;
        response.expect("the service answers").bytes().await.expect("the body is whole").len()
    }
}

impl Http for HyperTransport {
    const NAME: &'static str = "HyperTransport";

    fn new() -> Self {
        let tls = Tls::platform().expect("the platform verifies certificates");
        HyperTransport::builder(tls).build()
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(Body::from(BODY.to_vec()));
        let sending = self.send(request.expect("the parts make a request"), BOUNDS);
        sending.await.expect("the service answers").body().len()
    }
}

impl Http for UreqTransport {
    const NAME: &'static str = "UreqTransport";

    fn new() -> Self {
        UreqTransport::new().expect("it has defaults")
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(Body::from(BODY.to_vec()));
        let response = self.send(request.expect("the parts make a request"), BOUNDS);
        response.expect("the service answers").body().len()
    }
}

struct Ureq(ureq::Agent);

impl Http for Ureq {
    const NAME: &'static str = "ureq";

    fn new() -> Self {
        Self(ureq::Agent::config_builder().proxy(None).build().new_agent())
    }

    async fn post(&self, url: &str, value: HeaderValue) -> usize {
        let request = request(url, value).body(BODY).expect("the parts make a request");
        let mut response = self.0.run(request).expect("the service answers");
        response.body_mut().read_to_vec().expect("the body is whole").len()
    }
}

fn request(url: &str, value: HeaderValue) -> http::request::Builder {
    Request::post(url).header(CONTENT_TYPE, "application/json").header(AUTHORIZATION, value)
}

/// No client at all: the same value each time, to show what the token costs beside the request.
struct Fixed(HeaderValue);

impl Peer for Fixed {
    const CRATE: &'static str = "no client";
    const SUBJECT: &'static str = "a fixed value";
    const RESULT: &'static str = "HeaderValue";
    const STALE_LIFETIME: u64 = 0;

    type Token = HeaderValue;

    async fn new(_: &Service, _: Start) -> Self {
        Self(bearer(&"x".repeat(crate::service::TOKEN_BYTES)))
    }

    async fn token(&self) -> Result<HeaderValue, String> {
        Ok(self.0.clone())
    }

    async fn authorization(&self) -> HeaderValue {
        self.0.clone()
    }
}

struct Pair<P, H>(PhantomData<(P, H)>);

/// Requests a second of one pair of token client and HTTP client.
trait Race {
    fn names(&self) -> Vec<String>;
    fn run(&self, tasks: usize) -> f64;
    /// What [`SOME`] requests of one thread cost, by this measure.
    fn cost(&self, measure: Measure<'_>) -> f64;
}

/// Measures what is done: processor time, or allocations.
pub type Measure<'a> = &'a dyn Fn(&mut dyn FnMut()) -> f64;

/// How many requests a cost is measured over.
const SOME: usize = 400;

impl<P: Peer, H: Http> Race for Pair<P, H> {
    fn names(&self) -> Vec<String> {
        let [krate, asked] = names::<P>();
        vec![krate.trim_end_matches(" ?").to_owned(), asked, H::NAME.to_owned()]
    }

    fn run(&self, tasks: usize) -> f64 {
        let runtime = several();
        let rate = runtime.block_on(async {
            let service = Service::start(Behaviour::default());
            let peer = Arc::new(P::new(&service, Start::Cold).await);
            let (http, url) = (Arc::new(H::new()), Arc::<str>::from(service.operation_url()));
            let round = |requests: usize| {
                let mut running = JoinSet::new();
                for _ in 0..tasks {
                    let (peer, http, url) =
                        (Arc::clone(&peer), Arc::clone(&http), Arc::clone(&url));
                    running.spawn(async move {
                        for _ in 0..requests / tasks {
                            let length = http.post(&url, peer.authorization().await).await;
                            assert_eq!(length, REPLY.len());
                        }
                    });
                }
                running.join_all()
            };
            round(tasks * 2).await; // connections come about
            let begin = Instant::now();
            round(REQUESTS).await;
            REQUESTS as f64 / begin.elapsed().as_secs_f64()
        });
        runtime.shutdown_background();
        rate
    }

    fn cost(&self, measure: Measure<'_>) -> f64 {
        let runtime = here();
        let service = Service::start(Behaviour::default());
        let peer = runtime.block_on(P::new(&service, Start::Cold));
        let (http, url) = (H::new(), service.operation_url());
        let send = |requests: usize| {
            runtime.block_on(async {
                for _ in 0..requests {
                    let length = http.post(&url, peer.authorization().await).await;
                    assert_eq!(length, REPLY.len());
                }
            });
        };
        send(20); // a connection comes about
        measure(&mut || send(SOME)) / SOME as f64
    }
}

fn pair<P: Peer, H: Http>() -> Box<dyn Race> {
    Box::new(Pair::<P, H>(PhantomData))
}

/// Each of our transports after the bare client that it is made of.
fn beside_the_bare() -> [Box<dyn Race>; 4] {
    [
        pair::<Fixed, HyperUtil>(),
        pair::<ImtsTasks, HyperTransport>(),
        pair::<Fixed, Ureq>(),
        pair::<ImtsBlocking, UreqTransport>(),
    ]
}

/// What a whole request costs the thread that makes it, for each client of a row, by a measure.
pub fn post_costs(rounds: usize, measure: Measure<'_>) -> Vec<(Vec<String>, Samples)> {
    let pairs = beside_the_bare();
    let mut rows: Vec<_> = pairs.iter().map(|it| (it.names(), Samples::default())).collect();
    for _ in 0..rounds {
        for (pair, (_, samples)) in pairs.iter().zip(&mut rows) {
            samples.push(pair.cost(measure));
        }
    }
    rows
}

/// The processor time of the thread that makes a request, the server's thread on the same core.
pub fn post_cpu(rounds: usize) {
    let everywhere = sched_getaffinity(None).expect("the system says where this thread may run");
    let mut one = CpuSet::new();
    one.set((0..CpuSet::MAX_CPU).find(|core| everywhere.is_set(*core)).unwrap_or_default());
    sched_setaffinity(None, &one).expect("one of its cores is allowed");
    let cpu = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
    };
    let rows = post_costs(rounds, &|work| {
        let begin = cpu();
        work();
        cpu() - begin
    });
    sched_setaffinity(None, &everywhere).expect("as it was");
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(mut names, samples)| {
            names.push(samples.to_string());
            names
        })
        .collect();
    print_table(
        "What an authenticated POST costs its thread",
        &format!(
            "Processor time of one thread that asks for a token and sends a request, {SOME} a round, the server on the same core; tokio current-thread runtime."
        ),
        &["token client", "asked", "HTTP client", "µs"],
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
        pair::<Fixed, Ureq>(),
        pair::<ImtsBlocking, UreqTransport>(),
    ];
    let mut samples = vec![[Samples::default(), Samples::default()]; pairs.len()];
    for _ in 0..rounds {
        for (pair, [one, many]) in pairs.iter().zip(&mut samples) {
            one.push(pair.run(1));
            many.push(pair.run(32));
        }
    }
    let rows: Vec<_> = pairs
        .iter()
        .zip(samples)
        .map(|(pair, samples)| {
            let mut row = pair.names();
            row.extend(samples.iter().map(ToString::to_string));
            row
        })
        .collect();
    print_table(
        "A whole authenticated POST",
        &format!(
            "Requests a second over loopback, HTTP/1.1, connections kept: token asked for each, {} bytes out, {} bytes back, the same server on a thread of its own. tokio, 2 workers; ureq's clients block them, so 32 tasks are 2 at a time.",
            BODY.len(),
            REPLY.len()
        ),
        &["token client", "asked", "HTTP client", "1 task", "32 tasks"],
        &rows,
    );
}
