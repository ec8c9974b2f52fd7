//! What is granted is persisted, and what is doubted stays so: each state as a restart finds it.

use imts_core::exchange::Purpose;
use imts_core::{Keep, Saved};

use crate::restarts::stored_sign_in;
use crate::support::{AGENT, World, credentials, policy, seconds};

/// What a restart makes of this: a session that holds nothing, and adopts what was saved.
fn restarted(world: &World) -> World {
    let bytes = world.session.saved(world.now).unwrap().to_json();
    let mut restarted = World::empty();
    restarted.now = world.now;
    restarted.session.adopt(Saved::from_json(&bytes).unwrap(), restarted.now).unwrap();
    restarted
}

#[test]
fn a_refresh_token_that_was_replayed_stays_in_doubt_across_a_restart() {
    let mut world = World::signed_in(Keep::Once);
    world.pass(seconds(1_000));
    for _ in 0..2 {
        world.sends(Purpose::Refresh);
        world.fails(imts_core::TransportError::unknown());
        world.pass(seconds(10));
    }
    assert_eq!(world.ask(), 'C', "replayed once, and never again");
    assert!(world.session.saved(world.now).unwrap().is_in_doubt());
    let mut with_credentials = restarted(&world);
    with_credentials.session.sign_in(credentials(AGENT), Keep::Always, world.now);
    with_credentials.sends(Purpose::SignIn);
}

#[test]
fn what_is_saved_while_a_new_grant_waits_to_be_saved_is_the_new_one() {
    let mut world = stored_sign_in();
    world.pass(seconds(800));
    assert_eq!(world.ask(), 'K');
    world.saved();
    world.sends(Purpose::Refresh);
    world.granted();
    for step in ["it came in", "its save began"] {
        let mut after = restarted(&world);
        assert_eq!(after.ready().expose_token(), "access-2", "{step}");
        assert!(!world.session.saved(world.now).unwrap().is_in_doubt(), "{step}");
        after.pass(seconds(900));
        after.sends(Purpose::Refresh);
        assert_eq!(after.body()["refresh_token"], "refresh-2", "{step}");
        let _the_save_begins = world.ask();
    }
}

#[test]
fn a_restored_refresh_token_ends_by_either_clock_and_by_its_own_cap() {
    let world = World::signed_in(Keep::Once);
    let month = 30 * 86_400;
    // Longer than an access token is believed to live, so that its cap does not count.
    assert!(policy().access_lifetime_cap < seconds(month));
    for (what, passes) in
        [("neither", [false; 2]), ("mono", [true, false]), ("wall", [false, true])]
    {
        let mut after = restarted(&world);
        after.pass(seconds(month - 1));
        assert_eq!(after.phase(), "expired", "a second before its end");
        let later = after.now.advanced_by(seconds(1));
        if passes[0] {
            after.now.mono = later.mono;
        }
        if passes[1] {
            after.now.wall = later.wall;
        }
        let phase = if passes == [false; 2] { "expired" } else { "unauthenticated" };
        assert_eq!(after.phase(), phase, "{what}");
    }
}
