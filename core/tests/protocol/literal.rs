//! Which spellings of `state` refuse a sign-in or a refresh, and which error shapes do.

use std::time::Duration;

use http::Response;
use imts_core::error::ReplyError;
use imts_core::exchange::Purpose;
use imts_core::session::RenewalCause;
use imts_core::{Keep, Policy, Step};

use crate::support::{AGENT, World, credentials, policy, session_with};

fn raw(status: u16, body: &[u8]) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.to_vec()).unwrap()
}

/// A session that has sent a request for this, under this policy.
fn sending(purpose: Purpose, policy: Policy) -> World {
    let mut world = World::with_credentials(Keep::Always);
    if purpose == Purpose::SignIn {
        world.session = session_with(policy);
        world.session.sign_in(credentials(AGENT), Keep::Always, world.now);
    } else {
        world = World::signed_in(Keep::Always);
        world.pass(Duration::from_secs(800));
    }
    world.sends(purpose);
    world
}

/// Whether a reply to a request for this is a refusal, as the error and the session have it.
fn is_refused(purpose: Purpose, response: &Response<Vec<u8>>, policy: Policy) -> bool {
    let mut world = sending(purpose, policy);
    let error = world.reply(response).unwrap_err();
    let refused = matches!(error.why(), RenewalCause::Reply(ReplyError::Refused(_)));
    if purpose == Purpose::SignIn {
        world.pass(Duration::from_secs(7_200));
        let step = world.session.poll(world.now);
        let is_latched = matches!(step, Step::SignIn { .. });
        assert_eq!(is_latched, refused, "a refused secret is not tried again: {step:?}");
    }
    refused
}

/// Values of `state` that the grammar of JSON does not have, or that are not `false`.
const NOT_FALSE: [&str; 34] = [
    "0x10",
    "0b1",
    "0o7",
    "0x0",
    "00",
    "01",
    "0_0",
    "0.",
    "0e",
    "+0",
    ".0",
    "0",
    "-0",
    "0.0",
    "0e0",
    "0L",
    "falsehood",
    "falsey",
    "false0",
    "false_",
    "false.",
    "false!",
    "false;",
    "false\"x\"",
    "false[]",
    "false{}",
    "false:1",
    "false false",
    "False",
    "FALSE",
    "fals",
    "'false'",
    "\"false\"",
    "null",
];

#[test]
fn only_the_literal_false_is_a_state_that_refuses() {
    for purpose in [Purpose::SignIn, Purpose::Refresh] {
        for state in NOT_FALSE {
            for body in [
                format!("{{\"state\":{state}}}"),
                format!("{{\"state\": {state} ,\"message\":\"no\"}}"),
                format!("{{\"message\":\"no\",\"state\":{state}"),
                format!("\u{feff}{{\"state\":{state}}}"),
                format!("{{\"state\":false,\"state\":{state}}}"),
            ] {
                let refused = is_refused(purpose, &raw(200, body.as_bytes()), policy());
                assert!(!refused, "{purpose}: {body}");
            }
        }
        for after in
            ["}", " }", "\n}x", ",\"a\":1}", " ,", "", " ", "}{\"state\":true}", ",\"a\":0x10}"]
        {
            let body = format!("{{\"state\" : false{after}");
            assert!(is_refused(purpose, &raw(200, body.as_bytes()), policy()), "{purpose}: {body}");
        }
    }
}

#[test]
fn a_refresh_token_is_kept_under_a_server_error_that_does_not_say_false() {
    for state in NOT_FALSE {
        let body = format!("{{\"state\":{state},\"message\":\"no\"}}");
        for status in [500, 502] {
            let refused = is_refused(Purpose::Refresh, &raw(status, body.as_bytes()), policy());
            assert!(!refused, "{status} {body}");
        }
    }
}

/// The error shapes that the vendor prints for its other APIs, and what is near to them.
const ERRORS: [&str; 6] = [
    r#"{"status":"error","error_code":100101,"error_description":"no","dt":"x"}"#,
    r#"{"status":"error"}"#,
    r#"{"error":{"message":"no","code":100101}}"#,
    r#"{"error":{"message":"no","errors":{"grants":["no"]}}}"#,
    "\u{feff}{\"status\":\"error\",\"error_description\":\"no\"}trailing",
    r#"{"stat\u0075s":"err\u006fr","error_descrip"#,
];
const NOT_ERRORS: [&str; 13] = [
    r#"{"state":true,"status":"error"}"#,
    r#"{"state":null,"error":{"message":"no"}}"#,
    r#"{"state":0x10,"status":"error"}"#,
    r#"{"status":"ok","error_description":"no"}"#,
    r#"{"status":"Error"}"#,
    r#"{"status":"errors"}"#,
    r#"{"status":"ok","status":"error"}"#,
    r#"{"payload":{"status":"error"}}"#,
    r#"{"error":"no"}"#,
    r#"{"error":null}"#,
    r#"{"error":{}}"#,
    r#"{"error":["message"]}"#,
    r#"{"message":"no","code":7}"#,
];

#[test]
fn an_error_shape_of_the_vendors_other_apis_refuses_under_2xx_unless_the_policy_says_otherwise() {
    let mut strict = policy();
    strict.error_shape_refuses = false;
    for purpose in [Purpose::SignIn, Purpose::Refresh] {
        for status in [200, 202] {
            for body in ERRORS {
                let response = raw(status, body.as_bytes());
                assert!(is_refused(purpose, &response, policy()), "{purpose} {status} {body}");
            }
            for body in NOT_ERRORS {
                let response = raw(status, body.as_bytes());
                assert!(!is_refused(purpose, &response, policy()), "{purpose} {status} {body}");
            }
        }
        for body in ERRORS {
            assert!(!is_refused(purpose, &raw(502, body.as_bytes()), policy()), "{purpose} {body}");
        }
    }
    for body in ERRORS {
        let response = raw(200, body.as_bytes());
        assert!(!is_refused(Purpose::SignIn, &response, strict.clone()), "{body}");
    }
}

#[test]
fn a_refresh_that_an_error_shape_refuses_is_over_and_signs_in_at_once() {
    for body in ERRORS {
        let mut world = sending(Purpose::Refresh, policy());
        world.reply(&raw(200, body.as_bytes())).unwrap_err();
        world.sends(Purpose::SignIn);
        let usable = world.session.phase(world.now).usable().unwrap();
        assert!(usable.refresh_expire_at().is_none(), "{body}");
    }
}
