//! Swaps that come at the same time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use imts::swap::{Stamp, Swapped};

use super::{found, over_all, put, stamp};

const CALLERS: u64 = 8;
const GENERATIONS: u64 = 60;

#[test]
fn of_all_who_want_to_replace_one_state_exactly_one_does_and_no_state_is_torn() {
    over_all(|kind, place| {
        let stores: Vec<_> = (0..CALLERS).map(|_| place.open()).collect();
        let barrier = Barrier::new(stores.len());
        let winners: Vec<_> = (0..GENERATIONS).map(|_| AtomicUsize::new(0)).collect();
        thread::scope(|scope| {
            for (caller, store) in stores.iter().enumerate() {
                let (barrier, winners) = (&barrier, &winners);
                scope.spawn(move || {
                    let holder = caller as u64 + 1;
                    let mut expects = Stamp::NONE;
                    for generation in 1..=GENERATIONS {
                        barrier.wait();
                        let new = stamp(generation, holder, generation);
                        match store.swap(&put(expects, new)).unwrap() {
                            Swapped::Done { .. } => {
                                winners[generation as usize - 1].fetch_add(1, Ordering::SeqCst);
                            }
                            Swapped::Other(found) => {
                                let saved = found.saved().expect("a state was there");
                                assert_eq!(saved.stamp(), found.stamp());
                            }
                        }
                        barrier.wait();
                        expects = found(&**store).stamp();
                        assert_eq!(expects.generation, generation);
                    }
                });
            }
        });
        for (generation, winners) in winners.iter().enumerate() {
            let winners = winners.load(Ordering::SeqCst);
            assert_eq!(winners, 1, "{}: generation {}", kind.name, generation + 1);
        }
    });
}
