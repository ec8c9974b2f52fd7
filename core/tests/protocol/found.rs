//! What a session makes of the state that it finds in a shared store.

use std::time::Duration;

use imts_core::Step;
use imts_core::exchange::Purpose;
use imts_core::policy::Alone;
use imts_core::swap::{Found, Held, Stamp};
use imts_core::time::Wall;
use serde_json::json;

use crate::sharing::{
    SIBLING, as_sibling, asking, claim_of_sibling, grant_of_sibling, granted, granted_ago, leased,
    of_sibling, saved, sharing,
};
use crate::support::{AGENT, World, policy, seconds, session_with};

#[test]
fn a_siblings_grant_is_taken_over_and_no_request_is_made() {
    let mut world = asking(granted_ago(1_000));
    let old = world.bearer.clone().unwrap();
    world.finds(grant_of_sibling);
    let bearer = world.ready();
    assert_eq!(bearer.expose_token(), "sibling-a");
    assert!(bearer.epoch() > old.epoch());
    assert_eq!(world.requests.len(), 1, "the sign-in alone");
    world.pass(seconds(800));
    world.asks_for('H');
    world.swapped(false);
    world.sends(Purpose::Refresh);
    assert_eq!(world.body()["refresh_token"], "sibling-r");
}

#[test]
fn a_token_that_stays_the_same_keeps_its_epoch() {
    let mut world = asking(granted_ago(790));
    let before = world.bearer.clone().unwrap().epoch();
    world.finds(|world| {
        Found::state(as_sibling(world, "in_doubt", true), Duration::ZERO, world.store_time())
            .with_held(Held::new(seconds(15), false))
    });
    assert_eq!(world.ready().epoch(), before);
    assert_eq!(world.session.health(world.now).failures, 1, "its count is taken over");
}

#[test]
fn another_stamp_of_the_same_generation_is_another_state() {
    let mut world = asking(granted_ago(1_000));
    let mut form = of_sibling(&world, 900, "unspent");
    form["generation"] = (world.puts()["generation"].as_u64().unwrap() - 1).into();
    world.finds(|world| Found::state(saved(&form), Duration::ZERO, world.store_time()));
    assert_eq!(world.ready().expose_token(), "sibling-a");
}

#[test]
fn an_older_state_means_that_the_store_has_forgotten() {
    for there in ["nothing", "an older state", "a damaged state"] {
        let mut world = asking(granted_ago(790));
        world.swapped(false);
        world.sends(Purpose::Refresh);
        world.granted();
        world.asks_for('G');
        world.swapped(false);
        world.ready();
        world.pass(seconds(790));
        world.asks_for('H');
        let mut form = of_sibling(&world, 10, "unspent");
        form["generation"] = 1.into();
        world.finds(|world| match there {
            "nothing" => Found::nothing(world.store_time()),
            "an older state" => Found::state(saved(&form), seconds(1), world.store_time()),
            _ => Found::damaged(
                Stamp { generation: 90, holder: SIBLING, serial: 1 },
                world.store_time(),
            ),
        });
        let swap = world.asks_for('H');
        let generation = swap.put().unwrap().generation();
        let expects = swap.expects();
        assert!(generation > 4, "{there}: higher than any before");
        assert_eq!(expects.is_none(), there == "nothing", "{there}");
        world.swapped(false);
        world.sends(Purpose::SignIn);
    }
}

#[test]
fn of_an_older_state_a_token_that_lives_longer_is_taken_but_is_not_refreshed() {
    let mut world = asking(granted_ago(1_000));
    let mut form = of_sibling(&world, 900, "unspent");
    form["generation"] = 1.into();
    form["serial"] = 99.into();
    world.finds(|world| Found::state(saved(&form), seconds(1), world.store_time()));
    assert_eq!(world.ready().expose_token(), "sibling-a");
    world.pass(seconds(890));
    world.asks_for('H');
    world.swapped(false);
    world.sends(Purpose::SignIn);
}

#[test]
fn a_held_state_is_looked_at_again_after_growing_pauses_but_never_after_its_lease() {
    let mut world = asking(granted_ago(1_000));
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let left = seconds(15);
        world.finds(|world| {
            Found::state(as_sibling(world, "in_doubt", false), Duration::ZERO, world.store_time())
                .with_held(Held::new(left, false))
        });
        let Step::Rest { until } = world.session.poll(world.now) else { panic!("no rest") };
        pauses.push(until.since(world.now.mono).as_millis());
        world.pass(until.since(world.now.mono));
        world.asks_for('H');
    }
    assert_eq!(pauses, [25, 50, 100, 200, 400, 500, 500]);
    world.finds(|world| {
        Found::state(as_sibling(world, "in_doubt", false), Duration::ZERO, world.store_time())
            .with_held(Held::new(Duration::from_millis(300), false))
    });
    let Step::Rest { until } = world.session.poll(world.now) else { panic!("no rest") };
    assert_eq!(until.since(world.now.mono).as_millis(), 300);
}

#[test]
fn while_a_token_is_usable_a_held_state_is_looked_at_once_a_second() {
    let mut world = asking(granted_ago(800));
    world.finds(|world| claim_of_sibling(world, seconds(15)));
    for _ in 0..3 {
        world.pass(seconds(1) - Duration::from_micros(1));
        world.ready();
        world.pass(Duration::from_micros(1));
        world.asks_for('H');
        world.finds(|world| claim_of_sibling(world, seconds(15)));
    }
}

#[test]
fn a_found_token_ages_by_the_stores_clock_whatever_the_wall_clocks_show() {
    for skew in [-1_000, 0, 1_000] {
        let mut world = asking(sharing(policy()));
        world.pass(seconds(1));
        let mut form = of_sibling(&world, 900, "unspent");
        for path in ["/saved_at_us", "/access/ends_at_us", "/refresh/ends_at_us"] {
            let value = form.pointer_mut(path).unwrap();
            *value = (value.as_i64().unwrap() + skew * 1_000_000).into();
        }
        world.finds(|world| Found::state(saved(&form), seconds(100), world.store_time()));
        let remaining = world.ready().remaining(world.now);
        // The swap itself took a second, of which nobody knows when the state was read.
        assert_eq!(remaining, seconds(799), "{skew}");
    }
}

#[test]
fn what_is_put_says_what_is_left_by_the_clock_that_leaves_less() {
    let mut world = granted_ago(800);
    world.now.wall = Wall::from_unix_micros(world.now.wall.unix_micros() - 500_000_000);
    world.asks_for('H');
    let put = world.puts();
    let left = |name: &str| {
        put[name]["ends_at_us"].as_i64().unwrap() - put["saved_at_us"].as_i64().unwrap()
    };
    assert_eq!(left("access"), 100_000_000);
    assert_eq!(left("refresh"), (30 * 86_400 - 800) * 1_000_000);
}

#[test]
fn the_store_is_told_when_a_state_was_made_as_soon_as_its_clock_is_known() {
    let mut world = sharing(policy());
    assert!(world.asks_for('H').at().is_none());
    world.pass(Duration::from_millis(10));
    let known = world.store_time();
    world.swapped(false);
    world.sends(Purpose::SignIn);
    world.pass(seconds(3));
    world.granted();
    let swap = world.asks_for('G');
    assert_eq!(swap.at(), Some(known.after(seconds(3))));
    assert!(!swap.is_late(known.after(seconds(5))));
    assert!(swap.is_late(known.after(seconds(5) + Duration::from_micros(1))));
}

#[test]
fn a_swap_that_came_late_is_asked_again_and_a_store_that_does_not_swap_counts_as_out() {
    let mut world = asking(granted_ago(800));
    let known = |world: &World| {
        let mut form = world.puts();
        form["generation"] = (form["generation"].as_u64().unwrap() - 1).into();
        form["serial"] = (form["serial"].as_u64().unwrap() - 1).into();
        saved(&form)
    };
    let later = world.store_time().after(seconds(60));
    world.finds(|world| Found::state(known(world), seconds(800), later));
    assert_eq!(world.asks_for('H').at(), Some(later), "its clock is known anew");
    let in_time = later.after(Duration::from_millis(1));
    let mut form = world.puts();
    form["generation"] = (form["generation"].as_u64().unwrap() - 1).into();
    form["serial"] = (form["serial"].as_u64().unwrap() - 2).into();
    world.finds(|_| Found::state(saved(&form), seconds(800), in_time));
    world.pass(seconds(200));
    assert_eq!(world.ask(), 'S', "signing in alone");
}

#[test]
fn a_session_without_credentials_lives_on_what_siblings_put() {
    let session = session_with(policy()).with_shared_store(7).with_agent(AGENT);
    let mut world = World::of(session);
    assert!(world.asks_for('O').put().is_none());
    world.finds(|world| Found::nothing(world.store_time()));
    assert_eq!(world.ask(), 'C');
    world.pass(Duration::from_millis(999));
    assert_eq!(world.ask(), 'C', "it has just looked");
    world.pass(Duration::from_millis(1));
    world.asks_for('O');
    world.finds(grant_of_sibling);
    assert_eq!(world.ready().expose_token(), "sibling-a");
    world.pass(seconds(890));
    world.asks_for('H');
    world.swapped(false);
    world.sends(Purpose::Refresh);
}

#[test]
fn a_session_without_credentials_waits_for_the_sibling_that_renews() {
    let session = session_with(policy()).with_shared_store(7).with_agent(AGENT);
    let mut world = World::of(session);
    world.asks_for('O');
    let mut form = of_sibling(&world, 0, "in_doubt");
    (form["access"], form["refresh"]) = (json!(null), json!(null));
    world.finds(|world| {
        Found::state(saved(&form), Duration::ZERO, world.store_time())
            .with_held(Held::new(seconds(15), false))
    });
    assert_eq!(world.ask(), 'L');
    world.pass(Duration::from_millis(25));
    world.asks_for('O');
}

#[test]
fn a_foreign_state_is_neither_taken_over_nor_replaced() {
    for (field, value) in [
        ("endpoint", json!("https://other.example")),
        ("agent_id", json!("agent-2")),
        ("service", json!("freedom-id")),
        ("subject", json!("person-1")),
    ] {
        let mut world = granted(sharing(policy().with_alone(Alone::Wait)));
        world.pass(seconds(1_000));
        world.asks_for('H');
        let mut form = of_sibling(&world, 900, "unspent");
        form[field] = value;
        world.finds(|world| Found::state(saved(&form), Duration::ZERO, world.store_time()));
        let (wait, why) = world.waits();
        assert!(why.to_string().contains("another endpoint or agent"), "{field}: {why}");
        let known = world.session.saved(world.now).unwrap().stamp();
        world.pass(wait);
        assert_eq!(world.asks_for('H').expects(), known, "{field}: not what was found");
    }
}

#[test]
fn a_hand_over_that_finds_a_free_store_is_made_again_on_top_of_it() {
    let mut world = leased(800);
    world.granted();
    world.asks_for('G');
    world.finds(|world| claim_of_sibling(world, Duration::ZERO));
    let swap = world.asks_for('G');
    assert_eq!(swap.expects().holder, SIBLING);
    assert_eq!(world.puts()["refresh"]["token"], "refresh-2");
    world.swapped(false);
    world.pass(seconds(800));
    world.asks_for('H');
    world.swapped(false);
    world.sends(Purpose::Refresh);
}

#[test]
fn what_is_restored_brings_an_access_token_and_the_store_alone_the_refresh_token() {
    let mut before = granted_ago(100);
    before.ready();
    let kept = before.session.saved(before.now).unwrap();
    for shows in [true, false] {
        let mut world = sharing(policy());
        world.now = before.now;
        world.session.adopt(kept.clone(), world.now).unwrap();
        assert_eq!(world.ready().expose_token(), "access-1");
        world.pass(seconds(890 - 100));
        world.asks_for('O');
        let found = kept.clone();
        world.finds(|world| match shows {
            true => Found::state(found, seconds(790), world.store_time()),
            false => Found::nothing(world.store_time()),
        });
        world.asks_for('H');
        world.swapped(false);
        world.sends(if shows { Purpose::Refresh } else { Purpose::SignIn });
    }
}

#[test]
fn signing_out_everywhere_empties_the_entry_until_it_is_done() {
    let mut world = granted_ago(10);
    world.session.sign_out_everywhere();
    let swap = world.asks_for('Z');
    assert!(swap.put().unwrap().is_empty() && swap.lease().is_zero());
    world.finds(grant_of_sibling);
    assert_eq!(world.asks_for('Z').expects().holder, SIBLING);
    world.store_fails();
    assert_eq!(world.ask(), 'W');
    world.pass(seconds(1));
    world.asks_for('Z');
    world.swapped(false);
    assert_eq!(world.ask(), 'C');
    assert_eq!(world.session.agent_id(), None);
    assert!(world.session.saved(world.now).is_none());
    let mut sibling = asking(granted_ago(1_000));
    let mut form = of_sibling(&sibling, 0, "unspent");
    (form["access"], form["refresh"]) = (json!(null), json!(null));
    sibling.finds(|world| Found::state(saved(&form), seconds(1), world.store_time()));
    sibling.asks_for('H');
    sibling.swapped(false);
    sibling.sends(Purpose::SignIn);
}

#[test]
fn signing_out_leaves_the_store_alone() {
    let mut world = asking(granted_ago(800));
    world.session.sign_out();
    assert_eq!(world.ask(), 'C');
    world.swapped(false);
    assert_eq!(world.ask(), 'C', "an answer that comes late does nothing");
}

#[test]
fn a_late_or_repeated_answer_changes_nothing() {
    let mut world = asking(granted_ago(1_000));
    let ticket = world.swap.as_ref().unwrap().0;
    world.pass(seconds(2));
    world.sends(Purpose::SignIn);
    let done = imts_core::Swapped::Done { moved: false, at: world.store_time() };
    world.session.on_swap(ticket, Ok(done), world.now);
    assert_eq!(world.ask(), 'B', "the sign-in alone is under way");
    world.granted();
    assert_eq!(world.ask(), 'R', "and is not handed over");
}
