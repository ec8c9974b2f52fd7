//! Tokens that end from outside: whichever state a session is in, and what its store then holds.

use imts_core::exchange::Purpose;
use imts_core::secret::TokenId;
use imts_core::services::{self, freedom_id};
use imts_core::swap::{Register, StoreTime};
use imts_core::{Policy, Saved, Session, Step};

use crate::support::{DAY, START, World, endpoint, pair, pair_of};

pub(crate) const FIRST: &str = "01953bd1-a6d3-739e-8aa3-83e881f09055";
const SECOND: &str = "01953bd1-a6d3-739e-8aa3-83e881f09056";

fn id(text: &str) -> TokenId {
    TokenId::new(text).unwrap()
}

#[test]
fn a_body_is_a_revocation_or_nothing() {
    let body = format!(r#"{{"id":"{FIRST}"}}"#);
    assert_eq!(freedom_id::revoked_id(body.as_bytes()), Some(id(FIRST)));
    let more = format!(r#"{{"id":"{FIRST}","at":1}}"#);
    assert_eq!(freedom_id::revoked_id(more.as_bytes()), Some(id(FIRST)), "a later field");
    let long = format!(r#"{{"id":"{FIRST}","pad":"{}"}}"#, "a".repeat(5_000));
    let twice = format!(r#"{{"id":"{FIRST}","id":"{SECOND}"}}"#);
    for other in ["", "{}", "[]", r#"{"id":7}"#, r#"{"id":""}"#, r#"{"id":"a b"}"#, &long, &twice] {
        assert_eq!(freedom_id::revoked_id(other.as_bytes()), None, "{other:.40}");
    }
    assert_ne!(id(FIRST), id(SECOND));
    assert_eq!(id(FIRST), id(&FIRST.to_uppercase()));
}

#[test]
fn a_revocation_of_its_own_id_leaves_a_session_with_nothing_and_another_id_changes_nothing() {
    let mut world = World::signed_in();
    assert!(!world.session.revoked(&id(SECOND), world.now));
    assert_eq!(world.token(), "access-1");
    assert!(world.session.revoked(&id(FIRST), world.now));
    assert!(world.needs_a_code());
    assert!(!world.session.revoked(&id(FIRST), world.now), "a repetition is harmless");
    world.takes_code("code-2");
    let ticket = world.sends(Purpose::SignIn);
    assert!(world.replied(ticket, 200, &pair_of(SECOND, 2)));
    assert!(!world.session.revoked(&id(FIRST), world.now), "it is of the session before");
    assert_eq!(world.token(), "access-2");
}

#[test]
fn an_earlier_id_revokes_too_until_its_tokens_have_ended() {
    let mut world = World::signed_in();
    world.pass(7 * DAY);
    let ticket = world.sends(Purpose::Refresh);
    assert!(world.replied(ticket, 200, &pair_of(SECOND, 7)));
    let saved = world.session.saved(world.now).unwrap();
    assert_eq!(saved.token_id(), Some(&id(SECOND)));
    let saved = Saved::from_json(&saved.to_json()).unwrap();
    for (passes, is_known) in [(20 * DAY, true), (21 * DAY, false)] {
        let mut restarted = World::new();
        restarted.now = world.now;
        restarted.session.adopt(saved.clone(), restarted.now).unwrap();
        restarted.pass(passes);
        assert_eq!(restarted.session.revoked(&id(FIRST), restarted.now), is_known, "{passes}");
    }
    assert!(world.session.revoked(&id(FIRST), world.now));
    assert!(world.needs_a_code());
}

#[test]
fn a_refresh_that_was_under_way_brings_no_grant_and_a_sign_in_does() {
    let mut world = World::signed_in();
    world.pass(7 * DAY);
    let ticket = world.sends(Purpose::Refresh);
    assert!(world.session.revoked(&id(FIRST), world.now));
    assert!(world.replied(ticket, 200, &pair_of(FIRST, 7)), "a success");
    assert!(world.needs_a_code(), "and yet nothing is used of it");

    let mut world = World::signed_in();
    world.takes_code("code-2");
    let ticket = world.sends(Purpose::SignIn);
    assert!(world.session.revoked(&id(FIRST), world.now));
    assert!(world.replied(ticket, 200, &pair_of(SECOND, 2)));
    assert_eq!(world.token(), "access-2", "the user has signed in since");
}

#[test]
fn a_revocation_empties_what_is_saved_before_anything_else_and_until_it_is() {
    let mut world = World::new();
    world.session = world.session.with_store();
    world.takes_code("code-1");
    let ticket = world.sends(Purpose::SignIn);
    world.replied(ticket, 200, &pair(1));
    // It holds also while the grant waits to be saved.
    let Step::Save(save, first) = world.session.poll(world.now) else { panic!("a save is due") };
    assert!(world.session.revoked(&id(FIRST), world.now));
    world.session.on_saved(save, world.now);
    for _ in 0..2 {
        let Step::Save(save, empty) = world.session.poll(world.now) else { panic!("none is due") };
        assert!(empty.is_empty() && empty.generation() > first.generation());
        assert_eq!(empty.token_id(), None);
        world.session.on_save_failed(save, world.now);
        world.pass(6);
    }
    let Step::Save(save, empty) = world.session.poll(world.now) else { panic!("none is due") };
    world.session.on_saved(save, world.now);
    assert!(world.needs_a_code());
    // A sibling's older state, or the next process, brings nothing back.
    world.session.adopt(first, world.now).unwrap();
    assert!(world.needs_a_code());
    let mut next = World::new();
    next.session.adopt(empty, next.now).unwrap();
    assert!(next.needs_a_code());
}

/// Drives one session until it wants something else than its store.
fn swaps(session: &mut Session, store: &mut Register, world: &World) -> Step {
    let at = StoreTime::from_micros(i64::try_from(world.now.mono.as_micros()).unwrap());
    loop {
        match session.poll(world.now) {
            Step::Swap(ticket, swap) => {
                let answer = store.swap(&swap, at, false);
                session.on_swap(ticket, Ok(answer), world.now);
            }
            step => return step,
        }
    }
}

fn shared(holder: u64) -> Session {
    let policy =
        Policy::default().with_access_lifetime_cap(std::time::Duration::from_secs(30 * DAY));
    let session = Session::new(endpoint(), services::freedom_id(), policy).unwrap();
    session.with_shared_store(holder).with_agent(crate::support::ID).with_subject("user-1")
}

/// A sibling that lives on what is in the store.
fn signed_in(store: &mut Register, world: &mut World, session: &mut Session, body: &str) {
    let credentials = imts_core::Credentials::new(crate::support::ID, crate::support::SECRET);
    let credentials = credentials.unwrap().with_code(format!("code of {}", body.len())).unwrap();
    session.sign_in(credentials, imts_core::Keep::Once, world.now);
    let Step::Send(ticket, _) = swaps(session, store, world) else {
        panic!("a code is to be sent")
    };
    std::mem::swap(&mut world.session, session);
    assert!(world.replied(ticket, 200, body));
    std::mem::swap(&mut world.session, session);
    assert!(matches!(swaps(session, store, world), Step::Ready(_)));
}

#[test]
fn a_revocation_empties_the_entry_of_the_user_but_not_a_later_sign_in_there() {
    let (mut store, mut world) = (Register::default(), World::new());
    let (mut one, mut two) = (shared(1), shared(2));
    signed_in(&mut store, &mut world, &mut one, &pair(1));
    assert!(matches!(swaps(&mut two, &mut store, &world), Step::Ready(_)), "it takes it over");
    assert_eq!(store.state.as_ref().unwrap().token_id(), Some(&id(FIRST)));
    assert_eq!(store.state.as_ref().unwrap().subject(), Some("user-1"));
    assert!(one.revoked(&id(FIRST), world.now));
    assert!(matches!(swaps(&mut one, &mut store, &world), Step::SignIn { .. }));
    assert!(store.state.as_ref().unwrap().is_empty());
    // The other one hears of it too; the user signs in there, and then the first hears of it again.
    assert!(two.revoked(&id(FIRST), world.now));
    world.pass(2);
    signed_in(&mut store, &mut world, &mut two, &pair_of(SECOND, 2));
    world.pass(2);
    let Step::Ready(bearer) = swaps(&mut one, &mut store, &world) else { panic!("nothing taken") };
    assert_eq!(bearer.expose_token(), "access-2");

    // One that has not looked since does not empty a later sign-in of another process.
    let (mut store, mut world) = (Register::default(), World::new());
    let (mut one, mut two) = (shared(1), shared(2));
    signed_in(&mut store, &mut world, &mut one, &pair(1));
    store = Register::default();
    signed_in(&mut store, &mut world, &mut two, &pair_of(SECOND, 2));
    assert!(one.revoked(&id(FIRST), world.now));
    let _what_is_left = swaps(&mut one, &mut store, &world);
    assert_eq!(store.state.as_ref().unwrap().token_id(), Some(&id(SECOND)));
}

#[test]
fn a_state_of_another_user_is_not_taken_over() {
    let world = World::signed_in();
    let saved = world.session.saved(START).unwrap();
    let mut other = shared(3);
    assert!(other.adopt(saved, START).is_err());
}

#[test]
fn no_token_id_comes_out_in_any_text() {
    let mut world = World::signed_in();
    let saved = world.session.saved(world.now);
    let text = format!("{:?} {saved:?} {:?}", world.session, id(FIRST));
    world.session.revoked(&id(FIRST), world.now);
    let text = format!("{text} {:?}", world.session);
    assert!(!text.contains(&FIRST[..8]), "{text}");
}
