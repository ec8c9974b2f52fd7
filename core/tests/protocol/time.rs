//! Two clocks: whichever says that a token is dead, is believed.

use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::time::{Mono, Wall};
use imts_core::{Keep, Now};
use proptest::prelude::*;

use crate::support::{START, World, answer, grant_of, seconds};

#[test]
fn either_clock_ends_a_token() {
    let world = World::signed_in(Keep::Always);
    let at = |mono: u64, wall: u64| {
        let now =
            Now { mono: START.mono.after(seconds(mono)), wall: START.wall.after(seconds(wall)) };
        world.session.phase(now).to_string()
    };
    assert_eq!(at(779, 779), "valid");
    assert_eq!(at(780, 0), "expiring");
    assert_eq!(at(0, 780), "expiring");
    assert_eq!(at(899, 899), "expiring");
    assert_eq!(at(900, 0), "expired");
    assert_eq!(at(0, 900), "expired");
}

#[test]
fn a_monotonic_reading_is_the_time_since_its_origin() {
    let elapsed = Duration::new(7, 8_000);
    assert_eq!(Mono::from(elapsed), Mono::from_micros(7_000_008));
    assert_eq!(Duration::from(Mono::from_micros(7_000_008)), elapsed);
}

#[test]
fn a_suspended_machine_does_not_serve_a_dead_token() {
    let mut world = World::signed_in(Keep::Always);
    world.now.wall = world.now.wall.after(seconds(8 * 3_600));
    world.sends(Purpose::Refresh);
}

#[test]
fn a_wall_clock_that_is_set_back_does_not_keep_a_token_alive() {
    let mut world = World::signed_in(Keep::Always);
    world.now = Now { mono: world.now.mono.after(seconds(900)), wall: Wall::from_unix_micros(0) };
    world.sends(Purpose::Refresh);
}

#[test]
fn a_jump_forward_costs_one_renewal() {
    let mut world = World::signed_in(Keep::Always);
    world.now.wall = world.now.wall.after(seconds(10 * 365 * 86_400));
    // The refresh token is dead by the same clock, and no one can tell better.
    world.sends(Purpose::SignIn);
    world.granted();
    for _ in 0..770 {
        world.pass(seconds(1));
        world.ready();
    }
    assert_eq!(world.requests.len(), 2);
}

#[test]
fn a_wrong_local_clock_does_not_matter() {
    for wall in [0, 4_102_444_800_000_000, -86_400_000_000, i64::MIN] {
        let mut world = World::empty();
        world.now.wall = Wall::from_unix_micros(wall);
        world.session.sign_in(crate::support::credentials("a"), Keep::Always, world.now);
        world.sends(Purpose::SignIn);
        world.granted();
        let usable = world.session.phase(world.now).usable().unwrap();
        assert_eq!(usable.lifetime(), seconds(900), "{wall}");
    }
}

#[test]
fn a_lifetime_counts_from_when_the_request_was_sent() {
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.pass(seconds(20));
    world.reply(&answer(200, &grant_of("a", Some("r"), 900))).unwrap();
    let usable = world.session.phase(world.now).usable().unwrap();
    assert_eq!((usable.lifetime(), usable.remaining()), (seconds(900), seconds(880)));
}

#[test]
fn monotonic_time_never_runs_backwards_for_a_session() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(900));
    assert_eq!(world.phase(), "expired");
    world.sends(Purpose::Refresh);
    let back = Now { mono: Mono::default(), wall: START.wall };
    assert_eq!(world.session.phase(back).to_string(), "expired");
}

#[test]
fn the_margin_scales_with_the_lifetime() {
    for (lives, valid_for) in
        [(900_000, 780_000), (240_000, 120_000), (60_000, 30_000), (2_000, 1_000), (1_000, 500)]
    {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&answer(200, &grant_of("a", Some("r"), lives / 1_000))).unwrap();
        world.pass(Duration::from_millis(valid_for) - Duration::from_micros(1));
        assert_eq!(world.phase(), "valid", "{lives}");
        world.pass(Duration::from_micros(1));
        assert_eq!(world.phase(), "expiring", "{lives}");
    }
}

proptest! {
    #[test]
    fn arithmetic_saturates_and_never_panics(mono: u64, wall: i64, by: u64, nanos in 0..1_000_000_000_u32) {
        let (start, by) = (Now { mono: Mono::from_micros(mono), wall: Wall::from_unix_micros(wall) }, Duration::new(by, nanos));
        let later = start.advanced_by(by);
        prop_assert!(later.mono >= start.mono && later.wall >= start.wall);
        prop_assert!(later.mono.since(start.mono) <= by);
        prop_assert_eq!(start.mono.since(later.mono), if later.mono == start.mono { later.mono.since(start.mono) } else { Duration::ZERO });
        let _ = (start.wall.to_datetime(), later.wall.to_datetime());
    }

    #[test]
    fn no_reading_of_the_clocks_panics_or_serves_a_dead_token(readings in prop::collection::vec((any::<u64>(), any::<i64>()), 1..20)) {
        let mut world = World::with_credentials(Keep::Always);
        for (mono, wall) in readings {
            world.now = Now { mono: Mono::from_micros(mono), wall: Wall::from_unix_micros(wall) };
            match world.ask() {
                'R' => prop_assert!(!world.bearer.clone().unwrap().remaining(world.now).is_zero()),
                'S' | 'F' => drop({ let grant = world.next_grant(true); world.reply(&grant) }),
                _ => {}
            }
        }
    }
}

#[test]
fn readings_turn_into_durations_and_dates_and_back() {
    let elapsed = Duration::from_micros(1_234_567);
    assert_eq!(Duration::from(Mono::from(elapsed)), elapsed);
    let wall = Wall::from_unix_micros(1_753_269_451_577_745);
    assert_eq!(Wall::from(wall.to_datetime().unwrap()), wall);
}

#[test]
fn a_token_that_is_granted_again_ends_when_the_latest_grant_says() {
    for again in [60, 900] {
        let mut world = World::with_credentials(Keep::Always);
        world.sends(Purpose::SignIn);
        world.reply(&answer(200, &grant_of("same", Some("refresh-1"), 900))).unwrap();
        world.pass(seconds(800));
        world.sends(Purpose::Refresh);
        world.reply(&answer(200, &grant_of("same", Some("refresh-2"), again))).unwrap();
        for (after, is_usable) in [(again - 1, true), (1, false)] {
            world.pass(seconds(after));
            let usable = world.session.phase(world.now).usable();
            let token = usable.map(|usable| usable.bearer().expose_token());
            assert_eq!(token, is_usable.then_some("same"), "granted again for {again} s");
        }
    }
}

#[test]
fn the_life_of_a_token_counts_from_the_request_however_late_the_reply_is() {
    let month = 30 * 86_400;
    for late in [0, 10, 100] {
        let mut world = World::with_credentials(Keep::Once);
        world.sends(Purpose::SignIn);
        world.pass(seconds(late));
        world.granted();
        for (at, phase) in [
            (899, "expiring"),
            (900, "expired"),
            (month - 1, "expired"),
            (month, "unauthenticated"),
        ] {
            world.now = START.advanced_by(seconds(at));
            assert_eq!(world.phase(), phase, "{at} s after a request whose reply took {late} s");
        }
    }
}
