//! What is sent: signed once, the same in each attempt, and not at all if a key or an id is missing.

use std::time::Duration;

use http::HeaderValue;
use imts_core::call::{Keys, NotCallable, SignError, Signatory};
use imts_core::journal::IntentError;
use imts_core::operation::{Account, Auth, PgBody, PgForm, Repeat};
use imts_core::sign::jws::{Algorithm, JwsForm, JwsKey, JwsSigner};
use imts_core::sign::pg_sig::{PgFields, PgSignError, PgSigner, Script};
use imts_core::transport_error::NotSent;
use imts_core::{CallStep, Endpoint, Policy, TransportError};

use crate::support::{
    RANDOM, URL, at, catalogue, deadline, json, keys, pg_signer, request, service, signatory,
};

const BODY: &str = r#"{ "request_id": "r-1", "amount": "10.50" }"#;

#[test]
fn the_signed_bytes_are_the_sent_bytes_in_each_attempt() {
    let signatory = signatory(service(catalogue(Auth::Jws, &Repeat::Unknown)));
    let mut call = signatory.call_named("pay", &json(BODY), RANDOM, deadline()).unwrap();
    let first = request(&mut call);
    assert_eq!(first.body().as_ref(), BODY.as_bytes(), "nothing is serialized again");
    let key = JwsKey::new("a key").unwrap();
    let verifier = JwsSigner::new(JwsForm::partner(Algorithm::Hs256), "partner-7", &key).unwrap();
    verifier.verify(&first).unwrap();
    assert!(first.headers()["x-jws-signature"].is_sensitive());
    assert!(!first.headers().contains_key("authorization"));

    call.on_failure(TransportError::not_sent(NotSent::vouch()), at(0));
    let CallStep::Wait { .. } = call.poll(at(0)) else { panic!("it backs off") };
    let CallStep::Send(second) = call.poll(at(100)) else { panic!("it is sent again") };
    assert_eq!(second.request().headers(), first.headers());
    assert_eq!(second.request().body().as_ref(), first.body().as_ref());
}

#[test]
fn a_request_with_pg_sig_is_written_in_the_form_of_its_operation() {
    for (body, content_type) in [
        (PgBody::Form, "application/x-www-form-urlencoded"),
        (PgBody::XmlField, "application/x-www-form-urlencoded"),
        (PgBody::Json, "application/json"),
    ] {
        let mut operations = catalogue(Auth::PgSig(Account::Payouts), &Repeat::Unknown);
        operations.set_pg_form("pay", PgForm::new().with_body(body)).unwrap();
        let signatory = signatory(service(operations));
        let mut call = signatory.call_named("pay", &json(BODY), RANDOM, deadline()).unwrap();
        let request = request(&mut call);
        assert_eq!(request.headers()["content-type"], content_type);
        let sent = request.body().as_ref();
        let fields = match body {
            PgBody::Json => PgFields::from_json(sent).unwrap(),
            _ => PgFields::from_form(sent).unwrap(),
        };
        let script = Script::of("/v5/pay").unwrap();
        let verified = pg_signer().verify(Account::Payouts, &script, fields).unwrap();
        assert_eq!(verified.text("amount"), Ok("10.50"));
        assert_eq!(verified.text("pg_merchant_id"), Ok("500"), "the keys' merchant");
        assert_eq!(verified.text("pg_salt"), Ok("hhhhhhhhhhhhhhhh"), "the random bytes' salt");
    }
}

#[test]
fn an_operations_own_headers_and_its_reference_go_with_each_attempt() {
    let mut operations = catalogue(Auth::Jws, &Repeat::Replayed);
    operations.set_header("pay", "X-Action", "gateway.payment.reverse").unwrap();
    operations.set_reference_header("pay", "X-Request-Id").unwrap();
    let signatory = signatory(service(operations));
    let call = signatory.call_named("pay", &json("{}"), RANDOM, deadline()).unwrap();
    let mut call = call.with_reference("0197f1");
    for now in [at(0), at(100)] {
        let CallStep::Send(exchange) = call.poll(now) else { panic!("it is due") };
        let headers = exchange.request().headers();
        assert_eq!(headers["x-action"], HeaderValue::from_static("gateway.payment.reverse"));
        assert_eq!(headers["x-request-id"], HeaderValue::from_static("0197f1"));
        call.on_failure(TransportError::unknown(), now);
        let _ = call.poll(now);
    }
}

#[test]
fn headers_that_the_protocol_sets_cannot_be_an_operations_own() {
    let mut operations = catalogue(Auth::Jws, &Repeat::Unknown);
    for name in ["Authorization", "content-length", "Host", "no header"] {
        assert!(operations.set_header("pay", name, "x").is_err(), "{name}");
        assert!(operations.set_reference_header("pay", name).is_err(), "{name}");
    }
    assert!(operations.set_header("pay", "x-a", "line\nbreak").is_err());
}

#[test]
fn basic_credentials_go_with_an_operation_that_needs_them() {
    let signatory = signatory(service(catalogue(Auth::Basic, &Repeat::Unknown)));
    let mut call = signatory.call_named("read", &json(BODY), RANDOM, deadline()).unwrap();
    let request = request(&mut call);
    assert_eq!(request.headers()["authorization"], "Basic aWQ6czNjcmV0");
    assert!(request.headers()["authorization"].is_sensitive());
}

#[test]
fn without_the_key_that_it_needs_a_call_is_not_made() {
    let without = |auth, keys| {
        let service = service(catalogue(auth, &Repeat::Unknown));
        let endpoint = Endpoint::https(URL).unwrap();
        let signatory = Signatory::new(endpoint, service, Policy::default(), keys);
        match signatory.call_named("pay", &json(BODY), RANDOM, deadline()) {
            Err(NotCallable::Sign { name, why }) => (name, why),
            other => panic!("{other:?}"),
        }
    };
    for auth in [Auth::Basic, Auth::Jws, Auth::PgSig(Account::Accepting)] {
        let (name, why) = without(auth, Keys::new());
        assert_eq!(name, "pay");
        assert!(matches!(why, SignError::NoKey { .. }), "{why:?}");
    }
    let accepting_only = PgSigner::new()
        .with_accepting(imts_core::sign::pg_sig::AcceptingKey::new("accepting").unwrap());
    let account = Account::Payouts;
    let (_, why) = without(Auth::PgSig(account), Keys::new().with_pg_sig("500", accepting_only));
    assert_eq!(why, SignError::PgSig(PgSignError::NoKey { account }), "never the other key");
}

#[test]
fn what_cannot_be_signed_in_one_way_is_not_sent() {
    let auth = Auth::PgSig(Account::Accepting);
    let signatory = signatory(service(catalogue(auth, &Repeat::Unknown)));
    let why = |body: &str| match signatory.call_named("pay", &json(body), RANDOM, deadline()) {
        Err(NotCallable::Sign { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let entries: Vec<_> = (1..=12).map(|entry| entry.to_string()).collect();
    let twelve = format!(r#"{{"a":[{}]}}"#, entries.join(","));
    assert_eq!(why(&twelve), SignError::PgSig(PgSignError::Ambiguous));
    assert!(matches!(why(r#"{"a":true}"#), SignError::PgFields(_)));
    assert_eq!(why(r#"{"pg_merchant_id":"501"}"#), SignError::Party { field: "pg_merchant_id" });
    assert!(matches!(why(r#"{"a":""}"#), SignError::PgSig(PgSignError::Empty { .. })));
}

#[test]
fn a_call_that_the_service_could_not_recognize_is_not_sent() {
    for repeat in [Repeat::Replayed, Repeat::refused(["1002"])] {
        let signatory = signatory(service(catalogue(Auth::Jws, &repeat)));
        let mut call = signatory.call_named("pay", &json("{}"), RANDOM, deadline()).unwrap();
        match call.poll(at(0)) {
            CallStep::NotAdmitted(IntentError::NoId { operation }) => assert_eq!(operation, "pay"),
            other => panic!("{repeat:?}: {other:?}"),
        }
    }
    let mut operations = catalogue(Auth::Jws, &Repeat::Replayed);
    operations.set_reference_header("pay", "x-request-id").unwrap();
    let signatory = signatory(service(operations));
    for unfit in ["", "a b", "é", &"x".repeat(129)] {
        let call = signatory.call_named("pay", &json(BODY), RANDOM, deadline()).unwrap();
        let step = call.with_reference(unfit).poll(at(0));
        assert!(matches!(step, CallStep::NotAdmitted(IntentError::NoId { .. })), "{unfit:?}");
    }
}

#[test]
fn the_pace_of_a_service_is_for_calls_that_move_money() {
    let pace = Duration::from_secs(2);
    let service = service(catalogue(Auth::Jws, &Repeat::Unknown)).with_pace(pace);
    let signatory = signatory(service);
    let call = |name| signatory.call_named(name, &json(BODY), RANDOM, deadline()).unwrap();
    assert_eq!((call("pay").pace(), call("read").pace()), (Some(pace), None));
    let mut late = call("pay").not_before(at(2).mono);
    let CallStep::Wait { until } = late.poll(at(0)) else { panic!("it waits") };
    assert_eq!(until, at(2).mono);
    assert!(matches!(late.poll(at(2)), CallStep::Send(_)));
}

#[test]
fn a_salt_does_not_make_another_intent_of_the_same_request() {
    let auth = Auth::PgSig(Account::Accepting);
    let signatory = signatory(service(catalogue(auth, &Repeat::Unknown)));
    let meaning = |random| {
        let call = signatory.call_named("pay", &json(BODY), random, deadline()).unwrap();
        match call.with_journal().poll(at(0)) {
            CallStep::Record(imts_core::journal::Entry::Intent(intent)) => {
                assert_eq!(intent.scope.unwrap().agent, "500");
                (intent.meaning, intent.digest)
            }
            other => panic!("{other:?}"),
        }
    };
    let (one, other) = (meaning([1; 16]), meaning([2; 16]));
    assert_eq!(one.0, other.0);
    assert_ne!(one.1, other.1);
}

#[test]
fn the_keys_are_in_no_output() {
    let shown = format!("{:?}", keys());
    assert!(shown.contains("partner-7") && shown.contains("500"), "{shown}");
    for secret in ["a key", "accepting", "payout", "s3cret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
