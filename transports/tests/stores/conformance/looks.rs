//! What a look shows, and that it changes nothing.

use std::time::Duration;

use imts::swap::Stamp;

use super::{done, found, look, other, over_all, put, stamp, state};

#[test]
fn a_store_without_a_state_says_so() {
    over_all(|_, place| {
        let found = found(&*place.open());
        assert_eq!(found.stamp(), Stamp::NONE);
        assert!(found.saved().is_none() && found.held().is_none() && !found.is_moved());
    });
}

#[test]
fn what_was_put_is_found_as_it_was() {
    over_all(|_, place| {
        let long = "a-long_token.".repeat(300);
        for (generation, access) in [(1, "access"), (2, long.as_str())] {
            let saved = state(stamp(generation, u64::MAX, 7), access, "refresh");
            let before = found(&*place.open()).stamp();
            done(&*place.open(), &look().putting(before, saved.clone()));
            let found = found(&*place.open());
            assert_eq!(found.stamp(), saved.stamp());
            assert_eq!(*found.saved().unwrap().to_json(), *saved.to_json());
            assert!(found.age() < Duration::from_secs(30), "{:?}", found.age());
        }
    });
}

#[test]
fn a_look_changes_nothing_whatever_lease_it_asks_for() {
    over_all(|_, place| {
        let store = place.open();
        let held = put(Stamp::NONE, stamp(1, 5, 1)).with_lease(Duration::from_secs(600), false);
        done(&*store, &held);
        for resting in [false, true] {
            drop(other(&*store, &look().with_lease(Duration::from_secs(9), resting)));
        }
        let found = found(&*place.open());
        let held = found.held().unwrap();
        assert_eq!((found.stamp(), held.is_resting()), (stamp(1, 5, 1), false));
        assert!(held.left() > Duration::from_secs(60), "{:?}", held.left());
    });
}

#[test]
fn an_answer_prints_no_token() {
    over_all(|_, place| {
        let store = place.open();
        let saved = state(stamp(1, 5, 1), "canary-access", "canary-refresh");
        let swap = look().putting(Stamp::NONE, saved);
        let answers = [store.swap(&swap).unwrap(), store.swap(&look()).unwrap()];
        let printed = format!("{swap:?} {answers:?}");
        assert!(!printed.contains("canary"), "{printed}");
    });
}
