//! Clocks that jump, stand still and contradict each other, in every state of the transitions.

use std::collections::BTreeMap;
use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::time::Wall;
use imts_core::transport_error::NotSent;
use imts_core::{Now, TransportError};

use crate::support::{START, World, seconds};
use crate::transitions::STATES;

/// What the two clocks do between two readings.
#[derive(Clone, Copy, Debug)]
enum Jump {
    /// By so many seconds, each.
    By { mono: u64, wall: i64 },
    /// The wall clock to so many microseconds since 1970.
    To(i64),
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const TEN_YEARS: i64 = 3_652 * DAY;
const YEAR_9999: i64 = 253_402_300_799_999_999;

const fn wall(by: i64) -> Jump {
    Jump::By { mono: 0, wall: by }
}

const JUMPS: [Jump; 19] = [
    wall(1),
    wall(-1),
    wall(HOUR),
    wall(-HOUR),
    wall(DAY),
    wall(-DAY),
    wall(TEN_YEARS),
    wall(-TEN_YEARS),
    Jump::To(0),
    Jump::To(YEAR_9999),
    Jump::To(i64::MAX),
    Jump::To(i64::MIN),
    Jump::By { mono: 1, wall: -1 },
    Jump::By { mono: 3_600, wall: 0 },
    Jump::By { mono: 3_600, wall: -3_600 },
    Jump::By { mono: 3_600, wall: -TEN_YEARS },
    Jump::By { mono: 86_400, wall: HOUR },
    Jump::By { mono: 31_536_000, wall: -1 },
    Jump::By { mono: 60, wall: 86_400 * 40 },
];

fn after(now: Now, jump: Jump) -> Now {
    match jump {
        Jump::By { mono, wall } => Now {
            mono: now.mono.after(seconds(mono)),
            wall: Wall::from_unix_micros(
                now.wall.unix_micros().saturating_add(wall.saturating_mul(1_000_000)),
            ),
        },
        Jump::To(micros) => Now { wall: Wall::from_unix_micros(micros), ..now },
    }
}

/// A session, a service that grants whatever is asked, and the account of what came of it.
struct Watched {
    world: World,
    /// When each token was asked for.
    asked: BTreeMap<String, Now>,
    grants: usize,
    requests: usize,
    served: usize,
}

impl Watched {
    fn new(world: World) -> Self {
        let asked = BTreeMap::from([("access-1".to_owned(), START)]);
        Self { world, asked, grants: 0, requests: 0, served: 0 }
    }

    /// One driver's turn: until there is nothing more to do at this moment.
    fn turn(&mut self, what: &str) {
        for round in 0.. {
            assert!(round < 6, "{what}: no end of work at one moment");
            match self.world.ask() {
                'R' => return self.check(what),
                'K' => self.world.saved(),
                'S' | 'F' => {
                    self.requests += 1;
                    let grant = self.world.next_grant(true);
                    let body: serde_json::Value = serde_json::from_slice(grant.body()).unwrap();
                    let token = body["payload"]["access_token"].as_str().unwrap().to_owned();
                    self.asked.insert(token, self.world.now);
                    self.grants += usize::from(self.world.reply(&grant).is_ok());
                }
                _ => return,
            }
        }
    }

    fn check(&mut self, what: &str) {
        self.served += 1;
        let (bearer, now) = (self.world.bearer.clone().unwrap(), self.world.now);
        assert!(!bearer.remaining(now).is_zero(), "{what}: an expired bearer");
        if let Some(asked) = self.asked.get(bearer.expose_token()) {
            let ages = [now.mono.since(asked.mono), now.wall.since(asked.wall)];
            assert!(ages.iter().all(|age| *age < seconds(900)), "{what}: {ages:?} old");
        }
    }

    /// Half an hour, second by second.
    fn live_on(&mut self, what: &str) {
        for _ in 0..1_800 {
            self.turn(what);
            self.world.pass(seconds(1));
        }
    }
}

#[test]
fn no_jump_in_any_state_serves_a_dead_token_or_costs_more_than_one_renewal() {
    for (state, build) in STATES {
        let mut calm = Watched::new(build());
        calm.live_on(state);
        for jump in JUMPS {
            let what = format!("{state}, {jump:?}");
            let mut watched = Watched::new(build());
            watched.world.now = after(watched.world.now, jump);
            watched.live_on(&what);
            let more = watched.requests.saturating_sub(calm.requests);
            let most = if jumps_to_an_end(jump) { 60 } else { 1 };
            assert!(
                more <= most,
                "{what}: {} requests, {} in calm",
                watched.requests,
                calm.requests
            );
            let helpless = matches!(state, "none" | "refused") || state.ends_with("used up");
            assert!(helpless || jumps_to_an_end(jump) || watched.served > 1_700, "{what}: starved");
        }
    }
}

/// At the last moment that the clock can show, every token is dead on arrival.
fn jumps_to_an_end(jump: Jump) -> bool {
    matches!(jump, Jump::To(i64::MAX))
}

#[test]
fn a_jump_while_a_reply_is_under_way_serves_no_dead_token_and_costs_one_renewal() {
    for (state, build) in STATES.into_iter().filter(|(_, build)| build().ticket.is_some()) {
        for jump in JUMPS {
            let what = format!("{state}, {jump:?} in flight");
            let mut watched = Watched::new(build());
            watched.world.now = after(watched.world.now, jump);
            let grant = watched.world.next_grant(true);
            let _dead_or_stale_or_taken = watched.world.reply(&grant);
            for _ in 0..600 {
                watched.turn(&what);
                watched.world.pass(seconds(1));
            }
            assert!(watched.requests <= if jumps_to_an_end(jump) { 20 } else { 1 }, "{what}");
        }
    }
}

#[test]
fn a_jump_while_a_save_is_under_way_serves_no_dead_token_and_costs_one_renewal() {
    for (state, build) in STATES.into_iter().filter(|(_, build)| build().save.is_some()) {
        let play = |jump: Option<Jump>| {
            let mut watched = Watched::new(build());
            if let Some(jump) = jump {
                watched.world.now = after(watched.world.now, jump);
            }
            watched.world.saved();
            watched.live_on(&format!("{state}, {jump:?} while it is saved"));
            (watched.requests, watched.served)
        };
        let (calm, _) = play(None);
        for jump in JUMPS.into_iter().filter(|jump| !jumps_to_an_end(*jump)) {
            let (requests, served) = play(Some(jump));
            assert!(requests <= calm + 1, "{state}, {jump:?}: {requests}, {calm} in calm");
            assert!(served > 1_700, "{state}, {jump:?}: starved");
        }
    }
}

#[test]
fn two_jumps_one_after_the_other_cost_two_renewals_at_most() {
    let jumps = || JUMPS.into_iter().filter(|jump| !jumps_to_an_end(*jump));
    for (state, build) in STATES {
        for (first, second) in jumps().flat_map(|first| jumps().map(move |second| (first, second)))
        {
            let what = format!("{state}, {first:?}, {second:?}");
            let mut watched = Watched::new(build());
            watched.world.now = after(watched.world.now, first);
            watched.turn(&what);
            watched.world.now = after(watched.world.now, second);
            for _ in 0..60 {
                watched.turn(&what);
                watched.world.pass(seconds(1));
            }
            assert!(watched.requests <= 3, "{what}: {} requests", watched.requests);
        }
    }
}

#[test]
fn in_an_outage_no_jump_of_the_wall_clock_brings_a_request_more() {
    let requests = |build: fn() -> World, by: i64| {
        let mut world = build();
        let mut sent = 0;
        for second in 0..900 {
            let jump = wall(if second % 2 == 0 { by } else { -by });
            world.now = after(world.now, jump);
            match world.ask() {
                'K' => world.saved(),
                'S' | 'F' => {
                    sent += 1;
                    world.fails(TransportError::not_sent(NotSent::vouch()));
                }
                _ => {}
            }
            world.pass(seconds(1));
        }
        sent
    };
    let (_, expired) = STATES.into_iter().find(|(state, _)| *state == "expired").unwrap();
    for (state, build) in STATES {
        // A jump may end a token that is good, after which the service is asked as if it had ended.
        let most = requests(expired, 0).max(requests(build, 0)) + 1;
        assert!(most < 25, "{state}: {most} in calm");
        for by in [1, HOUR, DAY, TEN_YEARS] {
            let sent = requests(build, by);
            assert!(sent <= most, "{state}, swinging by {by} s: {sent} requests, {most} in calm");
        }
    }
}

#[test]
fn a_wall_clock_that_swings_between_two_times_costs_two_renewals_a_lifetime() {
    for by in [1, HOUR, DAY, TEN_YEARS] {
        for (state, build) in STATES {
            let what = format!("{state}, swinging by {by} s");
            let mut watched = Watched::new(build());
            for second in 0..700 {
                let jump = wall(if second % 2 == 0 { by } else { -by });
                watched.world.now = after(watched.world.now, jump);
                watched.turn(&what);
                watched.world.pass(seconds(1));
            }
            assert!(watched.requests <= 2, "{what}: {} requests", watched.requests);
        }
    }
}

#[test]
fn a_machine_that_sleeps_again_and_again_renews_once_a_sleep_and_only_where_it_must() {
    for (sleep, expected) in [(1, 1), (60, 1), (800, 20), (7_200, 20)] {
        let mut watched = Watched::new(World::signed_in(imts_core::Keep::Always));
        for _ in 0..20 {
            watched.world.now = after(watched.world.now, wall(sleep));
            watched.turn("asleep");
            watched.turn("awake");
        }
        let requests = watched.requests;
        assert!(requests <= expected, "{requests} renewals in 20 sleeps of {sleep} s");
    }
}

#[test]
fn a_monotonic_clock_that_runs_backwards_revives_nothing() {
    for (state, build) in STATES {
        let mut watched = Watched::new(build());
        watched.world.pass(seconds(1_000));
        let before = watched.world.now;
        let phase = watched.world.session.phase(before).to_string();
        watched.turn(state);
        watched.world.now = Now { mono: START.mono, wall: before.wall };
        watched.turn(state);
        assert_ne!(phase, "valid", "{state}");
        let served_dead =
            watched.world.bearer.as_ref().is_some_and(|bearer| {
                watched.served > 0 && bearer.remaining(before) == Duration::ZERO
            });
        assert!(!served_dead, "{state}");
    }
}

#[test]
fn the_two_clocks_together_at_their_ends_are_survived() {
    for (state, build) in STATES {
        for micros in [i64::MIN, -1, 0, YEAR_9999, i64::MAX] {
            let mut watched = Watched::new(build());
            for mono in [0, u64::MAX - 1_000_000, u64::MAX] {
                let mono = imts_core::time::Mono::from_micros(mono);
                watched.world.now = Now { mono, wall: Wall::from_unix_micros(micros) };
                let sign = watched.world.ask();
                assert!("RSFKBWC".contains(sign), "{state}");
                if sign == 'R' {
                    watched.check(state);
                }
                if matches!(sign, 'S' | 'F') {
                    let grant = watched.world.next_grant(sign == 'S');
                    let _whatever_comes_of_it = watched.world.reply(&grant);
                }
            }
        }
    }
}

#[test]
fn a_wrong_clock_loses_no_refresh_token_for_good() {
    let mut world = World::signed_in(imts_core::Keep::Once);
    let right = world.now.advanced_by(seconds(1_000));
    world.now = after(right, wall(TEN_YEARS));
    assert_eq!(world.ask(), 'C', "dead by the clock that is wrong");
    world.now = right;
    world.sends(Purpose::Refresh);
}
