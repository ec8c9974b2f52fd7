//! Whole authenticated requests over loopback, beside the bare clients that the transports are made of.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Bare;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use imts::secret::Body;
use imts::tls::Tls;
use imts::transport::Bounds;
use imts::{AsyncTransport, Endpoint, HyperTransport, Outcome, Transport, UreqTransport};
use imts_benches::ready::{self, REPLY};
use imts_benches::server::Server;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::pinned;
use super::table::{Goal, Table, timed};

const BODY: &[u8] = include_bytes!("../../../core/tests/fixtures/get-token.request.json");
const BOUNDS: Bounds = Bounds { reply_limit: 1 << 20, time_limit: Duration::from_secs(30) };
const ROUND: Duration = Duration::from_millis(10);

struct Target {
    server: Server,
    authorization: HeaderValue,
    length: usize,
}

impl Target {
    fn answering(reply: Vec<u8>) -> Self {
        let length = reply.len();
        let server = Server::answering(reply).expect("loopback has a port to give");
        let token = ready::client().token().expect("it holds a token").header().clone();
        Self { server, authorization: token, length }
    }

    fn request(&self, body: &[u8]) -> Request<Body> {
        Request::post(self.server.url())
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, &self.authorization)
            .body(Body::from(body.to_vec()))
            .expect("the parts make a request")
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::plain_loopback(&self.server.origin()).expect("it is on loopback")
    }

    fn check(&self, length: usize) {
        assert_eq!(length, self.length, "the whole reply is read");
    }

    fn by_ureq(&self, agent: &ureq::Agent, body: &[u8]) {
        let request = self.request(body).map(|body| body.as_ref().to_vec());
        let mut response = agent.run(request).expect("the server answers");
        let body = response.body_mut().read_to_vec().expect("the body is whole");
        self.check(body.len());
    }

    async fn by_hyper(&self, client: &Bare<HttpConnector, Full<Bytes>>, body: &[u8]) {
        let request = self.request(body).map(|body| Full::new(body.into_bytes()));
        let response = client.request(request).await.expect("the server answers");
        let body = response.into_body().collect().await.expect("the body is whole").to_bytes();
        self.check(body.len());
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().proxy(None).build().new_agent()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("the system gives a reactor")
}

/// In a fresh process, glibc gives the memory of each large reply back to the system, and both sides are timed
/// at page faults. Once a larger piece was freed, as in any process that has run for a while, it keeps it.
fn warm_up_the_allocator() {
    drop(black_box(vec![1_u8; 8 << 20]));
}

fn many(times: u32, mut run: impl FnMut()) -> Duration {
    timed(|| (0..times).for_each(|_| run()))
}

/// Replies of three lengths.
pub(crate) fn ureq(table: &mut Table) {
    warm_up_the_allocator();
    for kibibytes in [1, 64, 256] {
        let name = format!("POST by ureq, {kibibytes} KiB");
        let reply = vec![b'x'; kibibytes << 10];
        let (target, _pinned) = pinned::apart(table, || Target::answering(reply));
        let (transport, agent) = (UreqTransport::new().expect("it has defaults"), agent());
        let mut ours = || {
            let response = transport.send(target.request(BODY), BOUNDS);
            target.check(response.expect("the server answers").body().len());
        };
        let mut bare = || target.by_ureq(&agent, BODY);
        let goal = Goal::AtLeast(0.97);
        let (mut timed_ours, mut timed_bare) =
            (|times| many(times, &mut ours), |times| many(times, &mut bare));
        table.row_of(&name, goal, 45, ROUND, &mut timed_ours, &mut timed_bare);
        table.allocates(&name, 2.0, ours, bare);
    }
}

/// One task, and thirty-two.
pub(crate) fn hyper(table: &mut Table) {
    let (target, _pinned) = pinned::apart(table, || Target::answering(REPLY.to_vec()));
    let runtime = runtime();
    let transport = HyperTransport::builder(tls()).build();
    let bare = Bare::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let ours = async || {
        let response = transport.send(target.request(BODY), BOUNDS).await;
        target.check(response.expect("the server answers").body().len());
    };
    let name = "POST by hyper-util, 1 task";
    let goal = Goal::AtLeast(0.96);
    table.row_of(
        name,
        goal,
        45,
        ROUND,
        &mut |times| many(times, || runtime.block_on(ours())),
        &mut |times| many(times, || runtime.block_on(target.by_hyper(&bare, BODY))),
    );
    table.allocates(
        name,
        2.0,
        || runtime.block_on(ours()),
        || runtime.block_on(target.by_hyper(&bare, BODY)),
    );
    let target: &'static Target = Box::leak(Box::new(target));
    let each = |times: u32| times.div_ceil(TASKS);
    table.row_of(
        "POST by hyper-util, 32 tasks",
        goal,
        45,
        ROUND * 2,
        &mut |times| {
            timed(|| {
                runtime.block_on(tasks(|| {
                    let transport = transport.clone();
                    async move {
                        for _ in 0..each(times) {
                            let response = transport.send(target.request(BODY), BOUNDS).await;
                            target.check(response.expect("the server answers").body().len());
                        }
                    }
                }));
            })
        },
        &mut |times| {
            timed(|| {
                runtime.block_on(tasks(|| {
                    let bare = bare.clone();
                    async move {
                        for _ in 0..each(times) {
                            target.by_hyper(&bare, BODY).await;
                        }
                    }
                }));
            })
        },
    );
}

const TASKS: u32 = 32;

async fn tasks<F: Future<Output = ()> + Send + 'static>(task: impl Fn() -> F) {
    let mut running = JoinSet::new();
    for _ in 0..TASKS {
        running.spawn(task());
    }
    running.join_all().await;
}

/// A call of an operation, beside the bare request of the same bytes.
pub(crate) fn calls(table: &mut Table) {
    let reply = ready::call_reply().into_body();
    let (target, _pinned) = pinned::apart(table, || Target::answering(reply));
    let (fees, sent) = (ready::fees(), ready::fees_body());
    let goal = Goal::AtLeast(0.93);

    let transport = UreqTransport::new().expect("it has defaults");
    let client = ready::client_of(target.endpoint(), transport);
    let agent = agent();
    let ours = || match client.call(&fees) {
        Ok(Outcome::Done(_)) => {}
        other => panic!("{other:?}"),
    };
    let bare = || target.by_ureq(&agent, &sent);
    let name = "call() over ureq";
    table.row_of(name, goal, 45, ROUND, &mut |times| many(times, ours), &mut |times| {
        many(times, bare)
    });
    table.allocates(name, 8.0, ours, bare);

    let runtime = runtime();
    let transport = HyperTransport::builder(tls()).build();
    let client = ready::async_client_of(target.endpoint(), transport);
    let hyper = Bare::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let ours = || match runtime.block_on(client.call(&fees)) {
        Ok(Outcome::Done(_)) => {}
        other => panic!("{other:?}"),
    };
    let bare = || runtime.block_on(target.by_hyper(&hyper, &sent));
    let name = "call() over hyper-util";
    table.row_of(name, goal, 45, ROUND, &mut |times| many(times, ours), &mut |times| {
        many(times, bare)
    });
    table.allocates(name, 8.0, ours, bare);
}

fn tls() -> Tls {
    Tls::platform().expect("the platform verifies certificates")
}
