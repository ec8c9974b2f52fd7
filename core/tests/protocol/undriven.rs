//! Requests that were handed out and that nobody drove: withdrawn, or given their time anew. And how
//! long a driver may leave the session alone meanwhile.

use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::transport_error::NotSent;
use imts_core::{Keep, TransportError};

use crate::support::{World, policy, seconds};

#[test]
fn a_request_that_is_withdrawn_leaves_no_trace_and_another_may_go_at_once() {
    for replayed in [false, true] {
        let mut world = World::signed_in(if replayed { Keep::Once } else { Keep::Always });
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
        if replayed {
            world.fails(TransportError::unknown());
            world.pass(seconds(10));
            world.sends(Purpose::Refresh);
        }
        world.session.withdraw(world.ticket.unwrap());
        world.sends(Purpose::Refresh);
        assert_eq!(world.body()["refresh_token"], "refresh-1");
        assert_eq!(world.session.last_error().is_some(), replayed, "no failure is counted");
        world.granted();
        assert_eq!(world.ready().expose_token(), "access-2");
    }
}

#[test]
fn a_withdrawn_ticket_withdraws_no_other_request() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let old = world.ticket.unwrap();
    world.session.withdraw(old);
    world.sends(Purpose::Refresh);
    world.session.withdraw(old);
    assert_eq!(world.ask(), 'B');
    world.pass(policy().time_limit);
    assert!(!world.session.postpone(old, world.now), "nor does it lengthen another one's time");
    assert_eq!(world.ask(), 'W');
}

#[test]
fn the_time_of_a_request_that_nobody_drove_begins_anew_three_times() {
    let limit = policy().time_limit;
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    let ticket = world.ticket.unwrap();
    world.pass(limit - Duration::from_micros(1));
    assert!(!world.session.postpone(ticket, world.now), "it is not over");
    world.pass(Duration::from_micros(1));
    for _ in 0..3 {
        assert!(world.session.postpone(ticket, world.now));
        assert_eq!(world.ask(), 'B');
        world.pass(limit - Duration::from_micros(1));
        assert_eq!(world.ask(), 'B');
        world.pass(Duration::from_micros(1));
    }
    assert!(!world.session.postpone(ticket, world.now));
    assert_eq!(world.ask(), 'W');
    assert!(world.session.saved(world.now).unwrap().is_in_doubt());
}

fn aged(age: u64) -> World {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(age));
    world
}

#[test]
fn an_outlook_lasts_as_long_as_a_renewal_its_back_off_or_the_token() {
    let until = |world: &World| world.session.outlook().unwrap().1.map(|due| due.mono);
    let mut world = aged(790);
    world.sends(Purpose::Refresh);
    assert_eq!(until(&world), Some(world.now.mono.after(policy().time_limit)));
    world.fails(TransportError::not_sent(NotSent::vouch()));
    let quiet = until(&world).expect("a back-off");
    assert_eq!(world.ask(), 'R');
    world.pass(quiet.since(world.now.mono) - Duration::from_micros(1));
    assert_eq!((world.ask(), until(&world)), ('R', Some(quiet)));
    world.pass(Duration::from_micros(1));
    world.sends(Purpose::Refresh);
    let mut world = aged(890);
    world.sends(Purpose::Refresh);
    assert_eq!(until(&world), Some(world.now.mono.after(seconds(10))), "the token ends first");
}
