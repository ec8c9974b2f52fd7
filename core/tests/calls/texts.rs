//! What values say of themselves: enough to tell them by, and nothing that is secret.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use imts_core::call::CallError;
use imts_core::error::{EncodeError, Malformed, Refusal};
use imts_core::exchange::Purpose;
use imts_core::journal::Digest;
use imts_core::operation::Custom;
use imts_core::operation::{Auth, Json, Success};
use imts_core::secret::Body;
use imts_core::service::{Field, Granted, Text, Times};
use imts_core::services::transfer::{Amount, CardNumber, Confirm, Iban, Phone, Signature};
use imts_core::session::RenewalError;
use imts_core::transport_error::{NotSent, Source};
use imts_core::{
    CallStep, Class, Credentials, Endpoint, Evidence, Keep, Now, Operation, Outcome, Recovery,
    Reply, Session, Step, Ticket, TransportError,
};
use serde_json::json;

use crate::support::{Act, Desk, TIME, answer, lost, not_sent};

/// How a value shows itself in a log.
fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// How a value is printed, alone and in a column.
fn printed(value: impl Display) -> String {
    let (alone, column) = (value.to_string(), format!("{value:>12}"));
    assert!(column.ends_with(&alone) && column.chars().count() >= 12, "{column:?}");
    alone
}

#[test]
fn what_is_secret_or_points_at_a_person_shows_that_it_is_there_and_no_more() {
    let credentials = Credentials::new("agent-7", "s3cret").unwrap();
    assert_eq!(shown(&credentials), r#"Credentials { agent_id: "agent-7", .. }"#);
    assert_eq!(shown(&Desk::new().bearer()), "Bearer { epoch: Epoch(1), .. }");
    assert_eq!(shown(&Body::from(b"s3cret".to_vec())), "Body(6 bytes)");
    assert_eq!(shown(&Json::parse(r#" "s3cret" "#).unwrap()), "Json(8 bytes)");
    assert_eq!(shown(&"+998901234567".parse::<Phone>().unwrap()), "Phone(..)");
    assert_eq!(shown(&"DE89370400440532013000".parse::<Iban>().unwrap()), "Iban(..)");
    assert_eq!(shown(&"4111111111111111".parse::<CardNumber>().unwrap()), "CardNumber(..)");
    assert_eq!(shown(&Signature::new("s3cret").unwrap()), "Signature { .. }");
    let headers = HeaderMap::new();
    let reply = Reply::new(StatusCode::OK, &headers, b"s3cret");
    assert_eq!(shown(&reply), "Reply { status: 200, body_bytes: 6, .. }");
    let own = Custom::<Confirm, _>::new("s3cret").with_reference("17");
    let own: Custom<Confirm, _, Json> = own;
    assert_eq!(shown(&own), r#"Custom { name: "confirm", reference: Some("17"), .. }"#);
}

#[test]
fn a_call_and_its_ends_show_whose_they_are() {
    let mut desk = Desk::new();
    let call = desk.call::<Confirm>();
    let deadline = "deadline: Mono(61000000)";
    let expected = format!(r#"Call {{ operation: Some("confirm"), attempts: 0, {deadline}, .. }}"#);
    assert_eq!(shown(&call), expected);
    let Outcome::Failed(failed) = desk.pays(vec![not_sent(), not_sent(), not_sent()]) else {
        panic!("it was not sent")
    };
    assert_eq!(shown(&failed), format!("Failed {{ why: {:?}, .. }}", failed.why()));
    let permit = failed.into_permit().unwrap();
    assert_eq!(shown(&permit), r#"Permit { operation: "confirm", .. }"#);
    let refusal = json!({ "code": "E7", "message": "no" });
    let Outcome::Refused(refusal) = desk.pays(vec![answer(422, &refusal)]) else {
        panic!("it was refused")
    };
    let texts = r#"code: Some("E7"), message: Some("no"), retry_after: None, body_bytes: 28"#;
    assert_eq!(shown(&refusal), format!("Refusal {{ status: 422, {texts}, .. }}"));
    assert_eq!(refusal.to_string(), "the service refused (status 422, code E7): no");
}

#[test]
fn names_are_printed_as_outputs_have_them() {
    let endpoint = Endpoint::https("https://service.example").unwrap();
    assert_eq!(endpoint.to_string(), "https://service.example");
    assert_eq!(printed(Evidence::Draft), "draft");
    assert_eq!(printed(Recovery::SignIn), "sign_in");
    assert_eq!(printed(Class::Money), "money");
    assert_eq!(printed(Purpose::Refresh), "refresh");
    assert_eq!(shown(&"15.40".parse::<Amount>().unwrap()), "15.4");
    assert_eq!(Digest::of(b"a").to_string(), "af63dc4c8601ec8c");
    let error = Signature::new("").unwrap_err();
    assert_eq!((error.field(), error.form()), ("pg_sig", "1 to 512 bytes"));
    assert_eq!(error.to_string(), "the field `pg_sig` must be 1 to 512 bytes");
    for class in [Class::Read, Class::Create, Class::Money] {
        assert_eq!(Class::from_name(class.as_str()), Some(class));
    }
    assert_eq!(Class::from_name("Money"), None);
}

/// What stands at the end of an error's text: what caused it. Its sources say no more than that.
fn cause(error: &dyn Error) -> Option<String> {
    assert!(error.source().is_none(), "{error}: it is printed twice");
    let text = error.to_string();
    let cause = [": disk is full", " (reset by peer)", " (reset)"].into_iter();
    let said: Vec<_> = cause.filter(|cause| text.matches(cause).count() == 1).collect();
    said.first().map(|cause| cause.trim_matches([' ', ':', '(', ')']).to_owned())
}

#[test]
fn an_error_names_once_what_the_driver_says_caused_it() {
    let reset = || io::Error::other("reset by peer");
    let failure = TransportError::not_sent(NotSent::vouch()).timed_out().because(reset());
    assert!(failure.is_timed_out() && !TransportError::unknown().is_timed_out());
    let text = "timed out connecting to the service (reset by peer)";
    assert_eq!(failure.to_string(), text);
    assert_eq!(cause(&failure).as_deref(), Some("reset by peer"));
    assert_eq!(cause(&TransportError::unknown()), None);

    let mut desk = Desk::new();
    let why = |act: Act, desk: &mut Desk| match desk.pays(vec![act]) {
        Outcome::Unknown(unknown) => unknown.why().clone(),
        other => panic!("{other:?}"),
    };
    let broken = why(Act::Fail(TransportError::unknown().because(reset())), &mut desk);
    assert_eq!(cause(&broken).as_deref(), Some("reset by peer"));
    assert_eq!(cause(&why(lost(), &mut desk)), None);
    assert_eq!(cause(&why(answer(500, &json!({})), &mut desk)), None);
    let full = || Source::from(Box::<dyn Error + Send + Sync>::from("disk is full"));
    for fault in [CallError::NoToken(full(), Recovery::SignIn), CallError::Journal(full())] {
        assert_eq!(cause(&fault).as_deref(), Some("disk is full"));
    }

    let mut renewal = |fails: fn(&mut Session, Ticket, Now) -> Arc<RenewalError>| {
        let credentials = Credentials::new("agent-7", "s3cret").unwrap();
        desk.session.sign_in(credentials, Keep::Once, desk.now);
        let Step::Send(ticket, _) = desk.session.poll(desk.now) else { panic!("no sign-in") };
        let error = fails(&mut desk.session, ticket, desk.now);
        desk.now = desk.now.advanced_by(Duration::from_secs(60));
        cause(error.as_ref())
    };
    let reset = |session: &mut Session, ticket, now| {
        session.on_failure(
            ticket,
            TransportError::unknown().because(io::Error::other("reset")),
            now,
        )
    };
    assert_eq!(renewal(reset).as_deref(), Some("reset"));
    let answered = |session: &mut Session, ticket, now| {
        let Act::Answer(response) = answer(500, &json!({})) else { unreachable!() };
        session.on_reply(ticket, Reply::from(&response), now).unwrap_err()
    };
    assert_eq!(renewal(answered), None);
}

/// Reads nothing, and tells what it was given.
struct Told;

impl Operation for Told {
    const NAME: &'static str = "confirm";
    const PATH: Option<&'static str> = None;
    const AUTH: Auth = Auth::Bearer;
    const CLASS: Class = Class::Money;
    const EVIDENCE: Evidence = Evidence::Unknown;
    type Reply = String;

    fn encode(&self) -> Result<Body, EncodeError> {
        Body::json(&json!({}))
    }

    fn decode(success: Success<'_>) -> Result<String, Malformed> {
        let token = Field::new("access_token", Some("canary"));
        let end = Field::new("access_expire_at", Some("2025-07-23T11:32:31Z"));
        let time = Field::new("response_time", Some("2025-07-23T11:17:31Z"));
        let granted = Granted::new(Times::printed(time, success)?, token, end)?;
        Ok(format!(
            "{success:?} {granted:?} {token:?} {:?} {}",
            Text::Borrowed("canary"),
            success.body().len()
        ))
    }
}

#[test]
fn a_success_and_a_grant_show_no_more_than_their_size_and_their_life() {
    let mut desk = Desk::new();
    let grant = json!({ "state": true, "response_time": "2025-07-23T11:17:31Z", "payload": {
        "access_token": "canary", "access_expire_at": "2025-07-23T11:32:31Z",
    } });
    let length = grant.to_string().len();
    let call = desk.session.call(&Told, desk.now.mono.after(TIME)).unwrap();
    let Outcome::Done(told) = desk.drive(call, vec![answer(200, &grant)]) else {
        panic!("it was done")
    };
    let granted = "Granted { access_lifetime: 900s, .. }";
    let field = "Field { name: \"access_token\", .. } Text(..)";
    let expected = format!("Success {{ body_bytes: {length}, .. }} {granted} {field} {length}");
    assert_eq!(told, expected);
}

#[test]
fn an_exchange_says_how_much_of_its_reply_is_worth_reading() {
    let mut policy = crate::support::policy();
    policy.reply_limit = 1_234;
    let mut desk = Desk::with(policy, crate::support::catalogue());
    let mut call = desk.call::<Confirm>();
    call.on_bearer(desk.bearer());
    let CallStep::Send(exchange) = call.poll(desk.now) else { panic!("it is sent") };
    assert_eq!(exchange.reply_limit(), 1_234);
}

#[test]
fn a_refusal_without_words_is_printed_by_its_status() {
    let Outcome::Refused(refusal) = Desk::new().pays(vec![answer(422, &json!({}))]) else {
        panic!("it was refused")
    };
    let refusal: Refusal = refusal;
    assert_eq!(refusal.to_string(), "the service refused (status 422)");
}
