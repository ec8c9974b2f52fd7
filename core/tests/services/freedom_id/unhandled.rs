//! What an answer that does not judge a refresh token does to it: nothing proves that it is unused.

use std::collections::BTreeSet;

use imts_core::exchange::Purpose;
use imts_core::policy::UnhandledRefresh;
use imts_core::service::{Field, Granted, Object, Success, Times, Tokens};
use imts_core::swap::{Register, StoreTime};
use imts_core::{Keep, Policy, Session, Step, services};

use crate::support::{DAY, ID, SECRET, World, endpoint, pair};

/// Answers that spare the token of a service with a way back.
const UNHANDLED: [u16; 10] = [302, 403, 404, 405, 410, 425, 429, 501, 502, 503];

fn policy(unhandled: UnhandledRefresh) -> Policy {
    let month = std::time::Duration::from_secs(30 * DAY);
    Policy::default().with_access_lifetime_cap(month).with_unhandled_refresh(unhandled)
}

fn signed_in(unhandled: UnhandledRefresh) -> World {
    let mut world = World::new();
    world.session =
        Session::new(endpoint(), services::freedom_id(), policy(unhandled)).expect("a session");
    world.takes_code("code-1");
    let ticket = world.sends(Purpose::SignIn);
    assert!(world.replied(ticket, 200, &pair(1)));
    world
}

#[test]
fn no_answer_lets_a_refresh_token_be_sent_again_and_the_good_token_serves_to_its_end() {
    for status in UNHANDLED {
        let mut world = World::signed_in();
        world.pass(7 * DAY - 100);
        let ticket = world.sends(Purpose::Refresh);
        assert!(!world.replied(ticket, status, "{}"));
        let health = world.session.health(world.now);
        assert!(health.needs_credentials(), "{status}: it is reported at once");
        assert!(health.last_error.is_some(), "{status}");
        for _ in 0..9 {
            assert_eq!(world.token(), "access-1", "{status}");
            world.pass(11);
        }
        world.pass(1);
        assert!(world.needs_a_code(), "{status}");
        world.pass(DAY);
        assert!(world.needs_a_code(), "{status}: however long nobody brings a code");
        world.takes_code("code-2");
        let ticket = world.sends(Purpose::SignIn);
        assert!(world.replied(ticket, 200, &pair(7)), "{status}");
        assert_eq!(world.token(), "access-7", "{status}");
    }
}

#[test]
fn a_policy_may_let_it_be_sent_again_after_an_answer_but_not_after_a_lost_one_or_a_failure() {
    for (status, is_sent_again) in
        UNHANDLED.map(|it| (it, it != 502)).into_iter().chain([(500, false)])
    {
        let mut world = signed_in(UnhandledRefresh::Keeps);
        world.pass(7 * DAY);
        let ticket = world.sends(Purpose::Refresh);
        assert!(!world.replied(ticket, status, "{}"));
        world.pass(3_601);
        if is_sent_again {
            let ticket = world.sends(Purpose::Refresh);
            assert!(world.replied(ticket, 200, &pair(7)), "{status}");
        } else {
            assert!(world.needs_a_code(), "{status}");
        }
    }
    let mut world = signed_in(UnhandledRefresh::Keeps);
    world.pass(7 * DAY);
    let ticket = world.sends(Purpose::Refresh);
    world.session.on_failure(ticket, imts_core::TransportError::unknown(), world.now);
    world.pass(3_601);
    assert!(world.needs_a_code(), "lost");
}

#[test]
fn a_sibling_does_not_send_a_refresh_token_again_that_an_answer_has_not_judged() {
    for status in UNHANDLED {
        let (mut store, mut world) = (Register::default(), World::new());
        let mut sent = BTreeSet::new();
        let mut sessions = [1, 2].map(|holder| {
            let policy = policy(UnhandledRefresh::UsesUp);
            let session = Session::new(endpoint(), services::freedom_id(), policy).unwrap();
            session.with_shared_store(holder).with_agent(ID).with_subject("user-1")
        });
        let credentials = imts_core::Credentials::new(ID, SECRET).unwrap().with_code("c").unwrap();
        sessions[0].sign_in(credentials, Keep::Once, world.now);
        // Each drives on in turn, long after the refresh token was first sent.
        for turn in 0..40 {
            let session = &mut sessions[turn % 2];
            for _ in 0..10 {
                let at = i64::try_from(world.now.mono.as_micros()).unwrap();
                match session.poll(world.now) {
                    Step::Swap(ticket, swap) => {
                        let answer = store.swap(&swap, StoreTime::from_micros(at), false);
                        session.on_swap(ticket, Ok(answer), world.now);
                    }
                    Step::Send(ticket, exchange) => {
                        let is_refresh = ticket.purpose() == Purpose::Refresh;
                        let request = exchange.into_request();
                        assert!(sent.insert(format!("{:?}", ticket.purpose())), "{status}: again");
                        drop(request);
                        std::mem::swap(&mut world.session, session);
                        let (status, body) =
                            if is_refresh { (status, "{}".to_owned()) } else { (200, pair(1)) };
                        let _ = world.replied(ticket, status, &body);
                        std::mem::swap(&mut world.session, session);
                    }
                    _ => break,
                }
            }
            world.pass(DAY / 4);
        }
        assert_eq!(sent.len(), 2, "{status}: a sign-in and one refresh");
        assert!(store.state.is_some_and(|state| state.is_in_doubt()), "{status}");
    }
}

#[test]
fn a_refresh_that_brings_no_new_token_leaves_none_unless_the_policy_keeps_it() {
    fn grant(success: Success<'_>) -> Result<Granted, imts_core::error::Malformed> {
        #[derive(serde::Deserialize)]
        struct Reply {
            token: String,
            refresh: Option<String>,
        }
        let Object(reply): Object<Reply> = success.json()?;
        let times = Times::without_clock(success);
        let access = Field::new("token", Some(reply.token.as_str()));
        let end = Field::new("end", Some("2025-03-04T06:35:50Z"));
        let granted = Granted::new(times, access, end)?;
        Ok(match reply.refresh.as_deref() {
            Some(it) => granted.with_refresh(Some(it), Some("2025-03-25T06:35:50Z")),
            None => granted,
        })
    }
    for (unhandled, is_kept) in [(UnhandledRefresh::UsesUp, false), (UnhandledRefresh::Keeps, true)]
    {
        let tokens = services::freedom_id().tokens().unwrap().clone();
        let sign_in = tokens.sign_in().clone();
        let refresh = tokens.refresh().unwrap().clone();
        let tokens = Tokens::new(sign_in, grant).with_refresh(refresh);
        let service = services::freedom_id().with_tokens(tokens);
        let mut world = World::new();
        world.session = Session::new(endpoint(), service, policy(unhandled)).unwrap();
        world.takes_code("code-1");
        let ticket = world.sends(Purpose::SignIn);
        assert!(world.replied(ticket, 200, r#"{"token":"a","refresh":"r"}"#));
        world.pass(7 * DAY - 100);
        let ticket = world.sends(Purpose::Refresh);
        assert!(world.replied(ticket, 200, r#"{"token":"b"}"#));
        assert_eq!(world.token(), "b");
        world.pass(200);
        match is_kept {
            true => _ = world.sends(Purpose::Refresh),
            false => assert!(world.needs_a_code()),
        }
    }
}
