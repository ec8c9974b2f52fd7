//! Whom a lease keeps out, and for how long.

use std::thread;
use std::time::{Duration, Instant};

use imts::swap::{Stamp, Swapped};

use super::{done, found, other, over_all, put, stamp};

const LONG: Duration = Duration::from_secs(600);

#[test]
fn a_lease_keeps_everyone_else_out_and_says_how_much_of_it_is_left() {
    over_all(|_, place| {
        let there = stamp(1, 5, 1);
        let holder = place.open();
        done(&*holder, &put(Stamp::NONE, there).with_lease(LONG, false));
        let found = other(&*place.open(), &put(there, stamp(2, 6, 1)));
        let held = found.held().unwrap();
        assert_eq!((found.stamp(), held.is_resting()), (there, false));
        assert!(held.left() <= LONG && held.left() > LONG / 2, "{:?}", held.left());
    });
}

#[test]
fn its_holder_ends_it_by_putting_a_state_without_one() {
    over_all(|_, place| {
        let (claimed, granted) = (stamp(1, 5, 1), stamp(2, 5, 2));
        let holder = place.open();
        done(&*holder, &put(Stamp::NONE, claimed).with_lease(LONG, false));
        done(&*holder, &put(claimed, granted));
        assert_eq!(found(&*place.open()).held(), None);
        done(&*place.open(), &put(granted, stamp(3, 6, 1)).with_lease(LONG, false));
    });
}

#[test]
fn a_lease_of_a_holder_that_rests_keeps_everyone_else_out_and_says_so() {
    over_all(|_, place| {
        let (claimed, rests) = (stamp(1, 5, 1), stamp(2, 5, 2));
        let holder = place.open();
        done(&*holder, &put(Stamp::NONE, claimed).with_lease(LONG, false));
        done(&*holder, &put(claimed, rests).with_lease(LONG, true));
        let found = other(&*place.open(), &put(rests, stamp(3, 6, 1)));
        assert!(found.held().unwrap().is_resting(), "{found:?}");
    });
}

#[test]
fn after_its_end_a_lease_keeps_nobody_out() {
    over_all(|_, place| {
        let there = stamp(1, 5, 1);
        let lease = Duration::from_millis(400);
        let holder = place.open();
        let asked = Instant::now();
        done(&*holder, &put(Stamp::NONE, there).with_lease(lease, false));
        let store = place.open();
        let next = put(there, stamp(2, 6, 1));
        while let Swapped::Other(found) = store.swap(&next).unwrap() {
            assert!(asked.elapsed() < Duration::from_secs(60), "it never ends: {found:?}");
            assert!(found.held().is_some_and(|held| held.left() <= lease), "{found:?}");
            thread::sleep(Duration::from_millis(20));
        }
        assert!(asked.elapsed() >= lease, "it ended after {:?}", asked.elapsed());
        drop(holder);
    });
}
