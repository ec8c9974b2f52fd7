//! Hosts whose clocks show other times: nobody serves a token that has ended, or renews in turns.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use imts::Now;
use imts::clock::{Clock, SystemClock};
use imts::time::{Mono, Wall};
use imts_sandbox::{ECHO_PATH, Rotation, Time};

use super::World;

/// The machine's clocks, as a host shows them that is so many seconds ahead.
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Now {
        let Now { mono, wall } = SystemClock.now();
        let boot = u64::try_from(self.0 + 1_000).unwrap() * 7_000_000;
        Now {
            mono: Mono::from_micros(mono.as_micros() + boot),
            wall: Wall::from_unix_micros(wall.unix_micros() + self.0 * 1_000_000),
        }
    }
}

#[test]
fn wall_clocks_five_minutes_apart_cost_no_renewal_and_no_token_is_served_after_its_end() {
    let mut world = World::default();
    world.policy.lease = Duration::from_secs(5);
    world.sandbox().settings_mut().access_lifetime = Duration::from_secs(3);
    world.sandbox().settings_mut().rotation = Rotation::ReuseRevokesFamily;
    let clients: Vec<_> = [-300, -100, -1, 0, 1, 100, 300]
        .map(|ahead| {
            let builder = world.builder().store(Arc::clone(&world.store)).clock(Ahead(ahead));
            world.client_over(builder)
        })
        .into();
    for client in &clients {
        client.token().unwrap();
    }
    assert_eq!(world.sign_ins(), 1, "of {} hosts", clients.len());
    let until = Instant::now() + Duration::from_secs(7);
    thread::scope(|scope| {
        for client in &clients {
            let world = &world;
            scope.spawn(move || {
                while Instant::now() < until {
                    // The token was valid at some time after this.
                    let before = Time::from(SystemTime::now());
                    let bearer = client.token().unwrap();
                    let request = Request::post(ECHO_PATH)
                        .header(CONTENT_TYPE, "application/json")
                        .header(AUTHORIZATION, bearer.header().clone())
                        .body(b"{}".to_vec())
                        .unwrap();
                    let status = world.sandbox().handle(before, &request).status();
                    assert_eq!(status, 200, "{:?}", world.sandbox().log().last());
                    thread::sleep(Duration::from_millis(10));
                }
            });
        }
    });
    let renewals = world.refreshes();
    println!("{renewals} refreshes in 7 s, {} sign-ins", world.sign_ins());
    assert_eq!((world.sign_ins(), world.sandbox().counters().refresh_reuse), (1, 0));
    // A token is renewed after a second at the soonest, and seven hosts in turns would do so at once.
    assert!((2..=7).contains(&renewals), "{renewals}");
}
