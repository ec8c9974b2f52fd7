//! A token that the service rejected is never served again, however it comes back.

use imts_core::Keep;

use crate::support::{AGENT, World, answer, credentials, grant_of, other_secret, seconds};

/// Grants this token, by whatever request is due.
fn is_granted(world: &mut World, token: &str) -> bool {
    for _ in 0..200 {
        if matches!(world.ask(), 'S' | 'F') {
            return world.reply(&answer(200, &grant_of(token, Some("r"), 900))).is_ok();
        }
        world.pass(seconds(1));
    }
    panic!("nothing is sent");
}

#[test]
fn signing_the_same_agent_in_again_does_not_forget_them() {
    for keep in [Keep::Always, Keep::Once] {
        for secret in [credentials(AGENT), other_secret(1)] {
            let mut world = World::signed_in(Keep::Always);
            world.rejects();
            world.session.sign_in(secret, keep, world.now);
            assert!(!is_granted(&mut world, "access-1"), "granted again after its rejection");
            assert!(world.session.phase(world.now).usable().is_none());
        }
    }
}

#[test]
fn the_last_sixteen_are_remembered_and_the_oldest_goes_first() {
    let mut world = World::with_credentials(Keep::Always);
    for n in 0..17 {
        assert!(is_granted(&mut world, &format!("token-{n}")));
        world.rejects();
    }
    for n in 1..17 {
        assert!(!is_granted(&mut world, &format!("token-{n}")), "token {n} of 17 comes back");
    }
    assert!(is_granted(&mut world, "token-0"), "sixteen are kept, and no more");
}

#[test]
fn each_of_several_rejected_tokens_is_refused_when_a_sibling_brings_it_back() {
    let mut world = World::with_credentials(Keep::Always);
    let mut saved = Vec::new();
    for n in 0..3 {
        assert!(is_granted(&mut world, &format!("token-{n}")));
        saved.push(world.session.saved(world.now).unwrap().to_json());
        world.rejects();
    }
    for (n, bytes) in saved.iter().enumerate() {
        let mut form: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        form["generation"] = (100 + n).into();
        let form = form.to_string();
        let state = imts_core::Saved::from_json(form.as_bytes()).unwrap();
        world.session.adopt(state, world.now).unwrap();
        assert!(world.session.phase(world.now).usable().is_none(), "token {n}");
        assert_ne!(world.ask(), 'R');
    }
}
