//! The race that TCP cannot exclude: the service closes a connection after the client has looked at it
//! for the last time. It is met on purpose here, by every client, the bare ones too.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::callers::{Caller, End, Kind, Place};
use crate::service::{Aim, Idle, Service};

#[test]
fn a_close_while_the_request_is_written_is_met_by_every_client_and_leaves_it_unknown() {
    for kind in Kind::ALL {
        let tries = tries_until_met(kind);
        println!("{kind}: met at try {tries}");
    }
}

/// Aims closes at the moment of writing, a microsecond later each time, until one hits it.
fn tries_until_met(kind: Kind) -> usize {
    let aim = Arc::new(Aim::default());
    let aims = Arc::clone(&aim);
    let service = Service::start(None, move || {
        // A signal for a call on a new connection has hit nothing.
        aims.fired.store(false, Ordering::SeqCst);
        Idle::Aimed(Arc::clone(&aims))
    });
    let place = Place { url: service.url(), authority: None };
    let shot = Arc::clone(&aim);
    let caller = Caller::new(kind, &place, move || shot.fired.store(true, Ordering::SeqCst));
    for tries in 1..=SWEEPS * FARTHEST_US {
        aim.delay.store(tries % FARTHEST_US * 1_000, Ordering::SeqCst);
        let number = tries.to_string();
        let [went] = caller.calls(std::slice::from_ref(&number))[..] else { panic!("{kind}") };
        let ledger = service.ledger();
        match (went.end, ledger.arrived(&number)) {
            (End::Done, 1) | (End::NotSent, 0) => {}
            // It waits for something else than the connection that was closed.
            (End::Unknown, 0) if kind.is_bare() && went.ended - went.began > A_SECOND => {}
            (End::Unknown, 0) => {
                assert!(ledger.closed_within(went.began, went.ended), "{kind}: {went:?}");
                return usize::try_from(tries).unwrap();
            }
            (end, arrived) => panic!("{kind}: {end:?}, arrived {arrived} times"),
        }
    }
    panic!("{kind} never met it");
}

/// The closes come so many microseconds after the request was handed over, at most.
const FARTHEST_US: u64 = 400;

const SWEEPS: u64 = 200;

const A_SECOND: u64 = 1_000_000_000;
