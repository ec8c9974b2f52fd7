//! Calls over both clients: each end is what its fault says, nothing is applied twice, and whatever
//! may have been applied is written down.

mod again;
mod cancelled;
#[cfg(all(feature = "hyper-util", feature = "journal"))]
mod dropped;
mod foreign;
mod guard;
mod journals;
#[cfg(all(feature = "service-file", feature = "jws", feature = "pg-sig"))]
mod other_service_file;
mod outcomes;
mod patience;
mod reconciling;
mod resolving;
#[cfg(feature = "service-file")]
mod service_file;
#[cfg(all(feature = "jws", feature = "pg-sig"))]
mod signed;
#[cfg(all(feature = "ureq", feature = "hyper-util"))]
mod sockets;
mod waiting;

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use imts::clock::{Clock, ManualClock};
use imts::endpoint::ServicePath;
use imts::journal::{CallRecord, Entry, Journal, RecordError};
use imts::operation::{Custom, OperationName};
use imts::secret::Body;
use imts::services::transfer::Confirm;
use imts::transport::Bounds;
use imts::{
    AsyncTransport, Builder, Class, Credentials, Endpoint, Evidence, Now, Policy, Service,
    Transport, TransportError, services,
};
use imts_sandbox::{
    Class as Kind, DEFAULT_AGENT, DEFAULT_SECRET, Delivery, Operation, Sandbox, Served, Settings,
    Time,
};

/// What each class is tried with: its name, its operation in the sandbox, its class there.
pub(crate) const TRIED: [(&str, Operation, Kind, Class); 3] = [
    ("status", Operation::Status, Kind::Read, Class::Read),
    ("create-person", Operation::CreatePerson, Kind::Create, Class::Create),
    ("confirm", Operation::Confirm, Kind::Money, Class::Money),
];

pub(crate) fn known_service() -> Service {
    let mut operations = services::transfer::catalogue();
    for (name, ..) in TRIED {
        let path = ServicePath::new(format!("/v5/partner/transfer/{name}")).unwrap();
        operations.set_path(name, path, Evidence::Assumed).unwrap();
    }
    services::transfer().with_operations(operations)
}

pub(crate) fn sandbox() -> Sandbox {
    let mut settings = Settings::default();
    for (name, operation, kind, _) in TRIED {
        let path = format!("/v5/partner/transfer/{name}");
        let served = Served::new(path, kind, imts_sandbox::Evidence::Assumed);
        settings.operations.insert(operation, served);
    }
    Sandbox::new(settings)
}

/// No waiting to speak of between attempts.
pub(crate) fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.backoff_first = Duration::from_millis(1);
    policy.settle = Duration::ZERO;
    policy
}

pub(crate) fn request<N: OperationName>(id: &str) -> Custom<N, serde_json::Value> {
    Custom::new(serde_json::json!({ "client_uuid": id, "amount": "15.4" })).with_reference(id)
}

pub(crate) fn confirm(id: &str) -> Custom<Confirm, serde_json::Value> {
    request(id)
}

/// A sandbox in process, a clock, and everything that was sent.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    sandbox: Arc<Mutex<Sandbox>>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let sandbox = Arc::new(Mutex::new(sandbox()));
        Self { clock: ManualClock::default(), sandbox, sent: Arc::default() }
    }

    pub(crate) fn sandbox(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap()
    }

    /// The bodies of what was sent, sign-ins and refreshes left out.
    pub(crate) fn sent(&self) -> Vec<Vec<u8>> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn applied(&self, id: &str) -> u64 {
        let sandbox = self.sandbox();
        let intents = sandbox.ledger().intents().filter(|intent| intent.id == id);
        intents.map(|intent| intent.applied).sum()
    }

    /// One exchange. What breaks below HTTP is a failure of which nothing is known.
    pub(crate) fn exchange(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Vec<u8>>, TransportError> {
        let request = request.map(|body| body.as_ref().to_vec());
        if !request.uri().path().contains("/agent/") {
            self.sent.lock().unwrap().push(request.body().clone());
        }
        let now = Time::from_micros(self.clock.now().wall.unix_micros());
        let response = self.sandbox().handle(now, &request);
        match response.extensions().get::<Delivery>() {
            Some(_) => Err(TransportError::unknown()),
            None => Ok(response),
        }
    }

    pub(crate) fn transport(&self) -> impl Transport + 'static {
        let world = self.clone();
        move |request: Request<Body>, _: Bounds| world.exchange(request)
    }

    pub(crate) fn task_transport(&self) -> impl AsyncTransport + 'static {
        let world = self.clone();
        let send =
            move |request: Request<Body>, _: Bounds| std::future::ready(world.exchange(request));
        (send, timer)
    }

    pub(crate) fn builder(&self) -> Builder {
        Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .credentials(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap())
            .service(known_service())
            .policy(policy())
            .clock(Ticking(self.clock.clone()))
    }
}

/// A clock on which a millisecond passes whenever it is read: a caller that waits in virtual time is not
/// kept waiting.
struct Ticking(ManualClock);

impl Clock for Ticking {
    fn now(&self) -> Now {
        self.0.advance(Duration::from_millis(1));
        self.0.now()
    }
}

/// A timer: what is short is over at its second poll, what is long never is.
pub(crate) fn timer(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    let mut polls = 0;
    std::future::poll_fn(move |cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        let is_over = duration < Duration::from_secs(1) && polls > 1;
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Polls a future to its end, which nothing but its own polling brings about.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    for _ in 0..10_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
    panic!("it waits for ever");
}

/// A journal in memory that its test can read, and that breaks when the test says so.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    entries: Vec<Entry>,
    calls: u64,
    breaks: Option<(usize, Breaking)>,
}

/// How a journal breaks.
#[derive(Clone, Copy)]
pub(crate) enum Breaking {
    ByError,
    ByPanic,
}

impl Notes {
    /// Breaks at the entry of this number, counted from 0, and at no other.
    pub(crate) fn breaking_at(entry: usize, how: Breaking) -> Self {
        let written = Written { breaks: Some((entry, how)), ..Written::default() };
        Self(Arc::new(Mutex::new(written)))
    }

    /// What was written, an entry a line.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |entry: &Entry| match entry {
            Entry::Intent(intent) => {
                format!("intent {}", intent.reference.as_deref().unwrap_or_default())
            }
            Entry::Sending { id, .. } => format!("sending {id}"),
            Entry::Ended { id, ending, .. } => format!("ended {id} {}", ending.as_str()),
            Entry::Resolved { id, .. } => format!("resolved {id}"),
        };
        self.0.lock().unwrap().entries.iter().map(line).collect()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().entries.clone()
    }
}

impl Journal for Notes {
    fn record(&mut self, entry: &Entry) -> Result<u64, RecordError> {
        let mut written = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = written.entries.len();
        if let Some((_, how)) = written.breaks.take_if(|(at, _)| *at == number) {
            match how {
                Breaking::ByError => {
                    return Err(RecordError::Failed(Arc::new(std::io::Error::other("full"))));
                }
                Breaking::ByPanic => {
                    drop(written);
                    panic!("the journal's own panic");
                }
            }
        }
        written.entries.push(entry.clone());
        Ok(entry.id().unwrap_or_else(|| {
            written.calls += 1;
            written.calls
        }))
    }

    fn in_doubt(&mut self) -> Result<Vec<CallRecord>, RecordError> {
        Ok(Vec::new())
    }
}
