//! Those who ask, and the ground that they stand on: a service, a clock, and what they complain of.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use http::Request;
use imts::clock::{Clock, ManualClock};
use imts::{AsyncClient, Bearer, Client, Epoch, TokenError};
use imts_sandbox::{ECHO_PATH, Front, Rotation, Sandbox, Time};

use crate::process;

/// One in so many asks of all askers together goes on to the service: its log is to stay short, and
/// what it takes back is noticed soon also where they ask in step.
const SAMPLE: u64 = 100;

/// More than can be in the middle of an ask at once: of so many that end, one began after the first.
const ROUND: u64 = 2 * crate::THREADS as u64;

pub(crate) struct Ground {
    pub(crate) front: Front,
    pub(crate) clock: ManualClock,
    /// Held to read while a token is in hand, and to write while time passes.
    hands: RwLock<()>,
    /// Until when errors may come, by the wall clock.
    pub(crate) bad_until: AtomicI64,
    /// How many requests are under way.
    pub(crate) on_the_way: AtomicUsize,
    /// How many asks have begun.
    begun: AtomicU64,
    /// How many asks have ended.
    asked: AtomicU64,
    stopped: AtomicBool,
    pub(crate) complaints: Mutex<Vec<String>>,
}

/// Half of them ask through a handle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Shared,
    Handle,
}

impl Half {
    pub(crate) fn of(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Shared } else { Self::Handle }
    }
}

impl Ground {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::default();
        let time = clock.clone();
        let mut sandbox = Sandbox::default();
        sandbox.settings_mut().rotation = Rotation::ReuseRevokesFamily;
        let front = Front::builder(sandbox)
            .clock(move || Time::from_micros(time.now().wall.unix_micros()))
            .start()
            .unwrap();
        Self {
            front,
            clock,
            hands: RwLock::default(),
            bad_until: AtomicI64::new(0),
            on_the_way: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            complaints: Mutex::default(),
        }
    }

    /// Lets time pass, once the askers have done what was due before: on a slow machine too there
    /// is an ask between two steps of the clock, and a renewal that it began is over.
    pub(crate) fn pass(&self, time: Duration) {
        while !self.is_quiet() {}
        let _nobody_has_a_token = self.hands.write().unwrap();
        self.clock.advance(time);
    }

    /// Whether a round of asks began no renewal, and left none under way.
    fn is_quiet(&self) -> bool {
        let end = self.asked.load(Ordering::SeqCst) + ROUND;
        while self.asked.load(Ordering::SeqCst) < end {
            thread::sleep(Duration::from_micros(200));
        }
        self.on_the_way.load(Ordering::SeqCst) == 0 && process::threads("imts-renewal") == 0
    }

    /// Begins an ask. Says whether it goes on to the service.
    fn asks(&self) -> bool {
        self.begun.fetch_add(1, Ordering::SeqCst).is_multiple_of(SAMPLE)
    }

    fn has_asked(&self) {
        self.asked.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(crate) fn wall(&self) -> i64 {
        self.clock.now().wall.unix_micros()
    }

    fn complain(&self, what: String) {
        let mut complaints = self.complaints.lock().unwrap();
        if complaints.len() < 20 {
            complaints.push(what);
        }
    }

    /// Looks at a token in hand; which one the service refused.
    fn use_it(&self, bearer: &Bearer, goes_on: bool) -> Option<Epoch> {
        if bearer.remaining(self.clock.now()).is_zero() {
            self.complain(format!("a dead token: {bearer:?}"));
        }
        if !goes_on {
            return None;
        }
        let request = Request::post(ECHO_PATH)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("authorization", bearer.header())
            .body(b"{}".to_vec())
            .unwrap();
        let now = Time::from_micros(self.wall());
        let response = self.front.sandbox().handle(now, &request);
        match response.status().as_u16() {
            200 | 503 => None,
            401 => Some(bearer.epoch()),
            other => {
                self.complain(format!("the service answered {other}"));
                None
            }
        }
    }

    fn failed(&self, asked_at: i64, error: &TokenError) {
        if asked_at > self.bad_until.load(Ordering::SeqCst) {
            self.complain(format!("on a good day: {error}"));
        }
    }
}

/// Returns how often it asked.
pub(crate) fn thread(ground: &Ground, client: &Client, half: Half) -> u64 {
    let mut handle = client.handle();
    let mut asks = 0;
    while !ground.stopped.load(Ordering::SeqCst) {
        asks += 1;
        let in_hand = ground.hands.read().unwrap();
        let asked_at = ground.wall();
        let goes_on = ground.asks();
        let refused = match half {
            Half::Shared => client.token().map(|bearer| ground.use_it(&bearer, goes_on)),
            Half::Handle => handle.token().map(|bearer| ground.use_it(bearer, goes_on)),
        };
        drop(in_hand);
        ground.has_asked();
        match refused {
            Ok(Some(epoch)) => client.reject(epoch),
            Ok(None) => {}
            Err(error) => ground.failed(asked_at, &error),
        }
        thread::sleep(Duration::from_micros(200));
    }
    asks
}

/// Returns how often it asked.
pub(crate) async fn task(ground: &Ground, client: &AsyncClient, half: Half) -> u64 {
    let mut handle = client.handle();
    let mut asks = 0;
    while !ground.stopped.load(Ordering::SeqCst) {
        asks += 1;
        let asked_at = ground.wall();
        let told = match half {
            Half::Shared => client.token().await.map(drop),
            Half::Handle => handle.token().await.map(drop),
        };
        if let Err(error) = told {
            ground.failed(asked_at, &error);
        }
        // Once more, with time standing still: it is either there at once, or not used.
        if let Some(epoch) = in_hand(ground, client, ground.asks()) {
            client.reject(epoch);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    asks
}

fn in_hand(ground: &Ground, client: &AsyncClient, goes_on: bool) -> Option<Epoch> {
    let _in_hand = ground.hands.read().unwrap();
    let asked = pin!(client.token()).poll(&mut Context::from_waker(Waker::noop()));
    ground.has_asked();
    match asked {
        Poll::Ready(Ok(bearer)) => ground.use_it(&bearer, goes_on),
        Poll::Ready(Err(_)) | Poll::Pending => None,
    }
}
