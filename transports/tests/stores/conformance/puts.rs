//! Which swaps put their state.

use std::time::Duration;

use imts::swap::{Stamp, StoreTime, Swap, Swapped};

use super::{
    AGENT, ENDPOINT, WITHIN, done, found, look, other, over_all, plain, put, stamp, state_of,
};

#[test]
fn only_the_very_state_that_is_expected_is_replaced() {
    over_all(|kind, place| {
        let store = place.open();
        let there = stamp(7, 5, 3);
        done(&*store, &put(Stamp::NONE, there));
        for expects in [Stamp::NONE, stamp(6, 5, 3), stamp(8, 5, 3), stamp(7, 6, 3), stamp(7, 5, 2)]
        {
            let found = other(&*store, &put(expects, stamp(9, 1, 1)));
            assert_eq!(found.stamp(), there, "{}: it was to replace {expects}", kind.name);
            assert_eq!(*found.saved().unwrap().to_json(), *plain(there).to_json());
        }
        done(&*place.open(), &put(there, stamp(9, 1, 1)));
        assert_eq!(found(&*store).stamp(), stamp(9, 1, 1));
    });
}

#[test]
fn an_empty_state_is_a_state() {
    over_all(|_, place| {
        let store = place.open();
        done(&*store, &put(Stamp::NONE, stamp(1, 5, 1)));
        let mut empty: serde_json::Value =
            serde_json::from_slice(&plain(stamp(2, 5, 2)).to_json()).unwrap();
        (empty["access"], empty["refresh"]) = (serde_json::Value::Null, serde_json::Value::Null);
        let empty = imts::Saved::from_json(empty.to_string().as_bytes()).unwrap();
        done(&*store, &look().putting(stamp(1, 5, 1), empty.clone()));
        let found = found(&*place.open());
        assert_eq!(*found.saved().unwrap().to_json(), *empty.to_json());
    });
}

#[test]
fn a_swap_that_comes_twice_is_done_once_and_its_sender_can_tell() {
    over_all(|_, place| {
        let store = place.open();
        let swap = put(Stamp::NONE, stamp(1, 5, 1)).with_lease(Duration::from_secs(600), false);
        done(&*store, &swap);
        match store.swap(&swap).unwrap() {
            Swapped::Done { moved, .. } => assert!(!moved),
            Swapped::Other(found) => assert_eq!(found.stamp(), stamp(1, 5, 1)),
        }
        assert_eq!(found(&*store).stamp(), stamp(1, 5, 1));
    });
}

#[test]
fn a_swap_whose_sender_waits_no_longer_is_not_done() {
    over_all(|_, place| {
        let store = place.open();
        let now = found(&*store);
        let now = Swapped::Other(now).at();
        let within = Duration::from_secs(2);
        let made_at = |seconds: i64| {
            let at = StoreTime::from_micros(now.as_micros() - seconds * 1_000_000);
            let swap = Swap::look(ENDPOINT, AGENT, within);
            swap.putting(Stamp::NONE, plain(stamp(1, 5, 1))).made_at(at)
        };
        assert_eq!(other(&*store, &made_at(3_600)).stamp(), Stamp::NONE);
        assert_eq!(found(&*store).stamp(), Stamp::NONE);
    });
}

#[test]
fn the_age_of_a_state_counts_from_when_it_was_made() {
    over_all(|_, place| {
        let store = place.open();
        let now = Swapped::Other(found(&*store)).at();
        let at = StoreTime::from_micros(now.as_micros() - 20_000_000);
        done(&*store, &put(Stamp::NONE, stamp(1, 5, 1)).made_at(at));
        let age = found(&*place.open()).age();
        assert!(age >= Duration::from_secs(20), "{age:?}");
        assert!(age < Duration::from_secs(20) + WITHIN, "{age:?}");
    });
}

#[test]
fn the_sessions_of_two_agents_never_mix() {
    over_all(|kind, place| {
        let store = place.open();
        done(&*store, &put(Stamp::NONE, stamp(1, 5, 1)));
        let theirs = state_of("agent/2", stamp(4, 6, 1), "access", "refresh");
        let swap = Swap::look(ENDPOINT, "agent/2", WITHIN).putting(Stamp::NONE, theirs);
        let answer = store.swap(&swap);
        match (kind.keeps_many, answer) {
            (true, Ok(Swapped::Done { .. })) => {}
            (false, Err(error)) => assert_eq!(error.kind(), "foreign", "{error}"),
            (_, answer) => panic!("{}: {answer:?}", kind.name),
        }
        assert_eq!(found(&*place.open()).stamp(), stamp(1, 5, 1));
    });
}
