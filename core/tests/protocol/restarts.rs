//! Persist before use, restarts, and siblings.

use std::time::Duration;

use imts_core::exchange::Purpose;
use imts_core::saved::SavedError;
use imts_core::session::AdoptError;
use imts_core::time::Wall;
use imts_core::{Endpoint, Keep, Saved, Session, services};

use crate::support::{
    AGENT, START, World, answer, credentials, grant_of, policy, seconds, session_with,
};
use crate::transitions::STATES;

pub(crate) fn storing() -> World {
    let mut world = World::of(session_with(policy()).with_store());
    world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
    world
}

pub(crate) fn stored_sign_in() -> World {
    let mut world = storing();
    world.sends(Purpose::SignIn);
    world.granted();
    assert_eq!(world.ask(), 'K');
    world.saved();
    world.ready();
    world
}

#[test]
fn a_new_token_is_handed_out_only_after_its_grant_was_saved() {
    let mut world = storing();
    world.sends(Purpose::SignIn);
    world.granted();
    assert_eq!(world.ask(), 'K');
    assert_eq!(world.ask(), 'B');
    world.saved();
    assert_eq!(world.ready().expose_token(), "access-1");
}

#[test]
fn a_refresh_is_sent_only_after_its_mark_was_saved() {
    let mut world = stored_sign_in();
    world.pass(seconds(800));
    assert_eq!(world.ask(), 'K');
    let (_, mark) = world.save.as_ref().unwrap();
    assert!(mark.is_in_doubt());
    assert_eq!(mark.generation(), 2);
    assert_eq!(world.ready().expose_token(), "access-1");
    world.saved();
    world.sends(Purpose::Refresh);
    world.granted();
    assert_eq!(world.ask(), 'K');
    let (_, grant) = world.save.as_ref().unwrap();
    assert!(!grant.is_in_doubt());
    assert_eq!(grant.generation(), 3);
    assert_eq!(world.ready().expose_token(), "access-1", "the old one, until the save is over");
    world.saved();
    assert_eq!(world.ready().expose_token(), "access-2");
}

#[test]
fn a_refresh_token_that_is_kept_is_marked_anew_before_it_is_sent_again() {
    let mut world = stored_sign_in();
    for n in 2..4 {
        world.pass(seconds(1_000));
        assert_eq!(world.ask(), 'K', "the mark");
        assert!(world.save.as_ref().unwrap().1.is_in_doubt());
        world.saved();
        world.sends(Purpose::Refresh);
        let grant = grant_of(&format!("access-{n}"), None, 900);
        world.reply(&answer(200, &grant)).unwrap();
        assert_eq!(world.ask(), 'K', "the grant");
        assert!(!world.save.as_ref().unwrap().1.is_in_doubt());
        world.saved();
        world.ready();
    }
}

#[test]
fn a_save_that_takes_too_long_holds_nothing_up() {
    let mut world = storing();
    world.sends(Purpose::SignIn);
    world.granted();
    assert_eq!(world.ask(), 'K');
    world.pass(policy().save_within - Duration::from_micros(1));
    assert_eq!(world.ask(), 'B');
    world.pass(Duration::from_micros(1));
    assert_eq!(world.ready().expose_token(), "access-1");
    world.saved();
    assert_eq!(world.ready().expose_token(), "access-1", "a report that comes late is harmless");
}

#[test]
fn a_restored_session_goes_on_with_what_is_left() {
    let world = stored_sign_in();
    let (_, saved) = world.save.as_ref().unwrap();
    let saved = Saved::from_json(&saved.to_json()).unwrap();
    let mut later = World::empty();
    later.pass(seconds(600));
    later.session.adopt(saved, later.now).unwrap();
    let bearer = later.ready();
    assert_eq!((bearer.expose_token(), bearer.remaining(later.now)), ("access-1", seconds(300)));
    assert_eq!(later.session.agent_id(), Some(AGENT));
    later.pass(seconds(200));
    later.sends(Purpose::Refresh);
    assert_eq!(later.body()["refresh_token"], "refresh-1");
}

#[test]
fn a_state_in_doubt_is_restored_as_in_doubt() {
    let mut world = stored_sign_in();
    world.pass(seconds(800));
    assert_eq!(world.ask(), 'K');
    let (_, mark) = world.save.clone().unwrap();
    let mut held = World::with_credentials(Keep::Always);
    held.pass(seconds(1_000));
    held.session.adopt(mark.clone(), held.now).unwrap();
    held.sends(Purpose::SignIn);
    let mut bare = World::empty();
    bare.pass(seconds(1_000));
    bare.session.adopt(mark, bare.now).unwrap();
    bare.sends(Purpose::Refresh);
    bare.fails(imts_core::TransportError::unknown());
    bare.pass(seconds(10));
    assert_eq!(bare.ask(), 'C', "one replay and no more");
}

#[test]
fn what_is_saved_while_a_refresh_is_under_way_is_in_doubt() {
    let mut world = World::signed_in(Keep::Always);
    assert!(!world.session.saved(world.now).unwrap().is_in_doubt());
    world.pass(seconds(800));
    world.sends(Purpose::Refresh);
    assert!(world.session.saved(world.now).unwrap().is_in_doubt());
}

#[test]
fn an_access_token_that_was_saved_in_the_future_counts_as_dead() {
    let world = World::signed_in(Keep::Always);
    let saved = world.session.saved(world.now).unwrap();
    let mut early = World::empty();
    early.now.wall = Wall::from_unix_micros(START.wall.unix_micros() - 1);
    early.session.adopt(saved, early.now).unwrap();
    assert_eq!(early.phase(), "expired");
    early.sends(Purpose::Refresh);
}

#[test]
fn a_restored_life_is_never_longer_than_the_whole() {
    let world = World::signed_in(Keep::Always);
    let mut form: serde_json::Value =
        serde_json::from_slice(&world.session.saved(world.now).unwrap().to_json()).unwrap();
    form["access"]["ends_at_us"] = i64::MAX.into();
    form["refresh"]["ends_at_us"] = i64::MAX.into();
    let saved = Saved::from_json(form.to_string().as_bytes()).unwrap();
    let mut restored = World::empty();
    restored.session.adopt(saved, restored.now).unwrap();
    assert_eq!(restored.ready().remaining(restored.now), seconds(900));
    restored.pass(policy().refresh_lifetime_cap);
    assert_eq!(restored.phase(), "unauthenticated");
}

#[test]
fn a_state_of_another_endpoint_or_agent_is_an_error() {
    let world = World::signed_in(Keep::Always);
    let saved = world.session.saved(world.now).unwrap();
    let elsewhere = Endpoint::https("https://other.example").unwrap();
    let mut other = Session::new(elsewhere, services::transfer(), policy()).unwrap();
    assert_eq!(other.adopt(saved.clone(), world.now), Err(AdoptError::OtherEndpoint));
    let mut other = World::empty();
    other.session.sign_in(credentials("agent-2"), Keep::Always, other.now);
    assert_eq!(other.session.adopt(saved, other.now), Err(AdoptError::OtherAgent));
    assert_eq!(other.phase(), "unauthenticated");
}

#[test]
fn a_restored_token_goes_to_no_endpoint_whose_url_only_resembles_its_own() {
    let own = "https://service.example";
    for (saved_for, other) in [
        (own, "https://service.example.evil"),
        (own, "https://service.example.evil.example"),
        (own, "https://service.example-evil.example"),
        (own, "https://service.exampl"),
        (own, "https://service"),
        (own, "https://ervice.example"),
        (own, "https://evil.service.example"),
        (own, "https://evil-service.example"),
        (own, "https://service.example."),
        (own, "https://service.example:8443"),
        (own, "https://service.example:4430"),
        (own, "https://service.example/base"),
        ("https://service.example/base", own),
        ("https://service.example/base", "https://service.example/BASE"),
        ("https://service.example/base", "https://service.example/bas"),
        ("https://service.example/base", "https://service.example/base/more"),
        ("https://service.example:8443", own),
        ("https://service.example:8443", "https://service.example:844"),
        ("http://127.0.0.1:80", "http://127.0.0.1:8080"),
        ("http://127.0.0.1", "http://127.0.0.11"),
        ("http://127.0.0.1", "https://127.0.0.1"),
        ("http://127.0.0.1", "http://localhost"),
        ("http://127.0.0.1", "http://[::1]"),
    ] {
        let session = |url: &str| {
            let endpoint = Endpoint::plain_loopback(url).unwrap();
            Session::new(endpoint, services::transfer(), policy()).unwrap()
        };
        let world = World::signed_in(Keep::Always);
        let mut form: serde_json::Value =
            serde_json::from_slice(&world.session.saved(world.now).unwrap().to_json()).unwrap();
        form["endpoint"] = Endpoint::plain_loopback(saved_for).unwrap().as_str().into();
        let saved = Saved::from_json(form.to_string().as_bytes()).unwrap();
        let mut restored = session(saved_for);
        restored.adopt(saved.clone(), world.now).expect(saved_for);
        let mut elsewhere = session(other);
        let refused = elsewhere.adopt(saved, world.now);
        assert_eq!(refused, Err(AdoptError::OtherEndpoint), "{saved_for} to {other}");
        assert!(elsewhere.saved(world.now).is_none(), "{saved_for} to {other}");
    }
}

#[test]
fn a_restored_token_serves_no_other_agent_not_even_by_a_reply_that_comes_late() {
    let mut flights = 0;
    for (state, build) in STATES {
        let owner = build();
        let Some(saved) = owner.session.saved(owner.now) else { continue };
        let mut thief = World::empty();
        thief.now = owner.now;
        thief.session.adopt(saved, thief.now).unwrap();
        // Whatever it does at first: perhaps a refresh is now under way.
        let first = thief.ask();
        let flight = thief.ticket.take().filter(|_| matches!(first, 'S' | 'F'));
        thief.bearer = None;
        thief.requests.clear();
        thief.session.sign_in(credentials("agent-2"), Keep::Always, thief.now);
        if let Some(ticket) = flight {
            flights += 1;
            let late = answer(200, &grant_of("late-access", Some("late-refresh"), 900));
            let told = thief.session.on_reply(ticket, (&late).into(), thief.now);
            assert!(thief.session.phase(thief.now).usable().is_none(), "{state}: {told:?}");
        }
        for _ in 0..4 {
            if matches!(thief.ask(), 'S' | 'F') {
                assert_eq!(thief.body()["agent_id"], "agent-2", "{state}");
                thief.fails(imts_core::TransportError::unknown());
                thief.pass(seconds(120));
            }
        }
        assert!(thief.bearer.is_none(), "{state}: {:?}", thief.bearer);
        assert!(thief.requests.iter().all(|(purpose, _)| *purpose == Purpose::SignIn), "{state}");
    }
    assert!(flights > 5, "only {flights} were under way");
}

#[test]
fn a_saved_form_of_any_other_version_is_an_error() {
    let world = World::signed_in(Keep::Always);
    let text = String::from_utf8(world.session.saved(world.now).unwrap().to_json().to_vec());
    let text = text.unwrap();
    for version in
        ["0", "3", "255", "256", "4294967297", "-1", "1.0", "1e0", "\"1\"", "null", "[1]"]
    {
        let other = text.replace("\"version\":2", &format!("\"version\":{version}"));
        assert_ne!(other, text);
        let error = Saved::from_json(other.as_bytes()).unwrap_err();
        let known = match version {
            "0" => error == SavedError::Version { found: 0 },
            "3" | "255" | "256" => matches!(error, SavedError::Newer { found: 3.. }),
            _ => matches!(error, SavedError::Damaged { .. }),
        };
        assert!(known, "{version}: {error:?}");
    }
}

#[test]
fn a_sibling_that_renewed_stales_our_own_request() {
    let mut ours = World::signed_in(Keep::Always);
    let mut sibling = World::empty();
    sibling.session.adopt(ours.session.saved(ours.now).unwrap(), sibling.now).unwrap();
    for world in [&mut ours, &mut sibling] {
        world.pass(seconds(800));
        world.sends(Purpose::Refresh);
    }
    sibling
        .reply(&crate::support::answer(200, &crate::support::grant_of("theirs", Some("t"), 900)))
        .unwrap();
    ours.session.adopt(sibling.session.saved(sibling.now).unwrap(), ours.now).unwrap();
    assert_eq!(ours.ready().expose_token(), "theirs");
    ours.granted();
    assert_eq!(ours.ready().expose_token(), "theirs");
}

#[test]
fn a_rejected_token_does_not_come_back_by_way_of_a_sibling() {
    let mut ours = World::signed_in(Keep::Always);
    let mut sibling = World::of(session_with(policy()).with_store());
    sibling.session.adopt(ours.session.saved(ours.now).unwrap(), sibling.now).unwrap();
    sibling.pass(seconds(800));
    assert_eq!(sibling.ask(), 'K');
    ours.pass(seconds(800));
    let bearer = ours.bearer.clone().unwrap();
    ours.session.reject(bearer.epoch(), ours.now);
    ours.session.adopt(sibling.save.unwrap().1, ours.now).unwrap();
    assert_eq!(ours.phase(), "expired");
}

#[test]
fn a_saved_form_that_is_cut_or_changed_is_an_error() {
    let world = World::signed_in(Keep::Always);
    let bytes = world.session.saved(world.now).unwrap().to_json();
    for length in 0..bytes.len() {
        let error = Saved::from_json(&bytes[..length]).unwrap_err();
        assert!(matches!(error, SavedError::Damaged { .. }), "{length}: {error:?}");
    }
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let changed =
        |from: &str, to: &str| Saved::from_json(text.replace(from, to).as_bytes()).unwrap_err();
    assert_eq!(changed("\"version\":2", "\"version\":3"), SavedError::Newer { found: 3 });
    assert!(matches!(
        changed("\"generation\"", "\"x\":1,\"generation\""),
        SavedError::Damaged { .. }
    ));
    assert_eq!(changed("access-1", "a b"), SavedError::Value { field: "access.token" });
    assert_eq!(changed("refresh-1", ""), SavedError::Value { field: "refresh.token" });
    assert_eq!(
        changed("\"generation\":1", "\"generation\":0"),
        SavedError::Value { field: "generation" }
    );
    let padded = |length: usize| {
        let space = " ".repeat(length - text.len());
        Saved::from_json((text.clone() + &space).as_bytes())
    };
    assert!(padded(65_536).is_ok());
    assert_eq!(padded(65_537).unwrap_err(), SavedError::TooLarge);
    let generation = |count: u64| {
        let form = text.replace("\"generation\":1", &format!("\"generation\":{count}"));
        Saved::from_json(form.as_bytes()).map(|saved| saved.generation())
    };
    let most = u64::MAX / 2;
    assert_eq!(generation(most), Ok(most));
    for count in [most + 1, u64::MAX] {
        assert_eq!(generation(count), Err(SavedError::Value { field: "generation" }));
    }
    assert!(!format!("{:?}", changed("access-1", "access 1")).contains("access 1"));
}

#[test]
fn a_saved_state_says_whose_it_is_and_shows_no_token() {
    let world = World::signed_in(Keep::Always);
    let saved = world.session.saved(world.now).unwrap();
    assert_eq!(saved.endpoint(), "https://service.example");
    assert_eq!((saved.agent_id(), saved.saved_at()), (Some(AGENT), world.now.wall));
    let expected = format!(
        "Saved {{ generation: 1, endpoint: {:?}, agent_id: Some({AGENT:?}), saved_at: {:?}, \
         in_doubt: false, .. }}",
        saved.endpoint(),
        world.now.wall
    );
    assert_eq!(format!("{saved:?}"), expected);
    assert!(format!("{:?}", world.session).contains("token: Token(..)"));
}

#[test]
fn a_list_of_a_saved_forms_values_is_none() {
    for list in [
        r#"[1,1,"https://service.example",null,0,null,null]"#,
        r#"{"version":1,"generation":1,"endpoint":"x","agent_id":null,"saved_at_us":0,
            "access":["t",1,1,1],"refresh":null}"#,
    ] {
        let error = Saved::from_json(list.as_bytes()).unwrap_err();
        assert!(matches!(error, SavedError::Damaged { .. }), "{error:?}");
    }
}

#[test]
fn a_token_of_any_visible_characters_survives_a_restart() {
    let odd: String = ('!'..='~').collect();
    let mut world = World::with_credentials(Keep::Always);
    world.sends(Purpose::SignIn);
    world.reply(&answer(200, &grant_of(&odd, Some(&odd), 900))).unwrap();
    let bytes = world.session.saved(world.now).unwrap().to_json();
    let mut restarted = World::empty();
    restarted.session.adopt(Saved::from_json(&bytes).unwrap(), restarted.now).unwrap();
    assert_eq!(restarted.ready().expose_token(), odd);
    restarted.pass(seconds(900));
    restarted.sends(Purpose::Refresh);
    assert_eq!(restarted.body()["refresh_token"], odd.as_str());
}
