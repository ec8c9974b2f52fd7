//! What the hot paths cost in allocations: exact counts, so that a regression is a number.

use allocation_counter::measure;
use http::Response;
use imts_core::time::{Mono, Wall};
use imts_core::{Credentials, Endpoint, Keep, Now, Policy, Reply, Session, Step, services};

const NOW: Now =
    Now { mono: Mono::from_micros(0), wall: Wall::from_unix_micros(1_753_269_451_577_745) };

fn session() -> Session {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    let mut session = Session::new(endpoint, services::transfer(), Policy::default()).unwrap();
    session.sign_in(Credentials::new("agent", "secret").unwrap(), Keep::Always, NOW);
    session
}

fn reply() -> Response<&'static [u8]> {
    let body: &[u8] = include_bytes!("fixtures/get-token.reply.json");
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

/// Allocations of one run, result included.
fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let mut kept = None;
    let count = measure(|| kept = Some(work())).count_total;
    drop(kept);
    count
}

#[test]
fn a_sign_in_request_costs_at_most_four_allocations() {
    let mut session = session();
    let count = allocations(|| session.poll(NOW));
    assert!(count <= 4, "{count} allocations; the budget is 4");
}

#[test]
fn from_reply_to_grant_costs_at_most_three_allocations() {
    let mut session = session();
    let Step::Send(ticket, _) = session.poll(NOW) else { panic!("a sign-in is due") };
    let response = reply();
    let count = allocations(|| session.on_reply(ticket, Reply::from(&response), NOW).unwrap());
    assert!(count <= 3, "{count} allocations; the budget is 3");
}

#[test]
fn phase_and_ready_cost_no_allocation() {
    let mut session = session();
    let Step::Send(ticket, _) = session.poll(NOW) else { panic!("a sign-in is due") };
    session.on_reply(ticket, Reply::from(&reply()), NOW).unwrap();
    let ready = allocations(|| matches!(session.poll(NOW), Step::Ready(_)));
    let phase = allocations(|| session.phase(NOW).usable().is_some());
    assert_eq!((ready, phase), (0, 0));
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| Box::new(1)), 1);
}
