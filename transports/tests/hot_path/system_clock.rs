//! The machine's clocks: what the coarse ones may be behind, and that a token ends by them in time.

use std::thread;
use std::time::{Duration, Instant};

use http::Request;
use imts::clock::{Clock, SystemClock};
use imts::secret::Body;
use imts::transport::Bounds;
use imts::{Now, Policy};
use imts_sandbox::Time;

use crate::World;

#[test]
fn coarse_readings_are_never_ahead_and_the_tick_tells_them_apart() {
    let limit = Instant::now() + Duration::from_secs(60);
    // A reading that is known to be of this tick: the same before it and after it.
    let mut last: Option<(u64, Now)> = None;
    let (mut ticks, mut twice) = (0, 0);
    while ticks < 20 || twice < 1_000 {
        let (before, coarse, after) =
            (SystemClock.tick(), SystemClock.coarse(), SystemClock.tick());
        let now = SystemClock.now();
        assert!(coarse.mono <= now.mono, "{coarse:?} is ahead of {now:?}");
        if cfg!(not(target_os = "linux")) {
            return;
        }
        assert!(Instant::now() < limit, "the clock stands still: {ticks} ticks, {twice} repeats");
        let Some(tick) = before.filter(|_| before == after) else { continue };
        match last {
            Some((of, reading)) if of == tick => {
                assert_eq!(coarse.mono, reading.mono, "one tick, two readings");
                twice += 1;
            }
            _ => ticks += 1,
        }
        last = Some((tick, coarse));
    }
    assert!(!SystemClock.lag().is_zero());
}

/// By the machine's clocks, against a service that counts what comes too late.
#[test]
fn no_thread_is_served_a_token_past_its_end_by_the_machines_clocks() {
    let world = World::default();
    world.sandbox().settings_mut().access_lifetime = Duration::from_millis(2_200);
    let service = world.clone();
    let transport = move |request: Request<Body>, _: Bounds| {
        let request = request.map(|body| body.as_ref().to_vec());
        Ok(service.sandbox().handle(Time::from(std::time::SystemTime::now()), &request))
    };
    let mut policy = Policy::default();
    // Never early: each token is served to its end.
    policy.margin = Duration::ZERO;
    // Cut to whole seconds, some live little more than one: they too are followed at once.
    policy.renew_after = Duration::ZERO;
    let builder = world.builder().clock(SystemClock).policy(policy);
    let client = builder.blocking(transport).unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut handle = client.handle();
                let began = Instant::now();
                while world.calls() < 3 {
                    assert!(began.elapsed() < Duration::from_secs(60), "no renewals");
                    let before = SystemClock.now();
                    let shared = client.token().unwrap();
                    assert!(!shared.remaining(before).is_zero(), "dead before the ask");
                    let before = SystemClock.now();
                    let by_handle = handle.token().unwrap();
                    assert!(!by_handle.remaining(before).is_zero(), "dead before the ask");
                }
            });
        }
    });
}
