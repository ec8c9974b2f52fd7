//! Many callers that request a token at one moment, and one that gives up too early: threads over
//! ureq, tasks over hyper-util.
//!
//! Owns only the requests for a token. Does not know how many requests reach the service: the
//! service's log does.

use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use imts::{AsyncClient, BearerGuard, Epoch, TokenError};
use tokio::sync::Barrier as TaskBarrier;
use tokio::task::JoinHandle as TaskHandle;
use tokio::time::timeout;

use crate::client::Client;
use crate::tasks::Tasks;

/// How long the caller that gives up too early waits.
const HASTE: Duration = Duration::from_millis(1);

/// A thread of the crowd needs only enough stack for one request for a token.
const STACK: usize = 256 * 1_024;

/// The callers that are about to request a token.
pub(super) enum Crowd {
    Threads(Arc<Barrier>, Vec<JoinHandle<Asked>>),
    Tasks(Arc<TaskBarrier>, Vec<TaskHandle<Asked>>, Tasks),
}

type Asked = (Result<BearerGuard, TokenError>, Duration);

/// What all callers of a crowd got.
pub(super) struct Served {
    pub(super) count: usize,
    pub(super) epoch: Epoch,
    /// How long the last one waited.
    pub(super) last: Duration,
}

/// Creates `count` callers, which wait for their release.
pub(super) fn gather(client: &Client, count: usize) -> Result<Crowd, String> {
    match client {
        Client::Threads(client) => {
            let barrier = Arc::new(Barrier::new(count + 1));
            let threads = (0..count).map(|_| {
                let (client, barrier) = (client.clone(), Arc::clone(&barrier));
                thread::Builder::new().stack_size(STACK).spawn(move || {
                    barrier.wait();
                    let began = Instant::now();
                    (client.token(), began.elapsed())
                })
            });
            let threads = threads.collect::<Result<_, _>>();
            let threads =
                threads.map_err(|error| format!("cannot start {count} threads: {error}"))?;
            Ok(Crowd::Threads(barrier, threads))
        }
        Client::Tasks(client, tasks) => {
            let barrier = Arc::new(TaskBarrier::new(count + 1));
            let gathered = (0..count).map(|_| {
                let (client, barrier) = (client.clone(), Arc::clone(&barrier));
                tasks.handle().spawn(async move {
                    barrier.wait().await;
                    let began = Instant::now();
                    (client.token().await, began.elapsed())
                })
            });
            let gathered = gathered.collect();
            Ok(Crowd::Tasks(barrier, gathered, tasks.clone()))
        }
    }
}

impl Crowd {
    /// Releases the callers. All must get the same token.
    pub(super) fn release(self) -> Result<Served, String> {
        let asked: Vec<Asked> = match self {
            Self::Threads(barrier, threads) => {
                barrier.wait();
                threads.into_iter().map(JoinHandle::join).collect::<Result<_, _>>().ok()
            }
            Self::Tasks(barrier, gathered, tasks) => tasks.wait_for(async {
                barrier.wait().await;
                let mut asked = Vec::with_capacity(gathered.len());
                for task in gathered {
                    asked.push(task.await.ok()?);
                }
                Some(asked)
            }),
        }
        .ok_or("a caller panicked")?;
        let last = asked.iter().map(|(_, waited)| *waited).max().unwrap_or_default();
        let count = asked.len();
        let mut epochs = Vec::with_capacity(count);
        for (outcome, _) in asked {
            epochs.push(
                outcome
                    .map_err(|error| format!("one of {count} callers got an error: {error}"))?
                    .epoch(),
            );
        }
        epochs.dedup();
        match epochs[..] {
            [epoch] => Ok(Served { count, epoch, last }),
            _ => Err(format!("the {count} callers did not all get the same token")),
        }
    }
}

/// Starts a renewal and gives up while it is under way.
pub(super) fn begin_and_leave(client: &Client) -> Result<&'static str, String> {
    match client {
        Client::Threads(client) => match client.with_patience(HASTE).token() {
            Err(TokenError::TimedOut) => Ok("the first caller gave up after 1 ms: its time limit \
                                             passed"),
            outcome => Err(stayed(outcome)),
        },
        Client::Tasks(client, tasks) => match tasks.wait_for(dropped(client)) {
            None => Ok("the first caller gave up after 1 ms: its future was dropped"),
            Some(outcome) => Err(stayed(outcome)),
        },
    }
}

/// Returns `None` if the request for a token did not end in time and its future was dropped.
async fn dropped(client: &AsyncClient) -> Option<Result<BearerGuard, TokenError>> {
    timeout(HASTE, client.token()).await.ok()
}

fn stayed(outcome: Result<BearerGuard, TokenError>) -> String {
    match outcome {
        Ok(_) => "the first caller got a token before it could give up".to_owned(),
        Err(error) => format!("the first caller got an error: {error}"),
    }
}
