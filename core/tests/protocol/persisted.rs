//! What is granted is persisted, and what is doubted stays so: each state as a restart finds it.

use imts_core::exchange::Purpose;
use imts_core::saved::SavedError;
use imts_core::session::AdoptError;
use imts_core::{Keep, Saved};
use serde_json::{Value, json};

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
fn a_state_of_another_service_or_person_is_not_restored() {
    let saved = World::signed_in(Keep::Always).session.saved(crate::support::START).unwrap();
    let form: Value = serde_json::from_slice(&saved.to_json()).unwrap();
    for (field, error) in
        [("service", AdoptError::OtherService), ("subject", AdoptError::OtherAgent)]
    {
        let mut form = form.clone();
        form[field] = "another".into();
        let saved = Saved::from_json(form.to_string().as_bytes()).unwrap();
        let mut world = World::empty();
        assert_eq!(world.session.adopt(saved, world.now), Err(error));
        assert_eq!(world.ask(), 'C');
    }
}

#[test]
fn the_second_saved_form_keeps_each_of_its_fields() {
    let form = json!({
        "version": 2, "generation": 4, "holder": u64::MAX, "serial": 3, "service": "s",
        "endpoint": "https://service.example", "agent_id": AGENT, "subject": "p", "token_id": "t",
        "saved_at_us": 1, "failures": 2, "after_rejection": true,
        "access": { "token": "a", "ends_at_us": 2, "lifetime_us": 3, "expire_at_us": 4 },
        "refresh": { "token": "r", "ends_at_us": 5, "expire_at_us": 6, "use": "replayed" },
    });
    let saved = Saved::from_json(form.to_string().as_bytes()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&saved.to_json()).unwrap(), form);
    assert_eq!((saved.stamp().generation, saved.stamp().serial), (4, 3));
    assert_eq!((saved.service(), saved.subject()), (Some("s"), Some("p")));
    assert_eq!((saved.token_id().unwrap().expose(), saved.failures()), ("t", 2));
    assert!(saved.is_in_doubt() && !saved.is_empty());
}

#[test]
fn the_first_saved_form_is_read_and_has_none_of_the_second_ones_fields() {
    let form = |in_doubt: bool| {
        json!({
            "version": 1, "generation": 4, "endpoint": "https://service.example",
            "agent_id": AGENT, "saved_at_us": 1, "access": null,
            "refresh": { "token": "r", "ends_at_us": 5, "expire_at_us": 6, "in_doubt": in_doubt },
        })
    };
    let read = |form: &Value| Saved::from_json(form.to_string().as_bytes());
    assert!(read(&form(true)).unwrap().is_in_doubt());
    assert!(!read(&form(false)).unwrap().is_in_doubt());
    for (field, value) in [
        ("holder", json!(1)),
        ("serial", json!(1)),
        ("failures", json!(1)),
        ("service", json!("s")),
        ("subject", json!("p")),
        ("token_id", json!("t")),
    ] {
        let mut form = form(true);
        form[field] = value;
        assert_eq!(read(&form).unwrap_err(), SavedError::Value { field });
    }
    let mut both = form(true);
    both["refresh"]["use"] = "unspent".into();
    assert_eq!(read(&both).unwrap_err(), SavedError::Value { field: "refresh.in_doubt" });
    both["version"] = 2.into();
    assert_eq!(read(&both).unwrap_err(), SavedError::Value { field: "refresh.use" });
    let mut neither = form(true);
    neither["refresh"].as_object_mut().unwrap().remove("in_doubt");
    assert_eq!(read(&neither).unwrap_err(), SavedError::Value { field: "refresh.in_doubt" });
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
