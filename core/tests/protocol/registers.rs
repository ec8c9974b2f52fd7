//! One entry of a shared store: which swaps change it, and what it answers.

use std::time::Duration;

use imts_core::swap::{Held, Register, Stamp, StoreTime};
use imts_core::{Swap, Swapped};

use crate::sharing::{asking, granted_ago, of_sibling, saved, sharing};
use crate::support::{policy, seconds};

const MINE: u64 = 1;
const THEIRS: u64 = 2;

fn at(seconds: i64) -> StoreTime {
    StoreTime::from_micros(seconds * 1_000_000)
}

/// A swap of a state with this stamp in the place of another.
fn swap(expects: Stamp, generation: u64, holder: u64, lease: u64) -> Swap {
    let mut form = of_sibling(&sharing(policy()), 900, "unspent");
    form["generation"] = generation.into();
    form["holder"] = holder.into();
    let look = Swap::look("https://service.example", "agent-1", seconds(2));
    look.putting(expects, saved(&form)).with_lease(seconds(lease), false)
}

fn stamp(generation: u64, holder: u64) -> Stamp {
    Stamp { generation, holder, serial: 3 }
}

fn is_done(swapped: &Swapped) -> bool {
    matches!(swapped, Swapped::Done { .. })
}

/// Holds the state of the first swap, with its lease.
fn held(lease: u64) -> Register {
    let mut register = Register::default();
    assert!(is_done(&register.swap(&swap(Stamp::NONE, 1, MINE, lease), at(100), true)));
    register
}

#[test]
fn a_state_is_put_only_in_the_place_of_the_expected_one() {
    for (expects, done) in [
        (stamp(1, MINE), true),
        (stamp(1, THEIRS), false),
        (stamp(2, MINE), false),
        (Stamp { serial: 4, ..stamp(1, MINE) }, false),
        (Stamp::NONE, false),
    ] {
        let mut register = held(0);
        let swapped = register.swap(&swap(expects, 2, THEIRS, 0), at(101), false);
        assert_eq!(is_done(&swapped), done, "{expects}");
        assert_eq!(register.stamp, if done { stamp(2, THEIRS) } else { stamp(1, MINE) });
    }
}

#[test]
fn a_running_lease_keeps_out_others_and_not_its_holder() {
    for (holder, now, done) in
        [(THEIRS, 114, false), (THEIRS, 115, true), (MINE, 101, true), (MINE, 115, true)]
    {
        let mut register = held(15);
        let swapped = register.swap(&swap(stamp(1, MINE), 2, holder, 0), at(now), false);
        assert_eq!(is_done(&swapped), done, "{holder} at {now}");
        if let Swapped::Other(found) = swapped {
            assert_eq!(found.held(), Some(Held::new(seconds(1), false)));
            assert_eq!((found.stamp(), found.age()), (stamp(1, MINE), seconds(14)));
            assert_eq!(found.saved().unwrap().stamp(), stamp(1, MINE));
        }
    }
}

#[test]
fn a_lease_never_runs_for_longer_than_its_length_even_if_the_clock_is_set_back() {
    let register = held(15);
    let found = register.found(THEIRS, at(40));
    assert_eq!(found.held().unwrap().left(), seconds(15));
    assert_eq!(found.age(), Duration::ZERO);
}

#[test]
fn a_swap_that_is_late_is_not_done() {
    for (now, done) in [(102, true), (103, false)] {
        let mut register = held(0);
        let swap = swap(stamp(1, MINE), 2, THEIRS, 0).made_at(at(100));
        assert_eq!(is_done(&register.swap(&swap, at(now), false)), done, "{now}");
    }
}

#[test]
fn a_state_is_as_old_as_its_swap_and_not_as_its_arrival() {
    let mut register = Register::default();
    let early = swap(Stamp::NONE, 1, MINE, 0).made_at(at(99));
    register.swap(&early, at(101), false);
    assert_eq!(register.found(THEIRS, at(105)).age(), seconds(6));
    let ahead = swap(stamp(1, MINE), 2, MINE, 0).made_at(at(120));
    register.swap(&ahead, at(106), false);
    assert_eq!(register.found(THEIRS, at(107)).age(), seconds(1), "never made in the future");
}

#[test]
fn a_swap_that_is_repeated_has_the_same_answer_and_changes_nothing() {
    let mut register = held(0);
    let again = swap(stamp(1, MINE), 2, THEIRS, 15);
    let first = register.swap(&again, at(101), true);
    assert!(matches!(first, Swapped::Done { moved: true, .. }), "{first:?}");
    let second = register.swap(&again, at(110), false);
    assert!(matches!(second, Swapped::Done { moved: true, .. }), "{second:?}");
    assert_eq!(second.at(), at(110));
    assert_eq!(register.lease.unwrap().until, at(116), "its lease is that of the first time");
    assert!(register.found(MINE, at(111)).is_moved());
}

#[test]
fn an_empty_entry_has_not_moved_and_a_look_changes_nothing() {
    let mut register = Register::default();
    let done = register.swap(&swap(Stamp::NONE, 1, MINE, 0), at(100), true);
    assert!(matches!(done, Swapped::Done { moved: false, .. }), "{done:?}");
    let look = Swap::look("https://service.example", "agent-1", seconds(2));
    assert!(!is_done(&register.swap(&look, at(101), false)));
    assert_eq!(register.stamp, stamp(1, MINE));
}

#[test]
fn neither_swaps_nor_their_answers_nor_entries_show_a_token() {
    let world = asking(granted_ago(800));
    let (_, swap) = world.swap.as_ref().unwrap();
    let put = swap.put().unwrap();
    let register = Register { state: Some(put.clone()), stamp: put.stamp(), ..Register::default() };
    let answer = Swapped::Other(register.found(THEIRS, at(1)));
    for text in [
        format!("{swap:?}"),
        format!("{answer:?}"),
        format!("{register:?}"),
        format!("{:?}", world.session),
        register.stamp.to_string(),
    ] {
        assert!(!text.contains("access-1") && !text.contains("refresh-1"), "{text}");
    }
    assert!(String::from_utf8_lossy(&put.to_json()).contains("refresh-1"));
}
