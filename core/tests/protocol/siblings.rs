//! Sessions that share what they save, and states that come from elsewhere.

use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::{Endpoint, Keep, Saved, Session, TransportError, services};
use serde_json::{Value, json};

use crate::restarts::{stored_sign_in, storing};
use crate::support::{
    AGENT, START, World, answer, credentials, grant_of, policy, seconds, with_retry_after,
};

/// What a sibling's session makes of a state that another one saved.
fn adopts(world: &mut World, from: &World) {
    let saved = from.session.saved(from.now).unwrap();
    world.session.adopt(saved, world.now).unwrap();
}

#[test]
fn siblings_do_not_renew_in_turns_against_a_service_that_rejects_every_token() {
    let mut siblings =
        [World::with_credentials(Keep::Always), World::with_credentials(Keep::Always)];
    let mut renewals = 0;
    for _ in 0..600 {
        for mine in 0..2 {
            match siblings[mine].ask() {
                'R' => {
                    let world = &mut siblings[mine];
                    let epoch = world.bearer.as_ref().unwrap().epoch();
                    world.session.reject(epoch, world.now);
                }
                'S' | 'F' => {
                    renewals += 1;
                    let (access, refresh) = (format!("a{renewals}"), format!("r{renewals}"));
                    let grant = answer(200, &grant_of(&access, Some(&refresh), 9_000));
                    siblings[mine].reply(&grant).unwrap();
                    let [one, other] = &mut siblings;
                    if mine == 0 { adopts(other, one) } else { adopts(one, other) }
                }
                'W' => {}
                step => panic!("{step}"),
            }
        }
        for world in &mut siblings {
            world.pass(Duration::from_millis(100));
        }
    }
    // Each sibling alone: at 0, at once, then at 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s.
    assert!(renewals <= 16, "{renewals} renewals in a minute");
}

#[test]
fn of_two_siblings_that_mark_at_the_same_time_one_alone_sends_the_refresh_token() {
    for (marked_by, reported, then) in
        [("itself", true, 'F'), ("its sibling", true, 'S'), ("its sibling", false, 'S')]
    {
        let mut siblings = [stored_sign_in(), storing()];
        let (_, first) = siblings[0].save.clone().unwrap();
        siblings[1].session.adopt(first, START).unwrap();
        for (world, micros) in siblings.iter_mut().zip(0..) {
            world.pass(seconds(1_000) + Duration::from_micros(micros));
            assert_eq!(world.ask(), 'K');
        }
        let [sibling, mut world] = siblings;
        let marks = [&sibling, &world].map(|it| it.save.clone().unwrap().1);
        assert_eq!(marks[0].generation(), marks[1].generation());
        let [theirs, own] = marks;
        let stored = if marked_by == "itself" { own } else { theirs };
        // A save that failed may be reported before the store is read, or the other way round.
        if reported {
            world.saved();
        }
        world.session.adopt(stored, world.now).unwrap();
        if !reported {
            world.saved();
        }
        assert_eq!(world.ask(), then, "marked by {marked_by}");
    }
}

#[test]
fn a_siblings_mark_of_another_refresh_token_in_the_same_generation_changes_nothing() {
    let (mut sibling, mut world) = (stored_sign_in(), storing());
    world.sends(Purpose::SignIn);
    world.reply(&answer(200, &grant_of("own", Some("own-refresh"), 900))).unwrap();
    assert_eq!(world.ask(), 'K');
    world.saved();
    for (world, micros) in [&mut sibling, &mut world].into_iter().zip(0..) {
        world.pass(seconds(1_000) + Duration::from_micros(micros));
        assert_eq!(world.ask(), 'K');
    }
    let (_, theirs) = sibling.save.unwrap();
    assert_eq!(theirs.generation(), world.save.as_ref().unwrap().1.generation());
    world.session.adopt(theirs, world.now).unwrap();
    world.saved();
    world.sends(Purpose::Refresh);
    assert_eq!(world.body()["refresh_token"], "own-refresh");
}

#[test]
fn a_siblings_dead_token_does_not_end_the_quiet() {
    let mut world = World::signed_in(Keep::Always);
    let mut sibling = World::empty();
    adopts(&mut sibling, &world);
    for world in [&mut world, &mut sibling] {
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
    }
    world.reply(&with_retry_after(answer(503, &json!({})), "600")).unwrap_err();
    let mut saved: Value =
        serde_json::from_slice(&sibling.session.saved(sibling.now).unwrap().to_json()).unwrap();
    saved["generation"] = 7.into();
    saved["access"]["token"] = "theirs".into();
    let saved = Saved::from_json(saved.to_string().as_bytes()).unwrap();
    world.session.adopt(saved, world.now).unwrap();
    assert_eq!(world.waits().0, seconds(600), "what it brought was dead");
}

#[test]
fn a_siblings_new_token_that_lives_ends_the_quiet() {
    let mut world = World::signed_in(Keep::Always);
    let mut sibling = World::signed_in(Keep::Always);
    for world in [&mut world, &mut sibling] {
        world.pass(seconds(1_000));
        world.sends(Purpose::Refresh);
    }
    world.reply(&with_retry_after(answer(503, &json!({})), "600")).unwrap_err();
    sibling.granted();
    adopts(&mut world, &sibling);
    assert_eq!(world.ready().expose_token(), "access-2");
    assert!(world.session.last_error().is_none());
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
}

#[test]
fn a_siblings_token_has_settled_by_its_own_age() {
    for (age, then) in [(seconds(30) - Duration::from_micros(1), 'W'), (seconds(30), 'F')] {
        let mut sibling = replaced(World::signed_in(Keep::Always));
        let mut world = World::with_credentials(Keep::Always);
        for world in [&mut sibling, &mut world] {
            world.pass(age);
        }
        adopts(&mut world, &sibling);
        world.rejects();
        assert_eq!(world.ask(), then, "rejected {age:?} after it was granted");
    }
}

/// Its first token was rejected, and replaced at once.
fn replaced(mut world: World) -> World {
    world.rejects();
    world.sends(Purpose::Refresh);
    world.granted();
    world.ready();
    world
}

#[test]
fn whether_a_token_replaced_a_rejected_one_survives_a_restart_and_reaches_siblings() {
    for (replaces, then) in [(false, 'F'), (true, 'W')] {
        let mut before = World::signed_in(Keep::Always);
        if replaces {
            before = replaced(before);
        }
        before.pass(seconds(1));
        let bytes = before.session.saved(before.now).unwrap().to_json();
        let mut after = World::with_credentials(Keep::Always);
        after.pass(seconds(2));
        after.session.adopt(Saved::from_json(&bytes).unwrap(), after.now).unwrap();
        after.rejects();
        assert_eq!(after.ask(), then, "replaces a rejected token: {replaces}");
        before.pass(seconds(499));
        before.ready();
        let saved = before.session.saved(before.now).unwrap();
        assert!(!String::from_utf8_lossy(&saved.to_json()).contains("after_rejection"), "settled");
    }
}

#[test]
fn a_siblings_token_that_replaced_a_rejected_one_is_on_probation_however_well_all_went_here() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(500));
    world.ready();
    let mut sibling = World::empty();
    sibling.now = world.now;
    adopts(&mut sibling, &world);
    for name in ["old", "young"] {
        sibling.rejects();
        sibling.sends(Purpose::Refresh);
        sibling.reply(&answer(200, &grant_of(name, Some(name), 900))).unwrap();
    }
    adopts(&mut world, &sibling);
    assert_eq!(world.ready().expose_token(), "young");
    world.rejects();
    assert_eq!(world.ask(), 'W');
}

#[test]
fn a_sibling_does_not_make_a_missing_refresh_be_asked_for_again() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(1_000));
    world.sends(Purpose::Refresh);
    world.reply(&answer(404, &json!({}))).unwrap_err();
    let mut sibling = World::with_credentials(Keep::Always);
    sibling.pass(seconds(1_000));
    for _ in 0..2 {
        sibling.sends(Purpose::SignIn);
        sibling.reply(&answer(200, &grant_of("theirs", Some("their-r"), 900))).unwrap();
        sibling.session.sign_in(credentials(AGENT), Keep::Once, sibling.now);
    }
    adopts(&mut world, &sibling);
    world.pass(seconds(1_000));
    world.sends(Purpose::SignIn);
}

#[test]
fn a_session_of_one_agent_never_uses_what_was_granted_to_another() {
    let mut world = World::signed_in(Keep::Always);
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    let theirs = world.session.saved(world.now).unwrap();
    world.session.sign_in(credentials("agent-2"), Keep::Always, world.now);
    world.granted();
    assert_eq!(world.phase(), "unauthenticated", "a grant to agent-1 came late");
    world.session.adopt(theirs, world.now).unwrap_err();
    world.sends(Purpose::SignIn);
    world.granted();
    let own: &Session = &world.session;
    assert_eq!(own.saved(world.now).unwrap().agent_id(), Some("agent-2"));
}

#[test]
fn a_restored_token_is_sent_to_no_endpoint_but_its_own() {
    let saved = World::signed_in(Keep::Always).session.saved(START).unwrap();
    for url in [
        "https://service.example:8443",
        "https://service.example/base",
        "https://service.example.",
        "https://service.example.evil.example",
        "https://api.service.example",
        "http://localhost",
    ] {
        let endpoint = Endpoint::plain_loopback(url).unwrap();
        let other = Session::new(endpoint, services::transfer(), policy()).unwrap();
        let mut world = World::of(other);
        world.session.adopt(saved.clone(), world.now).unwrap_err();
        for _ in 0..40 {
            assert_eq!(world.ask(), 'C', "{url}");
            world.pass(seconds(60));
        }
    }
    let same = Endpoint::https("HTTPS://Service.Example:443/").unwrap();
    let session = Session::new(same, services::transfer(), policy()).unwrap();
    let mut world = World::of(session);
    world.session.adopt(saved, world.now).unwrap();
    assert_eq!(world.ready().expose_token(), "access-1");
}

#[test]
fn a_late_rejection_of_a_token_does_not_kill_the_one_that_was_adopted_since() {
    let mut world = World::signed_in(Keep::Always);
    let old = world.ready();
    let mut sibling = World::with_credentials(Keep::Always);
    adopts(&mut sibling, &world);
    for n in 2..5 {
        sibling.pass(seconds(800));
        world.pass(seconds(800));
        sibling.sends(Purpose::Refresh);
        let name = format!("theirs-{n}");
        sibling.reply(&answer(200, &grant_of(&name, Some(&name), 900))).unwrap();
        adopts(&mut world, &sibling);
        let adopted = world.ready();
        assert!(adopted.epoch() > old.epoch(), "epochs only rise");
        world.session.reject(old.epoch(), world.now);
        assert_eq!(world.ready().expose_token(), name, "the old token's rejection came late");
    }
}

#[test]
fn a_report_with_another_sessions_ticket_of_the_same_number_ends_no_renewal() {
    let mut world = World::with_credentials(Keep::Always);
    let mut sibling = World::with_credentials(Keep::Always);
    sibling.pass(seconds(1));
    world.sends(Purpose::SignIn);
    sibling.sends(Purpose::SignIn);
    let theirs = sibling.ticket.unwrap();
    world.session.on_failure(theirs, TransportError::unknown(), world.now);
    assert_eq!(world.ask(), 'B', "its own request is still under way");
    world.granted();
    world.ready();
}
