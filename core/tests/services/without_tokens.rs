//! A call to a service that has no tokens, and so no session.

use std::time::Duration;

use http::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use imts_core::call::NotCallable;
use imts_core::error::{EncodeError, Malformed};
use imts_core::operation::{Auth, Json, Success};
use imts_core::secret::Body;
use imts_core::{
    Call, CallStep, Class, Credentials, Evidence, Keep, Operation, Outcome, Policy, Reply, Session,
    Step,
};

use crate::support::{START, endpoint, open};

macro_rules! operation {
    ($type:ident, $name:literal, $auth:ident) => {
        struct $type;

        impl Operation for $type {
            const NAME: &'static str = $name;
            const PATH: Option<&'static str> = Some("/order");
            const AUTH: Auth = Auth::$auth;
            const CLASS: Class = Class::Money;
            const EVIDENCE: Evidence = Evidence::Assumed;
            type Reply = Json;

            fn encode(&self) -> Result<Body, EncodeError> {
                Body::json(&serde_json::json!({ "amount": 1 }))
            }

            fn decode(success: Success<'_>) -> Result<Json, Malformed> {
                success.payload()
            }
        }
    };
}

operation!(Order, "order", None);
operation!(Signed, "signed", Bearer);

fn outcome(status: u16, body: &str) -> Outcome<Json> {
    let until = START.mono.after(Duration::from_secs(60));
    let mut call = Call::new(&Order, &open(), &endpoint(), Policy::default(), until).unwrap();
    let CallStep::Send(exchange) = call.poll(START) else { panic!("it needs no token") };
    assert_eq!(exchange.request().uri(), "https://passport.example/order");
    assert!(!exchange.request().headers().contains_key(AUTHORIZATION));
    let mut response = Response::new(body.as_bytes().to_vec());
    *response.status_mut() = status.try_into().unwrap();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    call.on_reply(Reply::from(&response), START);
    let CallStep::Over(outcome) = call.poll(START) else { panic!("it is over") };
    outcome
}

#[test]
fn it_is_made_without_a_session_and_reads_the_services_own_form() {
    let done = outcome(200, r#"{"id":17}"#);
    assert!(matches!(&done, Outcome::Done(reply) if reply.as_str() == r#"{"id":17}"#), "{done:?}");
    let error = r#"{"error":{"message":"no","code":5}}"#;
    for status in [200, 400] {
        let refused = outcome(status, error);
        let Outcome::Refused(refusal) = &refused else { panic!("{status}: {refused:?}") };
        assert_eq!((refusal.code(), refusal.message()), (None, None), "its secrets are not known");
    }
    assert!(matches!(outcome(200, "{"), Outcome::Unknown(_)), "money is not called done");
}

#[test]
fn an_operation_that_needs_a_token_cannot_be_called_there() {
    let until = START.mono.after(Duration::from_secs(60));
    let error = Call::new(&Signed, &open(), &endpoint(), Policy::default(), until).unwrap_err();
    assert_eq!(error, NotCallable::NoTokens { name: "signed".to_owned() });
}

#[test]
fn a_session_with_it_never_has_a_token_and_sends_nothing() {
    let mut session = Session::new(endpoint(), open(), Policy::default()).unwrap();
    session.sign_in(Credentials::new("a", "b").unwrap(), Keep::Always, START);
    assert!(matches!(session.poll(START), Step::SignIn { last: None }));
    assert!(session.call(&Order, START.mono.after(Duration::from_secs(60))).is_ok());
}
