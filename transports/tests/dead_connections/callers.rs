//! Who makes the calls: both transports, and beside them the bare clients that many would use instead.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use http::{Request, Response};
use imts::call::{CallError, NotCallable};
use imts::secret::Body;
use imts::tls::{Certificates, Tls};
use imts::transport::{Bounds, BoxFuture, Progress};
use imts::{
    AsyncTransport, Endpoint, HyperTransport, Outcome, Transport, TransportError, UreqTransport,
};
use tokio::runtime::Runtime;

use crate::{PATH, builder, confirm, now};

/// A client and what it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ureq,
    Hyper(Tasks),
    BareUreq,
    BareReqwest(Tasks),
}

/// A tokio runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tasks {
    /// Driven by `block_on` alone: between two calls nothing is polled.
    CurrentThread,
    /// With one worker, which can be held.
    MultiThread,
}

use Tasks::{CurrentThread, MultiThread};

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Ureq,
        Self::Hyper(CurrentThread),
        Self::Hyper(MultiThread),
        Self::BareUreq,
        Self::BareReqwest(CurrentThread),
        Self::BareReqwest(MultiThread),
    ];

    pub(crate) fn is_bare(self) -> bool {
        matches!(self, Self::BareUreq | Self::BareReqwest(_))
    }

    fn tasks(self) -> Option<Tasks> {
        match self {
            Self::Ureq | Self::BareUreq => None,
            Self::Hyper(tasks) | Self::BareReqwest(tasks) => Some(tasks),
        }
    }

    pub(crate) fn client(self) -> &'static str {
        match self {
            Self::Ureq => "UreqTransport",
            Self::Hyper(_) => "HyperTransport",
            Self::BareUreq => "bare ureq",
            Self::BareReqwest(_) => "bare reqwest",
        }
    }

    pub(crate) fn runtime(self) -> &'static str {
        match self.tasks() {
            None => "threads",
            Some(CurrentThread) => "current-thread",
            Some(MultiThread) => "multi-thread",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.client(), self.runtime())
    }
}

/// reqwest as it comes, but for what the environment says and for TLS, which it would not have
/// otherwise in a build with all features.
fn bare_reqwest() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().timeout(PEERS);
    #[cfg(feature = "reqwest-rustls")]
    let builder = {
        let tls = imts::tls::Tls::platform().unwrap().client_config();
        builder.tls_backend_preconfigured(tls.as_ref().clone())
    };
    builder.build().unwrap()
}

impl Tasks {
    pub(crate) fn runtime(self) -> Runtime {
        match self {
            CurrentThread => tokio::runtime::Builder::new_current_thread(),
            MultiThread => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                builder.worker_threads(1);
                builder
            }
        }
        .enable_all()
        .build()
        .unwrap()
    }
}

/// How a call went, in nanoseconds of the monotonic clock where it is a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Went {
    pub(crate) end: End,
    /// Before the transport, or the bare client, was given the request.
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    NotSent,
    Unknown,
}

type Call = Box<dyn Fn(&str) -> Went + Send + Sync>;
type CallTask = Box<dyn Fn(&str) -> BoxFuture<'static, Went> + Send + Sync>;

/// How long a bare client may take: one may wait for ever for a connection that was closed just as it
/// was handed the request.
const PEERS: Duration = Duration::from_secs(5);

/// A client that is ready to make calls.
pub(crate) enum Caller {
    Threads(Call),
    Tasks(Tasks, Runtime, CallTask),
}

impl Caller {
    /// `on_send` is called just before each request is handed over.
    pub(crate) fn new(kind: Kind, at: &Place, on_send: impl Fn() + Send + Sync + 'static) -> Self {
        let begins = Begins { on_send: Arc::new(on_send), began: Arc::default() };
        let (url, tls) = (format!("{}{PATH}", at.url), at.tls());
        match kind {
            Kind::Ureq => {
                let transport = UreqTransport::builder(tls).build();
                let client = builder(at.endpoint()).blocking(Stamped(transport, begins.clone()));
                let client = client.unwrap();
                client.warm_up().unwrap();
                Self::Threads(Box::new(move |reference| {
                    begins.over(reference, ends(client.call(&confirm(reference))))
                }))
            }
            Kind::BareUreq => {
                let agent = ureq::Agent::config_builder().proxy(None).build().new_agent();
                Self::Threads(Box::new(move |reference| {
                    begins.begin(reference);
                    let request = agent.post(&url).content_type("application/json");
                    let sent = request.send(body(reference));
                    let read = sent.and_then(|mut reply| reply.body_mut().read_to_vec());
                    begins.over(reference, if read.is_ok() { End::Done } else { End::Unknown })
                }))
            }
            Kind::Hyper(tasks) => {
                let runtime = tasks.runtime();
                let transport = HyperTransport::builder(tls).build();
                let client = builder(at.endpoint()).nonblocking(Stamped(transport, begins.clone()));
                let client = client.unwrap();
                runtime.block_on(client.warm_up()).unwrap();
                let call = move |reference: &str| -> BoxFuture<'static, _> {
                    let (client, begins) = (client.clone(), begins.clone());
                    let reference = reference.to_owned();
                    Box::pin(async move {
                        let outcome = client.call(&confirm(&reference)).await;
                        begins.over(&reference, ends(outcome))
                    })
                };
                Self::Tasks(tasks, runtime, Box::new(call))
            }
            Kind::BareReqwest(tasks) => {
                let client = bare_reqwest();
                let call = move |reference: &str| -> BoxFuture<'static, _> {
                    let (client, begins) = (client.clone(), begins.clone());
                    let (url, reference) = (url.clone(), reference.to_owned());
                    Box::pin(async move {
                        begins.begin(&reference);
                        let sent = client.post(url).body(body(&reference)).send().await;
                        let end = match sent {
                            Ok(reply) => match (reply.status().as_u16(), reply.bytes().await) {
                                (200, Ok(_)) => End::Done,
                                _ => End::Unknown,
                            },
                            Err(error) if error.is_connect() => End::NotSent,
                            Err(_) => End::Unknown,
                        };
                        begins.over(&reference, end)
                    })
                };
                Self::Tasks(tasks, tasks.runtime(), Box::new(call))
            }
        }
    }

    /// Makes these calls at once, and waits for all of them.
    pub(crate) fn calls(&self, references: &[String]) -> Vec<Went> {
        match (self, references) {
            (Self::Threads(call), [one]) => vec![call(one)],
            (Self::Threads(call), many) => thread::scope(|scope| {
                let calls: Vec<_> = many.iter().map(|it| scope.spawn(move || call(it))).collect();
                calls.into_iter().map(|call| call.join().unwrap()).collect()
            }),
            (Self::Tasks(_, runtime, call), [one]) => vec![runtime.block_on(call(one))],
            (Self::Tasks(_, runtime, call), many) => {
                let calls: Vec<_> = many.iter().map(|it| runtime.spawn(call(it))).collect();
                runtime.block_on(async {
                    let mut went = Vec::new();
                    for call in calls {
                        went.push(call.await.unwrap());
                    }
                    went
                })
            }
        }
    }
}

/// Where the service is.
pub(crate) struct Place {
    pub(crate) url: String,
    /// The authority that certifies it, in PEM; `None` if it speaks plain HTTP.
    pub(crate) authority: Option<String>,
}

impl Place {
    pub(crate) fn endpoint(&self) -> Endpoint {
        match &self.authority {
            Some(_) => Endpoint::https(&self.url).unwrap(),
            None => Endpoint::plain_loopback(&self.url).unwrap(),
        }
    }

    pub(crate) fn tls(&self) -> Tls {
        match &self.authority {
            Some(pem) => {
                Tls::builder().only_roots(Certificates::from_pem(pem).unwrap()).build().unwrap()
            }
            None => PLAIN.clone(),
        }
    }
}

/// Its roots take a while to be read.
static PLAIN: LazyLock<Tls> = LazyLock::new(|| Tls::platform().unwrap());

/// When each request was handed over.
#[derive(Clone)]
struct Begins {
    on_send: Arc<dyn Fn() + Send + Sync>,
    began: Arc<Mutex<HashMap<String, u64>>>,
}

impl Begins {
    fn begin(&self, reference: &str) {
        (self.on_send)();
        self.began.lock().unwrap().insert(reference.to_owned(), now());
    }

    fn over(&self, reference: &str, end: End) -> Went {
        let ended = now();
        let began = self.began.lock().unwrap().remove(reference);
        Went { end, began: began.unwrap_or(ended), ended }
    }
}

/// Stamps each request before the transport within has it, and so before its last look at a connection.
struct Stamped<T>(T, Begins);

impl<T> Stamped<T> {
    fn stamp(&self, request: &Request<Body>) {
        let body: serde_json::Value = serde_json::from_slice(request.body().as_ref()).unwrap();
        if let Some(reference) = body["client_uuid"].as_str() {
            self.1.begin(reference);
        }
    }
}

impl Transport for Stamped<UreqTransport> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        self.stamp(&request);
        self.0.send(request, bounds)
    }
}

impl AsyncTransport for Stamped<HyperTransport> {
    fn send(
        &self,
        request: Request<Body>,
        bounds: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        self.send_reporting(request, bounds, Progress::default())
    }

    fn send_reporting(
        &self,
        request: Request<Body>,
        bounds: Bounds,
        progress: Progress,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        self.stamp(&request);
        self.0.send_reporting(request, bounds, progress)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
}

pub(crate) fn ends<R: fmt::Debug>(outcome: Result<Outcome<R>, NotCallable>) -> End {
    match outcome.unwrap() {
        Outcome::Done(_) => End::Done,
        Outcome::Unknown(_) => End::Unknown,
        Outcome::Failed(failed) => match failed.why() {
            CallError::Failed(failure) if failure.is_not_sent() => End::NotSent,
            why => panic!("{why}"),
        },
        outcome @ Outcome::Refused(_) => panic!("{outcome:?}"),
    }
}

fn body(reference: &str) -> String {
    format!(r#"{{"client_uuid":"{reference}"}}"#)
}
