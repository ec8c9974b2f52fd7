//! A call waits out a back-off that ends within its caller's patience.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use http::{Request, Response};
use imts::call::Ending;
use imts::clock::{Clock, ManualClock};
use imts::secret::Body;
use imts::services::transfer::Status;
use imts::transport::Bounds;
use imts::transport_error::NotSent;
use imts::{Builder, Client, Now, Outcome, Policy, TokenError, TransportError};

use crate::{World, confirm, request};

const SECOND: Duration = Duration::from_secs(1);

/// A service whose first so many token requests are answered with this status.
#[derive(Clone)]
struct Shaky {
    world: World,
    fails: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
    status: u16,
}

impl Shaky {
    fn new(fails: usize, status: u16) -> Self {
        let (fails, asked) = (Arc::new(AtomicUsize::new(fails)), Arc::default());
        Self { world: World::new(), fails, asked, status }
    }

    fn answer(&self, request: Request<Body>) -> Result<Response<Vec<u8>>, TransportError> {
        if request.uri().path().contains("/agent/") {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let left =
                self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            match (left, self.status) {
                (Ok(_), 0) => return Err(TransportError::not_sent(NotSent::vouch())),
                (Ok(_), status) => {
                    let json = Response::builder().status(status);
                    let json = json.header("content-type", "application/json");
                    return Ok(json.body(b"{}".to_vec()).unwrap());
                }
                (Err(_), _) => {}
            }
        }
        self.world.exchange(request)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Back-offs of a second or two, by a clock that the test moves.
    fn builder(&self) -> Builder {
        let mut policy = Policy::default();
        (policy.backoff_first, policy.jitter_percent) = (SECOND, 0);
        let builder = self.world.builder().policy(policy).clock(self.world.clock.clone());
        builder.patience(Duration::from_secs(86_400))
    }

    fn blocking(&self) -> Client {
        let service = self.clone();
        self.builder()
            .blocking(move |request: Request<Body>, _: Bounds| service.answer(request))
            .unwrap()
    }
}

/// Lets virtual time pass until the work is done: a little whenever nothing else happens.
fn while_time_passes<T: Send + 'static>(
    clock: &ManualClock,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (tell, hear) = mpsc::channel();
    let at_work = thread::spawn(move || tell.send(work()));
    for _ in 0..60_000 {
        match hear.recv_timeout(Duration::from_millis(5)) {
            Ok(done) => {
                at_work.join().unwrap().unwrap();
                return done;
            }
            Err(mpsc::RecvTimeoutError::Timeout) => clock.advance(Duration::from_millis(50)),
            Err(mpsc::RecvTimeoutError::Disconnected) => panic!("the work panicked"),
        }
    }
    panic!("it waits for ever");
}

/// The outcome of a call by each client, while virtual time passes, and how many tokens were asked for.
fn called(shaky: impl Fn() -> Shaky, money: bool) -> [(Ending, usize); 2] {
    let service = shaky();
    let (client, clock) = (service.blocking(), service.world.clock.clone());
    let outcome = while_time_passes(&clock, move || match money {
        true => client.call(&confirm("a")).unwrap().ending(),
        false => client.call(&request::<Status>("a")).unwrap().ending(),
    });
    let blocking = (outcome, service.asked());
    let service = shaky();
    let (sending, clock) = (service.clone(), service.world.clock.clone());
    let send = move |request: Request<Body>, _: Bounds| std::future::ready(sending.answer(request));
    let client = service.builder().nonblocking((send, tokio::time::sleep)).unwrap();
    let outcome = while_time_passes(&clock, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        // On a task of its own: what waits must be able to move between threads.
        let call = async move {
            match money {
                true => client.call(&confirm("a")).await.unwrap().ending(),
                false => client.call(&request::<Status>("a")).await.unwrap().ending(),
            }
        };
        runtime.block_on(async { tokio::spawn(call).await.unwrap() })
    });
    [blocking, (outcome, service.asked())]
}

#[test]
fn a_back_off_that_another_ask_began_is_waited_out() {
    for money in [false, true] {
        let began = || {
            let service = Shaky::new(1, 503);
            let client = service.blocking();
            assert!(matches!(client.token(), Err(TokenError::Renewal(_))));
            assert!(
                matches!(client.token(), Err(TokenError::Waiting { .. })),
                "an ask does not wait"
            );
            (service, client)
        };
        let (service, client) = began();
        let clock = service.world.clock.clone();
        let outcome = while_time_passes(&clock, move || match money {
            true => client.call(&confirm("a")).unwrap().ending(),
            false => client.call(&request::<Status>("a")).unwrap().ending(),
        });
        assert_eq!((outcome, service.asked()), (Ending::Done, 2));
        let (service, client) = began();
        let clock = service.world.clock.clone();
        let token = while_time_passes(&clock, move || client.token_waiting().map(|it| it.epoch()));
        assert!(token.is_ok(), "{token:?}");
    }
}

#[test]
fn a_renewal_that_fails_in_passing_is_tried_as_often_as_a_call_may_be_sent() {
    for (status, name) in [(503, "503"), (429, "429"), (0, "not sent")] {
        for money in [false, true] {
            for (fails, end, asked) in
                [(1, Ending::Done, 2), (2, Ending::Done, 3), (3, Ending::NotSent, 3)]
            {
                let got = called(|| Shaky::new(fails, status), money);
                assert_eq!(got, [(end, asked); 2], "{fails} times {name}, money: {money}");
            }
        }
    }
}

#[test]
fn what_waiting_does_not_mend_is_told_at_once() {
    for status in [302, 401, 404] {
        let service = Shaky::new(1, status);
        let outcome = service.blocking().call(&request::<Status>("a")).unwrap();
        assert_eq!((outcome.ending(), service.asked()), (Ending::NotSent, 1), "{status}");
    }
}

#[test]
fn a_wait_beyond_the_callers_patience_is_told_at_once() {
    let service = Shaky::new(1, 503);
    let client = service.blocking();
    client.token().unwrap_err();
    let hasty = client.with_patience(Duration::from_millis(999));
    let Outcome::Failed(failed) = hasty.call(&request::<Status>("a")).unwrap() else { panic!() };
    let waiting = "the next renewal is due in 1.0 s";
    assert!(failed.why().to_string().contains(waiting), "{failed:?}");
    assert!(matches!(hasty.token_waiting(), Err(TokenError::Waiting { .. })));
    assert_eq!(service.asked(), 1);
}

/// What ends a wait, and what the one who waited is then told.
type Ends = (&'static str, fn(&Client), fn(&Result<u64, TokenError>) -> bool);

const ENDS: [Ends; 2] = [
    ("close", |client| drop(client.close(SECOND)), |it| matches!(it, Err(TokenError::Closed))),
    ("sign-out", Client::sign_out, |it| matches!(it, Err(TokenError::SignIn { .. }))),
];

/// Counts how often the time is read.
struct Counted(ManualClock, Arc<AtomicUsize>);

impl Clock for Counted {
    fn now(&self) -> Now {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.now()
    }
}

#[test]
fn closing_and_signing_out_wake_those_who_wait() {
    for (name, end, is_told) in ENDS {
        let service = Shaky::new(usize::MAX, 503);
        let reads = Arc::new(AtomicUsize::new(0));
        let (answers, clock) = (service.clone(), service.world.clock.clone());
        let mut hourly = Policy::default();
        (hourly.backoff_first, hourly.backoff_cap) = (3_600 * SECOND, 3_600 * SECOND);
        let client = service.builder().policy(hourly).clock(Counted(clock, Arc::clone(&reads)));
        let client = client
            .blocking(move |request: Request<Body>, _: Bounds| answers.answer(request))
            .unwrap();
        client.token().unwrap_err();
        let before = reads.load(Ordering::SeqCst);
        let (tell, hear) = mpsc::channel();
        for _ in 0..3 {
            let (client, tell) = (client.clone(), tell.clone());
            thread::spawn(move || tell.send(client.token_waiting().map(|it| it.epoch().count())));
        }
        // Each ask reads the clock once: then all three wait.
        while reads.load(Ordering::SeqCst) < before + 3 {
            thread::yield_now();
        }
        end(&client);
        for _ in 0..3 {
            let told = hear.recv_timeout(Duration::from_secs(60)).expect("nobody sleeps on");
            assert!(is_told(&told), "{name}: {told:?}");
        }
        assert_eq!(service.asked(), 1);
    }
}

#[test]
fn closing_ends_the_pause_before_a_calls_next_attempt() {
    for by_task in [false, true] {
        let (world, (sending, sent)) = (World::new(), mpsc::channel());
        let answering = world.clone();
        let answer = move |request: Request<Body>| match request.uri().path().contains("/agent/") {
            true => answering.exchange(request),
            false => {
                sending.send(()).unwrap();
                let busy = Response::builder().status(503).header("retry-after", "900");
                Ok(busy.body(Vec::new()).unwrap())
            }
        };
        let builder = world.builder().patience(Duration::from_secs(86_400));
        let (tell, hear) = mpsc::channel();
        let outcome = if by_task {
            let send = move |request: Request<Body>, _: Bounds| std::future::ready(answer(request));
            let client = builder.nonblocking((send, tokio::time::sleep)).unwrap();
            let calling = client.clone();
            let runtime =
                || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            thread::spawn(move || {
                drop(tell.send(runtime().block_on(calling.call(&request::<Status>("a")))));
            });
            sent.recv_timeout(60 * SECOND).unwrap();
            runtime().block_on(client.close(Duration::ZERO));
            hear.recv_timeout(60 * SECOND)
        } else {
            let send = move |request: Request<Body>, _: Bounds| answer(request);
            let client = builder.blocking(send).unwrap();
            let calling = client.clone();
            thread::spawn(move || drop(tell.send(calling.call(&request::<Status>("a")))));
            sent.recv_timeout(60 * SECOND).unwrap();
            drop(client.close(Duration::ZERO));
            hear.recv_timeout(60 * SECOND)
        };
        let outcome = outcome.expect("nobody sleeps on").unwrap();
        assert!(matches!(outcome, Outcome::Failed(_)), "by a task: {by_task}: {outcome:?}");
        assert!(sent.try_recv().is_err(), "nothing more is sent");
    }
}
