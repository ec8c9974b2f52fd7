//! Many who ask a client that has no token yet.

use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use http::{Request, Response};
use imts::secret::Body;
use imts::transport::{Bounds, BoxFuture};
use imts::{AsyncTransport, TransportError};
use imts_benches::ready;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::table::{Goal, Table};

const LATENCY: Duration = Duration::from_millis(50);

/// So many cold threads, beside as many on a bare condition variable.
pub(crate) fn threads(table: &mut Table) {
    let crowd = if table.is_timed() { 1_000 } else { 10 };
    let name = "1,000 cold threads";
    let ours = &mut |_| {
        let client = ready::cold(|_: Request<Body>, _: Bounds| {
            thread::sleep(LATENCY);
            Ok(ready::reply())
        });
        last_of(crowd, &|_| drop(client.token().expect("it is granted")))
    };
    let limit = &mut |_| {
        let (is_there, comes) = (Mutex::new(false), Condvar::new());
        last_of(crowd, &|number| {
            if number == 0 {
                thread::sleep(LATENCY);
                *is_there.lock().expect("nobody panics") = true;
                comes.notify_all();
            } else {
                let guard = is_there.lock().expect("nobody panics");
                drop(comes.wait_while(guard, |is_there| !*is_there).expect("nobody panics"));
            }
        })
    };
    table.row_of(name, Goal::AtMost(1.1), 15, Duration::ZERO, ours, limit);
}

/// When the last of so many threads was served, which were released together.
fn last_of(threads: usize, ask: &(dyn Fn(usize) + Sync)) -> Duration {
    let gate = Barrier::new(threads + 1);
    thread::scope(|scope| {
        let asked: Vec<_> = (0..threads)
            .map(|number| {
                let gate = &gate;
                scope.spawn(move || {
                    gate.wait();
                    ask(number);
                    Instant::now()
                })
            })
            .collect();
        let begin = Instant::now();
        gate.wait();
        let ends = asked.into_iter().map(|it| it.join().expect("no asker panics"));
        ends.max().map_or(Duration::MAX, |end| end - begin)
    })
}

/// A service that answers after a while, by tokio's timer.
struct Slow;

impl AsyncTransport for Slow {
    fn send(
        &self,
        _: Request<Body>,
        _: Bounds,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, TransportError>> {
        Box::pin(async {
            tokio::time::sleep(LATENCY).await;
            Ok(ready::reply())
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// So many cold tasks, beside the endpoint's latency and the timer's slack.
pub(crate) fn tasks(table: &mut Table) {
    let crowd = if table.is_timed() { 1_000 } else { 10 };
    let ours = &mut |_| {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("the system gives a reactor").block_on(async {
            let client = ready::cold_for_tasks(Slow, |renewal| drop(tokio::spawn(renewal)));
            let gate = Arc::new(tokio::sync::Barrier::new(crowd));
            let mut asks = JoinSet::new();
            for _ in 0..crowd {
                let (client, gate) = (client.clone(), Arc::clone(&gate));
                asks.spawn(async move {
                    gate.wait().await;
                    let begin = Instant::now();
                    client.token().await.expect("it is granted");
                    (begin, Instant::now())
                });
            }
            let spans = asks.join_all().await;
            spans.iter().map(|(begin, end)| *end - *begin).max().unwrap_or(Duration::MAX)
        })
    };
    let limit = &mut |_| LATENCY + Duration::from_millis(3);
    table.row_of("1,000 cold tasks", Goal::AtMost(1.02), 15, Duration::ZERO, ours, limit);
}
