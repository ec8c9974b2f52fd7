//! Asking while a token is valid: calm, during a renewal, and in a back-off.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;
use imts::{AsyncClient, Client};
use imts_benches::ready::{self, State};
use rustix::time::{ClockId, clock_gettime};

use super::table::{Goal, Table, timed, together};

/// What asking a shared client cannot do without: a published value, held to a coarse clock.
struct Limit(ArcSwap<(HeaderValue, i64)>);

impl Limit {
    fn new() -> Self {
        let value = ready::client().token().expect("it holds a token").header().clone();
        Self(ArcSwap::from_pointee((value, i64::MAX)))
    }

    #[inline]
    fn ask(&self) -> Option<arc_swap::Guard<Arc<(HeaderValue, i64)>>> {
        let held = self.0.load();
        (clock_gettime(ClockId::MonotonicCoarse).tv_sec < held.1).then_some(held)
    }
}

fn limit_tokens(limit: &Limit, times: u32) -> Duration {
    timed(|| (0..times).for_each(|_| drop(black_box(limit.ask()))))
}

fn limit_values(limit: &Limit, times: u32) -> Duration {
    timed(|| {
        (0..times).for_each(|_| drop(black_box(limit.ask().expect("it never ends").0.clone())));
    })
}

fn tokens(client: &Client, times: u32) -> Duration {
    timed(|| (0..times).for_each(|_| drop(black_box(client.token()))))
}

fn values(client: &Client, times: u32) -> Duration {
    timed(|| {
        for _ in 0..times {
            drop(black_box(client.token().expect("a token is valid").header().clone()));
        }
    })
}

fn task_tokens(client: &AsyncClient, times: u32) -> Duration {
    timed(|| {
        ready::at_once(async {
            for _ in 0..times {
                drop(black_box(client.token().await));
            }
        });
    })
}

fn task_values(client: &AsyncClient, times: u32) -> Duration {
    timed(|| {
        ready::at_once(async {
            for _ in 0..times {
                drop(black_box(client.token().await.expect("a token is valid").header().clone()));
            }
        });
    })
}

/// A valid token, and no renewal due.
pub(crate) fn calm(table: &mut Table) {
    let (limit, client, tasks) = (Limit::new(), ready::client(), ready::async_client());
    let mut limited = |times| limit_tokens(&limit, times);
    let goal = Goal::AtMost(1.4);
    table.row("token", goal, &mut |times| tokens(&client, times), &mut limited);
    let mut limited = |times| limit_values(&limit, times);
    let goal = Goal::AtMost(2.0);
    table.row("value", goal, &mut |times| values(&client, times), &mut limited);
    table.row("value, tasks", goal, &mut |times| task_values(&tasks, times), &mut limited);
}

/// A valid token while it is renewed, and after a renewal has failed, beside the same client calm.
pub(crate) fn renewing(table: &mut Table) {
    let (calm, calm_tasks) = (ready::client(), ready::spawning_client(State::Calm));
    let goal = Goal::AtMost(1.25);
    for (state, name) in [(State::Flight, "flight"), (State::BackOff, "back-off")] {
        let client = ready::client_in(state);
        let tasks = ready::spawning_client(state);
        for (threads, of) in [(1, "1 thread"), (8, "8 threads")] {
            let all = |ask: &(dyn Fn(u32) -> Duration + Sync), times| together(threads, ask, times);
            // More threads than cores: a round lasts many of the system's slices.
            let round = Duration::from_millis(if threads == 1 { 4 } else { 40 });
            table.row_of(
                &format!("{name}, {of}"),
                goal,
                45,
                round,
                &mut |times| all(&|times| tokens(&client, times), times),
                &mut |times| all(&|times| tokens(&calm, times), times),
            );
            table.row_of(
                &format!("{name}, tasks on {of}"),
                goal,
                45,
                round,
                &mut |times| all(&|times| task_tokens(&tasks, times), times),
                &mut |times| all(&|times| task_tokens(&calm_tasks, times), times),
            );
        }
    }
}
