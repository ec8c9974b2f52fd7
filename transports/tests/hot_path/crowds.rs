//! A thousand at once, threads or tasks, without a token, with one that is due, with one that is dead:
//! one call. And one failure for all.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use http::Request;
use imts::secret::Body;
use imts::session::RenewalError;
use imts::transport::Bounds;
use imts::{Client, TokenError};
use imts_sandbox::Outage;

use crate::{World, eventually};

const CROWD: usize = 1_000;

/// Holds replies back until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn set(&self, open: bool) {
        *self.0.0.lock().unwrap() = open;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

fn gated(world: &World, gate: &Gate) -> Client {
    let (service, gate) = (world.clone(), gate.clone());
    let transport = move |request: Request<Body>, _: Bounds| {
        gate.pass();
        Ok(service.answer(request))
    };
    world.builder().blocking(transport).unwrap()
}

/// A thousand threads, released together; the gate opens once all have had the time to ask.
fn threads(client: &Client, gate: &Gate) -> Vec<Result<u64, TokenError>> {
    let start = Barrier::new(CROWD + 1);
    thread::scope(|scope| {
        let ask = || {
            start.wait();
            client.token().map(|bearer| bearer.epoch().count())
        };
        let spawn = |_| {
            let small = thread::Builder::new().stack_size(128 * 1_024);
            small.spawn_scoped(scope, ask).unwrap()
        };
        let asks: Vec<_> = (0..CROWD).map(spawn).collect();
        start.wait();
        thread::sleep(Duration::from_millis(50));
        gate.set(true);
        asks.into_iter().map(|ask| ask.join().unwrap()).collect()
    })
}

#[test]
fn a_thousand_threads_cost_one_call_without_a_token_with_a_due_one_and_with_a_dead_one() {
    let (world, gate) = (World::default(), Gate::default());
    let client = gated(&world, &gate);
    assert!(threads(&client, &gate).iter().all(|told| matches!(told, Ok(1))), "no token");
    assert_eq!(world.calls(), 1);
    gate.set(false);
    world.pass(850);
    let told = threads(&client, &gate);
    assert!(told.iter().all(|told| matches!(told, Ok(1 | 2))), "due: nobody waits");
    eventually("the refresh", || client.token().unwrap().epoch().count() == 2);
    assert_eq!(world.calls(), 2);
    gate.set(false);
    world.pass(901);
    assert!(threads(&client, &gate).iter().all(|told| matches!(told, Ok(3))), "dead");
    assert_eq!(world.calls(), 3);
}

#[test]
fn a_thousand_threads_are_told_the_one_failure_of_one_flight() {
    let (world, gate) = (World::default(), Gate::default());
    let mut outage = Outage::default();
    outage.status = 500;
    world.sandbox().settings_mut().outage = Some(outage);
    let client = gated(&world, &gate);
    let told = threads(&client, &gate);
    let errors: BTreeSet<_> = told
        .iter()
        .map(|told| match told.as_ref().unwrap_err() {
            TokenError::Renewal(error) | TokenError::Waiting { last: error, .. } => {
                std::ptr::from_ref::<RenewalError>(&**error).addr()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((errors.len(), world.calls()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_with_a_token_that_is_due_cost_one_call_and_wait_for_nothing() {
    let world = World::default();
    let service = world.clone();
    let send = move |request: Request<Body>, _: Bounds| {
        let service = service.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(service.answer(request))
        }
    };
    let client = world.builder().nonblocking((send, tokio::time::sleep)).unwrap();
    client.token().await.unwrap();
    world.pass(850);
    let start = Arc::new(tokio::sync::Barrier::new(CROWD));
    let tasks: Vec<_> = (0..CROWD)
        .map(|_| {
            let (client, start) = (client.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                crate::at_once(client.token()).unwrap().epoch().count()
            })
        })
        .collect();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), 1 | 2));
    }
    tokio::time::timeout(Duration::from_secs(60), async {
        while client.token().await.unwrap().epoch().count() == 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("the new token comes");
    assert_eq!(world.calls(), 2);
}
