//! A service without a way back in: a code that works once, then a refresh token that rotates.

mod forms;
mod revocation;
mod table;
mod unhandled;

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use imts_core::exchange::Purpose;
use imts_core::swap::{Register, StoreTime, SwapError};
use imts_core::transport_error::NotSent;
use imts_core::transport_error::Source;
use imts_core::{Step, TransportError};

use crate::support::{BASIC, DAY, ID, SECRET, World, pair};

const REFUSED: &str = r#"{"error":{"message":"Invalid authorization_code.","code":100101}}"#;

#[test]
fn a_sign_in_carries_the_client_by_basic_and_the_code_in_its_body() {
    let mut world = World::signed_in();
    let request = world.sent.take().unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://passport.example/api/v1/oauth/token");
    assert_eq!(request.headers()[AUTHORIZATION], format!("Basic {BASIC}"));
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    assert_eq!(request.body().as_ref(), br#"{"authorization_code":"code-1"}"#);
    assert_eq!(world.token(), "access-1");
    world.pass(7 * DAY - 130);
    assert_eq!(world.token(), "access-1", "seven days");
}

#[test]
fn a_refresh_is_a_patch_with_its_token_as_bearer_and_no_body() {
    let mut world = World::signed_in();
    world.pass(7 * DAY - 60);
    let ticket = world.sends(Purpose::Refresh);
    let request = world.sent.take().unwrap();
    assert_eq!((request.method().as_str(), request.body().as_ref()), ("PATCH", &b""[..]));
    assert!(!request.headers().contains_key(CONTENT_TYPE));
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer refresh-1");
    assert!(world.replied(ticket, 200, &pair(7)));
    assert_eq!(world.token(), "access-7");
    world.pass(7 * DAY);
    let _ = world.sends(Purpose::Refresh);
    assert_eq!(world.sent.unwrap().headers()[AUTHORIZATION], "Bearer refresh-7", "rotated");
}

#[test]
fn a_refresh_whose_reply_is_lost_is_not_sent_again_and_the_good_token_serves_to_its_end() {
    let mut world = World::signed_in();
    world.pass(7 * DAY - 60);
    let ticket = world.sends(Purpose::Refresh);
    world.session.on_failure(ticket, TransportError::unknown(), world.now);
    assert_eq!(world.token(), "access-1");
    assert!(world.session.health(world.now).needs_credentials(), "and that is reported");
    world.pass(58);
    assert_eq!(world.token(), "access-1");
    world.pass(2);
    assert!(world.needs_a_code());
    world.takes_code("code-2");
    let ticket = world.sends(Purpose::SignIn);
    assert!(world.replied(ticket, 200, &pair(7)));
    assert_eq!(world.token(), "access-7");
}

#[test]
fn a_refresh_that_was_not_sent_is_sent_again() {
    let mut world = World::signed_in();
    world.pass(7 * DAY);
    let ticket = world.sends(Purpose::Refresh);
    world.session.on_failure(ticket, TransportError::not_sent(NotSent::vouch()), world.now);
    assert!(matches!(world.session.poll(world.now), Step::Wait { .. }));
    world.pass(1);
    let ticket = world.sends(Purpose::Refresh);
    assert!(world.replied(ticket, 200, &pair(7)));
}

#[test]
fn a_refused_refresh_ends_the_session_in_both_forms() {
    for status in [200, 400, 401, 422] {
        let mut world = World::signed_in();
        world.pass(7 * DAY);
        let ticket = world.sends(Purpose::Refresh);
        assert!(!world.replied(ticket, status, REFUSED));
        assert!(world.needs_a_code(), "{status}");
        let last = world.session.last_error().unwrap();
        assert_eq!(last.kind(), "refused");
        assert!(last.to_string().contains("100101): Invalid authorization_code."), "{last}");
    }
}

#[test]
fn a_code_is_used_up_once_its_request_may_have_left() {
    let ends: [fn(&mut World, imts_core::Ticket); 5] = [
        |world, ticket| _ = world.session.on_failure(ticket, TransportError::unknown(), world.now),
        |world, ticket| _ = world.replied(ticket, 200, REFUSED),
        |world, ticket| _ = world.replied(ticket, 503, "{}"),
        |world, ticket| _ = world.replied(ticket, 200, "{}"),
        |world, _| world.pass(31),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut world = World::new();
        world.takes_code("code-1");
        let ticket = world.sends(Purpose::SignIn);
        end(&mut world, ticket);
        assert!(world.needs_a_code(), "{number}");
        world.takes_code("code-1");
        assert!(world.needs_a_code(), "{number}: the same code again is not a new one");
        world.takes_code("code-2");
        let _ = world.sends(Purpose::SignIn);
    }
}

#[test]
fn a_code_that_was_not_sent_is_kept_and_one_that_worked_is_not() {
    let mut world = World::new();
    world.takes_code("code-1");
    let ticket = world.sends(Purpose::SignIn);
    world.session.on_failure(ticket, TransportError::not_sent(NotSent::vouch()), world.now);
    world.pass(1);
    let ticket = world.sends(Purpose::SignIn);
    world.session.withdraw(ticket);
    let ticket = world.sends(Purpose::SignIn);
    assert!(world.replied(ticket, 200, &pair(1)));
    world.takes_code("code-1");
    assert_eq!(world.token(), "access-1", "no sign-in is due");
}

#[test]
fn after_both_tokens_have_ended_only_a_code_helps() {
    let mut world = World::signed_in();
    world.pass(28 * DAY);
    assert!(world.needs_a_code());
    // The client alone cannot sign in.
    let client = imts_core::Credentials::new(ID, SECRET).unwrap();
    world.session.sign_in(client, imts_core::Keep::Always, world.now);
    assert!(world.needs_a_code());
}

#[test]
fn credentials_without_a_code_do_not_keep_a_session_from_refreshing() {
    let mut world = World::signed_in();
    let client = imts_core::Credentials::new(ID, SECRET).unwrap();
    world.session.sign_in(client, imts_core::Keep::Always, world.now);
    world.pass(7 * DAY);
    let _ = world.sends(Purpose::Refresh);
}

#[test]
fn basic_is_base_64_with_its_padding() {
    // The first is the example of RFC 7617, section 2.
    let pairs = [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("ab", "cd", "Basic YWI6Y2Q="),
        ("ab", "cde", "Basic YWI6Y2Rl"),
        ("~~", "??", "Basic fn46Pz8="),
    ];
    for (id, secret, header) in pairs {
        let mut world = World::new();
        let credentials = imts_core::Credentials::new(id, secret).unwrap().with_code("c").unwrap();
        world.session.sign_in(credentials, imts_core::Keep::Once, world.now);
        let _ = world.sends(Purpose::SignIn);
        assert_eq!(world.sent.unwrap().headers()[AUTHORIZATION], header);
    }
}

#[test]
fn nothing_is_used_before_it_is_saved_however_long_the_save_takes() {
    let mut world = World::new();
    world.session = world.session.with_store();
    world.takes_code("code-1");
    let ticket = world.sends(Purpose::SignIn);
    assert!(world.replied(ticket, 200, &pair(1)));
    for _ in 0..3 {
        let step = world.session.poll(world.now);
        assert!(matches!(step, Step::Save(..)), "{step:?}");
        assert!(matches!(world.session.poll(world.now), Step::Busy { .. }));
        if let Step::Save(save, _) = step {
            world.session.on_save_failed(save, world.now);
        }
        assert!(matches!(world.session.poll(world.now), Step::Busy { .. }));
        world.pass(6);
    }
    let Step::Save(save, _) = world.session.poll(world.now) else { panic!("it is not saved") };
    world.session.on_saved(save, world.now);
    assert_eq!(world.token(), "access-1");
}

#[test]
fn nothing_is_used_before_a_shared_store_has_it_and_no_code_is_used_up_without_the_store() {
    let mut store = Register::default();
    let mut answers = [true, false, false, false, true].into_iter();
    let mut world = World::new();
    world.session = world.session.with_shared_store(7);
    world.takes_code("code-1");
    let mut swaps = 0;
    let ticket = loop {
        match world.session.poll(world.now) {
            Step::Swap(ticket, swap) => {
                swaps += 1;
                let at = StoreTime::from_micros(i64::try_from(world.now.mono.as_micros()).unwrap());
                let answer = match answers.next().unwrap_or(true) {
                    true => Ok(store.swap(&swap, at, false)),
                    false => Err(Arc::new(SwapError::TimedOut) as Source),
                };
                world.session.on_swap(ticket, answer, world.now);
            }
            Step::Send(ticket, _) => {
                assert!(world.replied(ticket, 200, &pair(1)));
            }
            Step::Wait { until, last } => {
                assert_eq!(last.kind(), "store");
                assert!(world.session.phase(world.now).usable().is_none(), "it is not saved");
                world.now = world.now.advanced_by(until.since(world.now.mono));
            }
            Step::Ready(bearer) => break bearer,
            step => panic!("{step:?}"),
        }
    };
    assert_eq!((ticket.expose_token(), swaps), ("access-1", 5));
    assert!(store.state.is_some_and(|state| !state.is_in_doubt()));

    let mut world = World::new();
    world.session = world.session.with_shared_store(7);
    world.takes_code("code-1");
    let Step::Swap(ticket, _) = world.session.poll(world.now) else { panic!("a claim is due") };
    world.session.on_swap(ticket, Err(Arc::new(SwapError::TimedOut)), world.now);
    let step = world.session.poll(world.now);
    assert!(matches!(step, Step::Wait { .. }), "it never signs in alone: {step:?}");
}

#[test]
fn no_secret_comes_out_in_any_text() {
    let quoting = format!(
        r#"{{"error":{{"message":"no code-1, {SECRET}, {BASIC}, refresh-1, access-1","code":1}}}}"#
    );
    let mut texts = Vec::new();
    let mut world = World::new();
    world.takes_code("code-1");
    let ticket = world.sends(Purpose::SignIn);
    texts.push(format!("{:?} {:?}", world.session, world.sent));
    world.replied(ticket, 400, &quoting);
    let last = world.session.last_error().unwrap();
    assert!(last.to_string().contains("no [redacted], [redacted], [redacted], "), "{last}");
    texts.push(format!("{last} {last:?} {:?}", world.session).replace("refresh-1, access-1", ""));
    let mut world = World::signed_in();
    texts.push(format!("{:?} {:?}", world.session, world.session.saved(world.now)));
    world.pass(7 * DAY - 60);
    let ticket = world.sends(Purpose::Refresh);
    texts.push(format!("{:?} {:?}", world.session, world.sent));
    world.replied(
        ticket,
        400,
        &quoting.replace("code-1", "").replace(SECRET, "").replace(BASIC, ""),
    );
    let last = world.session.last_error().unwrap();
    texts.push(format!("{last} {last:?} {:?}", world.session));
    for text in texts {
        for secret in ["code-1", SECRET, BASIC, "refresh-1", "access-1"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
