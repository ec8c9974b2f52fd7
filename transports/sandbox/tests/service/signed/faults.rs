//! Faults of a signed reply: no signature, a wrong one, another order's, a page of HTML.

use http::Response;
use imts_core::sign::jws::Algorithm::Hs512;
use imts_core::sign::pg_sig::Account::Accepting;
use imts_core::sign::pg_sig::{PgFields, PgVerifyError, Script};
use imts_sandbox::{Fault, Rule, Sandbox, Verdict};
use serde_json::json;

use super::{ID, Signer, asked, fields, form, merchant, named, verified};
use crate::{NOON, json_of};

const PATH: &str = "/g2g/payment";

/// The answer to a payment that meets this fault, which is applied.
fn faulted(fault: Fault) -> Response<Vec<u8>> {
    let mut service = Sandbox::default();
    service.set_faults(vec![Rule::always(named("gateway.purchase-card"), fault)]);
    let pay = fields(&[("pg_order_id", "23"), ("pg_amount", "10")]);
    let (verdict, response) = asked(&mut service, NOON, &form(Accepting, PATH, pay));
    assert_eq!(verdict, Verdict::Applied);
    assert_eq!(service.ledger().applied(named("gateway.purchase-card"), "23"), 1);
    response
}

fn check(response: &Response<Vec<u8>>) -> Result<(), PgVerifyError> {
    let script = Script::of("http://sandbox/g2g/payment").unwrap();
    let received = PgFields::from_xml(response.body()).unwrap();
    merchant().verify(Accepting, &script, received).map(drop)
}

#[test]
fn a_reply_can_be_without_a_signature_or_with_a_wrong_one() {
    assert_eq!(check(&faulted(Fault::Unsigned)), Err(PgVerifyError::NoSignature));
    assert_eq!(check(&faulted(Fault::WronglySigned)), Err(PgVerifyError::Signature));
    assert_eq!(check(&faulted(Fault::Latency { ms: 0 })), Ok(()));
}

#[test]
fn a_reply_can_be_about_another_order_and_is_signed_well() {
    let good = verified(Accepting, PATH, &faulted(Fault::Latency { ms: 0 }));
    let other = verified(Accepting, PATH, &faulted(Fault::OtherOrder));
    assert_eq!((&good["pg_order_id"], &other["pg_order_id"]), (&json!("23"), &json!("27")));
    assert_ne!(good["pg_payment_id"], other["pg_payment_id"]);
    assert_eq!(good["pg_status"], other["pg_status"]);
}

#[test]
fn a_field_of_a_reply_can_have_another_value_and_is_signed_well() {
    let fault = |name: &str, value| Fault::Field { name: name.to_owned(), value };
    let reply = verified(Accepting, PATH, &faulted(fault("pg_status", json!("rejected"))));
    assert_eq!(reply["pg_status"], "rejected");
    let reply = verified(Accepting, PATH, &faulted(fault("pg_payment_id", json!(null))));
    assert!(reply.get("pg_payment_id").is_none());
}

#[test]
fn a_json_reply_can_be_about_another_request_too() {
    let mut service = Sandbox::default();
    let name = named("card-api.close-card");
    let body = json!({ "request_id": ID, "card_id": "7", "description": "d" });
    let request = Signer::Partner(Hs512).post("/v5/card-api/card/close", &body);
    service.set_faults(vec![Rule::always(name, Fault::OtherOrder)]);
    let reply = json_of(&service.handle(NOON, &request));
    assert_ne!(reply["request_id"], ID);
    assert_eq!(reply["request_id"].as_str().unwrap().len(), ID.len());

    let mut service = Sandbox::default();
    let fault = Fault::Field { name: "request_status".to_owned(), value: json!("success") };
    service.set_faults(vec![Rule::always(name, fault)]);
    assert_eq!(json_of(&service.handle(NOON, &request))["request_status"], "success");
}

#[test]
fn a_page_of_html_comes_before_the_request_is_applied() {
    let mut service = Sandbox::default();
    let fault = Fault::Html { status: 403 };
    service.set_faults(vec![Rule::always(named("gateway.purchase-card"), fault)]);
    let request = form(Accepting, PATH, fields(&[("pg_order_id", "23")]));
    let (verdict, response) = asked(&mut service, NOON, &request);
    assert_eq!((verdict, response.status().as_u16()), (Verdict::Faulted, 403));
    assert!(response.body().starts_with(b"<html>"));
    assert_eq!(service.ledger().intents().count(), 0);
}
