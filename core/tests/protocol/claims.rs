//! Claims: what a session that shares a store asks for before it sends, and what it gives to others.

use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::policy::Replay;
use imts_core::session::RenewalCause;
use imts_core::swap::{Found, Held};
use imts_core::{Keep, Saved, Step, TransportError};
use serde_json::json;

use crate::sharing::{
    HOLDER, as_sibling, asking, granted, granted_ago, leased, of_sibling, saved, sharing,
};
use crate::support::{AGENT, World, answer, credentials, policy, seconds, with_retry_after};

#[test]
fn a_claim_puts_the_refresh_token_as_in_doubt_in_the_place_of_what_is_known() {
    let mut world = granted_ago(800);
    let before = world.session.saved(world.now).unwrap().stamp();
    let swap = world.asks_for('H');
    assert_eq!((swap.expects(), swap.holder()), (before, HOLDER));
    assert_eq!((swap.lease(), swap.is_resting()), (seconds(15), false));
    assert_eq!((swap.endpoint(), swap.agent_id()), ("https://service.example", AGENT));
    let put = swap.put().unwrap();
    assert_eq!(put.stamp().generation, before.generation + 1);
    assert_eq!((put.stamp().holder, put.stamp().serial), (HOLDER, before.serial + 1));
    assert_eq!(world.puts()["refresh"]["use"], "in_doubt");
    assert_eq!(world.puts()["refresh"]["token"], "refresh-1");
    assert_eq!(world.session.saved(world.now).unwrap().stamp(), before, "it is not done yet");
}

#[test]
fn a_sign_in_needs_a_claim_too_and_one_swap_is_under_way_at_a_time() {
    let mut world = sharing(policy());
    assert!(world.asks_for('H').expects().is_none());
    assert_eq!(world.ask(), 'B');
    world.pass(seconds(2) - Duration::from_micros(1));
    assert_eq!(world.ask(), 'B');
    world.swapped(false);
    world.sends(Purpose::SignIn);
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn a_claim_is_awaited_for_half_of_what_is_left_of_the_token_at_most() {
    for (age, within) in [(800, seconds(2)), (897, Duration::from_millis(1_500)), (901, seconds(2))]
    {
        let mut world = granted_ago(age);
        assert_eq!(world.asks_for('H').within(), within, "{age}");
    }
}

#[test]
fn a_lease_runs_from_when_it_was_asked_for_and_bounds_each_exchange() {
    let mut world = asking(granted_ago(1_000));
    world.pass(Duration::from_millis(1_500));
    world.swapped(false);
    world.pass(seconds(1));
    let Step::Send(ticket, exchange) = world.session.poll(world.now) else { panic!("a refresh") };
    assert_eq!(exchange.time_limit(), Duration::from_millis(12_500));
    world.ticket = Some(ticket);
    world.pass(Duration::from_millis(12_500));
    assert!(!world.session.postpone(ticket, world.now), "the lease is over");
    assert_eq!(world.ask(), 'N', "its outcome is unknown");
    assert_eq!(world.puts()["refresh"]["use"], "in_doubt");
}

#[test]
fn an_exchange_that_nobody_drove_begins_again_within_the_lease_alone() {
    let mut world = sharing(policy().with_time_limit(seconds(4)));
    world.asks_for('H');
    world.swapped(false);
    world.sends(Purpose::SignIn);
    let ticket = world.ticket.unwrap();
    for (after, until) in [(4, 8), (8, 12), (12, 15)] {
        world.now = crate::support::START.advanced_by(seconds(after));
        assert!(world.session.postpone(ticket, world.now), "{after}");
        let Step::Busy { until: busy } = world.session.poll(world.now) else { panic!("{after}") };
        assert_eq!(busy.since(crate::support::START.mono), seconds(until));
    }
}

#[test]
fn with_less_than_a_quarter_of_the_lease_left_a_new_claim_comes_first() {
    for (passed, then) in [(11_249, 'S'), (11_250, 'H')] {
        let mut world = asking(sharing(policy()));
        world.swapped(false);
        world.pass(Duration::from_millis(passed));
        assert_eq!(world.ask(), then, "{passed} ms");
    }
}

#[test]
fn under_one_claim_a_refused_refresh_is_followed_by_a_sign_in() {
    let mut world = leased(1_000);
    world.refused();
    world.sends(Purpose::SignIn);
    world.granted();
    assert_eq!(world.asks_for('G').lease(), Duration::ZERO);
    assert_eq!(world.puts()["refresh"]["token"], "refresh-2");
    assert_eq!(world.puts()["refresh"]["use"], "unspent");
}

#[test]
fn a_refresh_token_is_sent_if_the_replaced_state_carries_it() {
    let mut world = asking(granted_ago(1_000));
    world.swapped(false);
    world.sends(Purpose::Refresh);
    assert_eq!(world.body()["refresh_token"], "refresh-1");
}

#[test]
fn a_refresh_token_is_in_doubt_if_the_store_has_moved() {
    let mut world = asking(granted_ago(1_000));
    world.swapped(true);
    world.sends(Purpose::SignIn);
}

#[test]
fn a_refresh_token_whose_hand_over_had_no_answer_is_in_doubt_unless_the_store_shows_it() {
    for (arrived, then) in [(true, 'F'), (false, 'S')] {
        let mut world = leased(800);
        world.granted();
        world.asks_for('G');
        let put = saved(&world.puts());
        world.store_fails();
        assert_eq!(world.ready().expose_token(), "access-2", "it is in use all the same");
        world.pass(seconds(1_000));
        // The store was out when the last swap was sent: a sign-in alone comes first.
        world.sends(Purpose::SignIn);
        world.fails(TransportError::unknown());
        world.pass(seconds(10));
        world.asks_for('H');
        if arrived {
            world.finds(|world| Found::state(put, seconds(1_010), world.store_time()));
            world.asks_for('H');
        }
        world.swapped(false);
        assert_eq!(world.ask(), then, "it arrived: {arrived}");
    }
}

#[test]
fn a_claim_whose_answer_was_lost_leaves_the_token_unspent_unless_the_store_had_moved() {
    for (moved, then) in [(false, 'F'), (true, 'S')] {
        let mut world = asking(granted_ago(790));
        let put = saved(&world.puts());
        world.store_fails();
        world.pass(seconds(3));
        world.asks_for('H');
        world.finds(|world| Found::state(put, seconds(3), world.store_time()).with_moved(moved));
        world.asks_for('H');
        assert_eq!(world.ready().expose_token(), "access-1", "it is no news");
        world.swapped(false);
        assert_eq!(world.ask(), then, "moved: {moved}");
    }
}

#[test]
fn what_was_granted_alone_is_not_handed_over_and_may_be_refreshed_after_a_claim() {
    let mut world = asking(sharing(policy()));
    world.store_fails();
    world.sends(Purpose::SignIn);
    world.granted();
    world.ready();
    world.pass(seconds(800));
    // How old its token is, the store learns only once its clock is known.
    world.asks_for('O');
    world.finds(|world| Found::nothing(world.store_time()));
    world.asks_for('H');
    world.swapped(false);
    world.sends(Purpose::Refresh);
    assert_eq!(world.body()["refresh_token"], "refresh-1");
}

#[test]
fn after_a_refused_sign_in_alone_callers_are_told_what_the_service_said() {
    let mut world = asking(sharing(policy()));
    world.store_fails();
    world.sends(Purpose::SignIn);
    world.refused();
    let (_, last) = world.waits();
    assert!(matches!(last.why(), RenewalCause::Reply(_)), "{last}");
}

#[test]
fn a_grant_is_in_use_before_it_is_handed_over() {
    let mut world = leased(800);
    world.granted();
    world.asks_for('G');
    assert_eq!(world.ready().expose_token(), "access-2");
    assert_eq!(world.ask(), 'R');
}

#[test]
fn a_failed_renewal_is_told_with_its_back_off() {
    let mut world = leased(1_000);
    world.reply(&with_retry_after(answer(503, &json!({})), "40")).unwrap_err();
    let swap = world.asks_for('N');
    assert_eq!((swap.lease(), swap.is_resting()), (seconds(40), true));
    assert_eq!(world.puts()["failures"], 1);
    assert_eq!(world.puts()["refresh"]["use"], "unspent", "it was spared");
    world.swapped(false);
    assert_eq!(world.waits().0, seconds(40));
}

#[test]
fn news_of_a_lost_refresh_says_that_its_token_is_in_doubt() {
    let mut world = leased(1_000);
    world.fails(TransportError::unknown());
    world.asks_for('N');
    assert_eq!(world.puts()["refresh"]["use"], "in_doubt");
}

#[test]
fn a_refused_secret_makes_the_siblings_wait_for_minutes() {
    let mut lengths = Vec::new();
    for failures in [0, 1, 2] {
        let mut world = asking(sharing(policy()));
        if failures > 0 {
            let mut form = of_sibling(&world, 0, "in_doubt");
            form["failures"] = failures.into();
            form["access"] = json!(null);
            form["refresh"] = json!(null);
            world.finds(|world| Found::state(saved(&form), seconds(1), world.store_time()));
            world.asks_for('H');
        }
        world.swapped(false);
        world.sends(Purpose::SignIn);
        world.refused();
        assert!(world.asks_for('N').is_resting());
        lengths.push(world.swap.as_ref().unwrap().1.lease());
        assert_eq!(world.puts()["failures"], failures + 1);
        world.swapped(false);
        world.asks_for('O');
    }
    assert_eq!(lengths, [seconds(60), seconds(120), seconds(240)]);
}

#[test]
fn a_replay_is_marked_as_one_and_is_not_made_again_after_a_restart() {
    // Signed in once: the store's state alone keeps the session alive.
    let session = crate::support::session_with(policy().with_spread_percent(0));
    let mut world = World::of(session.with_shared_store(HOLDER));
    world.session.sign_in(credentials(AGENT), Keep::Once, world.now);
    let mut world = granted(world);
    world.pass(seconds(1_000));
    world.asks_for('H');
    world.swapped(false);
    world.sends(Purpose::Refresh);
    world.fails(TransportError::unknown());
    world.asks_for('N');
    world.swapped(false);
    world.pass(seconds(10));
    world.asks_for('H');
    assert_eq!(world.puts()["refresh"]["use"], "replayed");
    let put = as_sibling(&world, "replayed", false);
    world.swapped(false);
    world.sends(Purpose::Refresh);
    let session = crate::support::session_with(policy()).with_shared_store(8).with_agent(AGENT);
    let mut restarted = World::of(session);
    restarted.asks_for('O');
    restarted.finds(|world| Found::state(put, seconds(1), world.store_time()));
    assert_eq!(restarted.ask(), 'C', "nobody sends it a third time");
}

#[test]
fn a_token_in_doubt_is_never_replayed_if_the_policy_says_so() {
    let policy = policy().with_replay(Replay::Never);
    let session = crate::support::session_with(policy).with_shared_store(8).with_agent(AGENT);
    let mut world = World::of(session);
    world.asks_for('O');
    let state = saved(&of_sibling(&world, 0, "in_doubt"));
    world.finds(|world| Found::state(state, seconds(1), world.store_time()));
    assert_eq!(world.ask(), 'C');
}

#[test]
fn the_margins_of_sessions_are_spread_by_their_seeds() {
    let mut begins = Vec::new();
    for seed in 0..40 {
        let policy = policy().with_jitter_seed(seed);
        let session = crate::support::session_with(policy).with_shared_store(HOLDER);
        let mut world = World::of(session);
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
        let mut world = granted(world);
        let due = world.session.outlook().unwrap().1.unwrap();
        begins.push(due.mono.since(crate::support::START.mono));
        world.now = due;
        world.now.wall = crate::support::START.advanced_by(begins[begins.len() - 1]).wall;
        world.asks_for('H');
    }
    assert!(begins.iter().all(|begin| (seconds(780)..=seconds(810)).contains(begin)), "{begins:?}");
    begins.sort();
    begins.dedup();
    assert!(begins.len() > 20, "{begins:?}");
    let alone = granted(sharing(policy()));
    let due = alone.session.outlook().unwrap().1.unwrap();
    assert_eq!(due.mono.since(crate::support::START.mono), seconds(780), "without a spread");
}

#[test]
fn a_sibling_that_backs_off_is_named_as_the_cause_of_a_wait() {
    let mut world = asking(granted_ago(1_000));
    world.finds(|world| {
        let state: Saved = as_sibling(world, "unspent", true);
        Found::state(state, Duration::ZERO, world.store_time())
            .with_held(Held::new(seconds(60), true))
    });
    let (wait, why) = world.waits();
    assert_eq!((wait, why.kind()), (seconds(60), "sibling"));
    assert!(matches!(why.why(), RenewalCause::Sibling));
    assert!(why.to_string().contains("another process"), "{why}");
}
