//! The operations whose exact cost is held to a baseline, and how one is run.
//!
//! Owns the line between what is counted and what only prepares it. What counts instructions is
//! callgrind, from outside: it collects inside `counted` alone.

use std::cell::Cell;
use std::hint::black_box;

use imts::{AsyncClient, AsyncHandle, Client, Handle, Outcome, Phase, Reply, Step};

use crate::ready::{self, NOW};

/// One operation of the hot paths: its name, and how to run it so many times.
pub type Operation = (&'static str, fn(u32, &Meter));

/// Every operation, in the order of the baseline.
pub const OPERATIONS: &[Operation] = &[
    ("token", token),
    ("token_async", token_async),
    ("handle", handle),
    ("handle_async", handle_async),
    ("token_sharing", token_sharing),
    ("token_sharing_async", token_sharing_async),
    ("handle_sharing", handle_sharing),
    ("handle_sharing_async", handle_sharing_async),
    ("poll_ready", poll_ready),
    ("phase", phase),
    ("reply_to_grant", reply_to_grant),
    ("sign_in_request", sign_in_request),
    ("refresh_request", refresh_request),
    ("call_request", call_request),
    ("call_reply", call_reply),
    ("call", call),
    ("call_async", call_async),
];

/// What is counted while an operation runs.
#[derive(Debug)]
pub enum Meter {
    /// Instructions, by callgrind.
    Instructions,
    /// The sum of the allocations.
    Allocations(Cell<u64>),
}

impl Meter {
    fn counts<T>(&self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Instructions => counted(work),
            Self::Allocations(total) => {
                let mut kept = None;
                let info = allocation_counter::measure(|| kept = Some(work()));
                total.set(total.get() + info.count_total);
                kept.expect("the work was done")
            }
        }
    }
}

/// Where callgrind collects: it gets this function's name.
#[inline(never)]
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// A token from a client for threads, taken and let go.
fn token(times: u32, meter: &Meter) {
    tokens(&ready::client(), times, meter);
}

/// The same if the client shares a store.
fn token_sharing(times: u32, meter: &Meter) {
    tokens(&ready::sharing_client(), times, meter);
}

fn tokens(client: &Client, times: u32, meter: &Meter) {
    for _ in 0..times {
        meter.counts(|| drop(black_box(client.token())));
    }
}

/// A token from a client for tasks, taken and let go.
fn token_async(times: u32, meter: &Meter) {
    tokens_async(&ready::async_client(), times, meter);
}

/// The same if the client shares a store.
fn token_sharing_async(times: u32, meter: &Meter) {
    tokens_async(&ready::sharing_async_client(), times, meter);
}

fn tokens_async(client: &AsyncClient, times: u32, meter: &Meter) {
    for _ in 0..times {
        meter.counts(|| drop(black_box(ready::at_once(client.token()))));
    }
}

/// A token from one thread's handle.
fn handle(times: u32, meter: &Meter) {
    by_handle(ready::client().handle(), times, meter);
}

/// The same if the client shares a store.
fn handle_sharing(times: u32, meter: &Meter) {
    by_handle(ready::sharing_client().handle(), times, meter);
}

fn by_handle(mut handle: Handle, times: u32, meter: &Meter) {
    for _ in 0..times {
        meter.counts(|| drop(black_box(handle.token())));
    }
}

/// A token from one task's handle.
fn handle_async(times: u32, meter: &Meter) {
    by_handle_async(ready::async_client().handle(), times, meter);
}

/// The same if the client shares a store.
fn handle_sharing_async(times: u32, meter: &Meter) {
    by_handle_async(ready::sharing_async_client().handle(), times, meter);
}

fn by_handle_async(mut handle: AsyncHandle, times: u32, meter: &Meter) {
    for _ in 0..times {
        meter.counts(|| drop(black_box(ready::at_once(handle.token()))));
    }
}

/// A session's step while a token is valid.
fn poll_ready(times: u32, meter: &Meter) {
    let mut session = ready::signed_in();
    for _ in 0..times {
        let step = meter.counts(|| black_box(session.poll(NOW)));
        assert!(matches!(step, Step::Ready(_)), "{step:?}");
    }
}

fn phase(times: u32, meter: &Meter) {
    let session = ready::signed_in();
    for _ in 0..times {
        let is_valid = meter.counts(|| matches!(black_box(session.phase(NOW)), Phase::Valid(_)));
        assert!(is_valid, "{}", session.phase(NOW));
    }
}

/// From the documented reply's bytes to a grant in use.
fn reply_to_grant(times: u32, meter: &Meter) {
    let reply = ready::reply();
    for _ in 0..times {
        let (mut session, ticket) = ready::waiting();
        let outcome = meter.counts(|| session.on_reply(ticket, Reply::from(&reply), NOW));
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

fn sign_in_request(times: u32, meter: &Meter) {
    for _ in 0..times {
        let mut session = ready::session();
        let step = meter.counts(|| session.poll(NOW));
        assert!(matches!(step, Step::Send(..)), "{step:?}");
    }
}

fn refresh_request(times: u32, meter: &Meter) {
    let expired = ready::expired();
    for _ in 0..times {
        let mut session = ready::signed_in();
        let step = meter.counts(|| session.poll(expired));
        assert!(matches!(step, Step::Send(..)), "{step:?}");
    }
}

/// From an operation to the request of its call.
fn call_request(times: u32, meter: &Meter) {
    let (session, fees) = (ready::signed_in(), ready::fees());
    let bearer = ready::bearer(&session);
    for _ in 0..times {
        drop(meter.counts(|| ready::called(&session, &fees, bearer.clone())));
    }
}

/// From a call's reply to its outcome.
fn call_reply(times: u32, meter: &Meter) {
    let (session, fees, reply) = (ready::signed_in(), ready::fees(), ready::call_reply());
    let bearer = ready::bearer(&session);
    for _ in 0..times {
        let (mut call, _) = ready::called(&session, &fees, bearer.clone());
        drop(meter.counts(|| ready::outcome(&mut call, &reply)));
    }
}

/// A whole call by a client for threads, over a transport that answers at once.
fn call(times: u32, meter: &Meter) {
    let (client, fees) = (ready::answered(), ready::fees());
    for _ in 0..times {
        let outcome = meter.counts(|| client.call(&fees));
        assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    }
}

/// A whole call by a client for tasks, over a transport that answers at once.
fn call_async(times: u32, meter: &Meter) {
    let (client, fees) = (ready::answered_async(), ready::fees());
    for _ in 0..times {
        let outcome = meter.counts(|| ready::at_once(client.call(&fees)));
        assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    }
}
