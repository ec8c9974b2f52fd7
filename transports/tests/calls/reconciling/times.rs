//! How long it takes to ask about calls in doubt, and what is left of it when somebody leaves.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use imts::clock::Clock;
use imts::journal::CallState;
use imts::journal::{Answer, CallRecord, Reconcile, Unresolved};

use super::{Any, at_once, doubts};
use crate::{World, run};

#[test]
fn there_is_a_pause_by_the_clients_clock_after_each_question() {
    let world = World::new();
    let shared = doubts(&world, &["a", "b", "c"]);
    let [Any::Threads(client), _] = Any::both(&world, || Box::new(shared.clone())) else {
        panic!()
    };
    let at = Mutex::new(Vec::new());
    // Each look at this clock lets a millisecond pass, so the real time is short.
    let settings = Reconcile::default().interval(Duration::from_millis(40));
    let report = client.reconcile(&settings, |_| {
        at.lock().unwrap().push(world.clock.now().mono);
        Answer::Unknown(String::new())
    });
    assert_eq!(report.unwrap().in_doubt.len(), 3);
    let at = at.into_inner().unwrap();
    assert!(at.windows(2).all(|two| two[1].since(two[0]) >= Duration::from_millis(40)), "{at:?}");
}

#[test]
fn it_is_over_within_the_clients_patience_or_the_time_that_was_given() {
    let world = World::new();
    let shared = doubts(&world, &["a", "b"]);
    let [threads, tasks] = Any::both(&world, || Box::new(shared.clone()));
    let hour = Reconcile::default().interval(Duration::from_secs(3_600));
    for client in [&threads, &tasks] {
        for (settings, asked) in [(hour.clone(), 1), (hour.clone().within(Duration::ZERO), 0)] {
            let count = AtomicUsize::new(0);
            let report = client.reconcile(&settings, |_| {
                count.fetch_add(1, Ordering::SeqCst);
                Answer::Unknown(String::new())
            });
            assert_eq!(count.into_inner(), asked, "{report:?}");
            assert!(matches!(report.in_doubt[..], [_, (2, Unresolved::NotAsked)]), "{report:?}");
        }
    }
    // A future that does not end is dropped, and its call stays in doubt.
    let Any::Tasks(client) = tasks else { panic!() };
    let settings = at_once().within(Duration::from_millis(500));
    let report = run(client.reconcile(&settings, |_| pending::<Answer>())).unwrap();
    assert!(matches!(report.in_doubt[0], (1, Unresolved::NoAnswer(_))), "{report:?}");
}

#[test]
fn whoever_drops_it_at_any_point_loses_nothing_and_it_goes_on_where_it_was() {
    let world = World::new();
    let pausing = |times: usize| {
        let mut left = times;
        poll_fn(move |cx| {
            cx.waker().wake_by_ref();
            match left.checked_sub(1) {
                Some(less) => {
                    left = less;
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        })
    };
    for polls in 0..24 {
        let shared = doubts(&world, &["a", "b", "c"]);
        let [_, Any::Tasks(client)] = Any::both(&world, || Box::new(shared.clone())) else {
            panic!()
        };
        let answered = Arc::new(Mutex::new(Vec::new()));
        let settings = Reconcile::default().interval(Duration::from_millis(3));
        let answers = || {
            let answered = Arc::clone(&answered);
            move |call: CallRecord| {
                let answered = Arc::clone(&answered);
                async move {
                    pausing(2).await;
                    answered.lock().unwrap().push(call.id);
                    Answer::Done("paid".to_owned())
                }
            }
        };
        {
            let mut pass = pin!(is_send(client.reconcile(&settings, answers())));
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                if pass.as_mut().poll(&mut cx).is_ready() {
                    break;
                }
            }
        }
        let done = |id: &u64| shared.state(*id) == CallState::Done;
        let before: Vec<_> = (1..=3).filter(done).collect();
        assert_eq!(*answered.lock().unwrap(), before, "{polls}: each answer is written down");
        run(client.reconcile(&settings, answers())).unwrap();
        assert_eq!(*answered.lock().unwrap(), [1, 2, 3], "{polls}: each is asked about once");
        assert!(world.sent().is_empty());
    }
}

fn is_send<T: Send>(future: T) -> T {
    future
}
