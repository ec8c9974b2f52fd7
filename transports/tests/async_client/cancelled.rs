//! A caller that leaves changes nothing for the others, wherever it was.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{AsyncClient, BearerGuard, Builder, Credentials, Endpoint, Keep, Saved, TokenError};
use imts_sandbox::{DEFAULT_AGENT, DEFAULT_SECRET, Operation, Rotation};

use crate::{ByHand, Turnstile, World, at_once, no_timer, run_all};

/// A world whose refresh token is the only way on: no credentials are held, and a refresh token that
/// is presented twice revokes all. Its client is Expired, and a reply takes four turns, two of them
/// after the service has answered.
struct AtStake {
    world: World,
    client: AsyncClient,
    turnstile: Turnstile,
    store: Arc<Mutex<Vec<Saved>>>,
}

const TURNS: usize = 4;

impl AtStake {
    fn new() -> Self {
        let (world, turnstile) = (World::default(), Turnstile::default());
        world.sandbox().settings_mut().rotation = Rotation::ReuseRevokesFamily;
        let store = Arc::new(Mutex::new(Vec::new()));
        let (disk, service, stile) = (Arc::clone(&store), world.clone(), turnstile.clone());
        let send = move |request: Request<Body>, _: Bounds| {
            let (service, stile) = (service.clone(), stile.clone());
            async move {
                stile.pass().await;
                stile.pass().await;
                let answer = service.answer(request);
                stile.pass().await;
                stile.pass().await;
                Ok(answer)
            }
        };
        let client = Builder::new(Endpoint::https("https://sandbox.example").unwrap())
            .clock(world.clock.clone())
            .on_grant(move |saved| {
                disk.lock().unwrap().push(saved.clone());
                Ok(())
            })
            .nonblocking((send, no_timer))
            .unwrap();
        client.sign_in(Credentials::new(DEFAULT_AGENT, DEFAULT_SECRET).unwrap(), Keep::Once);
        turnstile.turn(TURNS);
        at_once(client.token()).unwrap();
        world.pass(901);
        Self { world, client, turnstile, store }
    }

    fn ask(&self) -> ByHand<Result<BearerGuard, TokenError>> {
        let client = self.client.clone();
        ByHand::new(async move { client.token().await })
    }

    fn refreshes(&self) -> usize {
        self.world.sandbox().count(Operation::Refresh)
    }
}

#[test]
fn a_leader_that_is_cancelled_after_any_poll_costs_nothing() {
    for polls in 0..=TURNS {
        let stake = AtStake::new();
        let mut leader = stake.ask();
        if polls > 0 {
            assert!(leader.poll().is_pending());
        }
        let mut followers: Vec<_> = (0..100).map(|_| stake.ask()).collect();
        followers.iter_mut().for_each(|follower| assert!(follower.poll().is_pending()));
        for _ in 1..polls {
            stake.turnstile.turn(1);
            assert!(leader.poll().is_pending());
        }
        // At its worst, the leader leaves after it was woken and before it looked.
        stake.turnstile.turn(1);
        drop(leader);
        stake.turnstile.turn(TURNS);
        let outcomes = run_all(followers);
        assert!(outcomes.iter().all(Result::is_ok), "after {polls} polls: {:?}", outcomes[0]);
        assert_eq!(stake.refreshes(), 1, "after {polls} polls");
        assert_eq!(stake.world.sandbox().counters().refresh_reuse, 0);
        assert!(!stake.store.lock().unwrap().last().unwrap().is_in_doubt());
    }
}

#[test]
fn a_flight_that_everyone_left_is_polled_on_by_the_next_to_ask() {
    let stake = AtStake::new();
    for _ in 0..TURNS {
        assert!(stake.ask().poll().is_pending());
        stake.turnstile.turn(1);
    }
    let bearer = run_all(vec![stake.ask()]).remove(0).unwrap();
    assert_eq!(bearer.epoch().count(), 2);
    assert_eq!(stake.refreshes(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_that_come_and_go_on_many_threads_never_lose_a_wake_up() {
    for round in 0..200_u64 {
        let world = World::default();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let client = world.client(world.when(move || {
            count.fetch_add(1, Ordering::SeqCst);
            async {
                for _ in 0..5 {
                    tokio::task::yield_now().await;
                }
                tokio::time::sleep(Duration::from_micros(100)).await;
            }
        }));
        let tasks: Vec<_> = (0..32)
            .map(|n| {
                let client = client.clone();
                let task = tokio::spawn(async move { client.token().await });
                // Some leave at once, some in the middle.
                if (n + round) % 3 == 0 {
                    task.abort();
                }
                task
            })
            .collect();
        for task in tasks {
            let ended = tokio::time::timeout(Duration::from_secs(60), task).await;
            match ended.expect("a task that nobody woke") {
                Ok(outcome) => drop(outcome.unwrap()),
                Err(error) => assert!(error.is_cancelled()),
            }
        }
        assert!(sent.load(Ordering::SeqCst) <= 1);
    }
}
