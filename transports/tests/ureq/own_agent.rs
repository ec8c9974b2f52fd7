//! An agent of the caller's own: nothing is followed, and little is vouched for.

use std::net::TcpListener;
use std::sync::Mutex;

use http::Response;
use imts::{Transport, UreqTransport};
use imts_sandbox::{Front, Sandbox};
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::{BOUNDS, builder, ear, post};

fn own() -> UreqTransport {
    UreqTransport::over(Agent::config_builder().proxy(None).build().new_agent())
}

/// Looks names up on the thread that makes the request, as the documentation of `over` shows.
#[derive(Debug, Default)]
struct OnThisThread(DefaultResolver);

impl Resolver for OnThisThread {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.resolve(uri, config, NextTimeout::default())
    }
}

#[test]
fn a_thread_for_each_request_is_started_by_ureqs_own_resolver_alone() {
    let front = Front::start(Sandbox::default()).unwrap();
    let config = || Config::builder().proxy(None).build();
    let with = |resolver| Agent::with_parts(config(), DefaultConnector::default(), resolver);
    for (agent, threads) in [(config().new_agent(), 2), (with(OnThisThread::default()), 0)] {
        let transport = UreqTransport::over(agent);
        let twice = || [(); 2].map(|()| transport.send(post(&front.url()), BOUNDS).unwrap());
        let (_, told) = ear::listen(twice);
        // ureq says so before it starts one.
        let started = told.iter().filter(|line| line.starts_with("Resolve with timeout"));
        assert_eq!(started.count(), threads, "{told:?}");
    }
}

/// A service that answers everything with this status and a redirect to itself.
fn answering(status: u16) -> Front {
    Front::builder(Sandbox::default())
        .handler(move |sandbox, now, request| {
            sandbox.handle(now, request);
            let response = Response::builder().status(status).header("location", "/again");
            response.body(Vec::new()).unwrap()
        })
        .start()
        .unwrap()
}

#[test]
fn it_carries_requests() {
    let front = Front::start(Sandbox::default()).unwrap();
    let client = builder(&front.url()).blocking(own()).unwrap();
    client.token().unwrap();
    assert_eq!(front.log().len(), 1);
}

#[test]
fn its_redirects_are_not_followed_and_its_statuses_are_no_errors() {
    for status in [301, 302, 303, 307, 308, 400, 401, 404, 429, 500, 503] {
        let front = answering(status);
        let reply = own().send(post(&front.url()), BOUNDS).unwrap();
        assert_eq!(reply.status().as_u16(), status);
        assert_eq!(front.log().len(), 1);
    }
}

#[test]
fn only_what_it_refused_before_any_connection_is_not_sent() {
    let https_only = Agent::config_builder().proxy(None).https_only(true).build().new_agent();
    let refused = UreqTransport::over(https_only).send(post("http://127.0.0.1:1/"), BOUNDS);
    assert!(refused.unwrap_err().is_not_sent());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    // Refused by whom, only the agent knows.
    assert!(!own().send(post(&url), BOUNDS).unwrap_err().is_not_sent());
}

#[test]
fn what_its_middleware_fails_with_is_not_vouched_for() {
    #[derive(Debug)]
    struct Sly(Mutex<bool>);
    impl ureq::middleware::Middleware for Sly {
        fn handle(
            &self,
            request: http::Request<ureq::SendBody<'_>>,
            next: ureq::middleware::MiddlewareNext<'_>,
        ) -> Result<Response<ureq::Body>, ureq::Error> {
            *self.0.lock().unwrap() = next.handle(request).is_ok();
            Err(ureq::Error::ConnectionFailed)
        }
    }
    let front = Front::start(Sandbox::default()).unwrap();
    let agent = Agent::config_builder().proxy(None).middleware(Sly(Mutex::new(false))).build();
    let failure = UreqTransport::over(agent.new_agent()).send(post(&front.url()), BOUNDS);
    assert!(!failure.unwrap_err().is_not_sent());
    assert_eq!(front.log().len(), 1);
}
