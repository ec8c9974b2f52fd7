//! The settings of the signed services, in code and by the control interface.

use std::time::Duration;

use http::Request;
use imts_core::sign::jws::Algorithm::Hs512;
use imts_core::sign::pg_sig::Account::Accepting;
use imts_sandbox::{Delay, KeyRepeat, Merchant, Sandbox, Scripted, StatusForm, Verdict};
use serde_json::{Value, json};

use super::{ID, Signer, asked, fields, form, named, verified};
use crate::{NOON, at, json_of, post};

fn change(service: &mut Sandbox, body: &Value) -> (u16, Value) {
    let response = service.handle(NOON, &post("/_sandbox/settings", body));
    (response.status().as_u16(), json_of(&response))
}

fn pay(order: &str) -> Request<Vec<u8>> {
    form(Accepting, "/g2g/payment", fields(&[("pg_order_id", order)]))
}

fn close() -> Request<Vec<u8>> {
    let body = json!({ "request_id": ID, "card_id": "7", "description": "d" });
    Signer::Partner(Hs512).post("/v5/card-api/card/close", &body)
}

#[test]
fn a_pace_refuses_a_payment_call_that_comes_too_soon_and_no_other() {
    let mut service = Sandbox::default();
    service.settings_mut().signed.pace = Some(Duration::from_secs(2));
    assert_eq!(asked(&mut service, NOON, &pay("1")).0, Verdict::Applied);
    let (verdict, response) = asked(&mut service, at(1), &pay("2"));
    assert_eq!((verdict, response.status().as_u16()), (Verdict::TooFast, 429));
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(verified(Accepting, "/g2g/payment", &response)["pg_status"], "error");
    assert_eq!(service.ledger().applied(named("gateway.purchase-card"), "2"), 0);
    let status = form(Accepting, "/g2g/status_v2", fields(&[("pg_order_id", "1")]));
    assert_eq!(asked(&mut service, at(1), &status).0, Verdict::Answered);
    assert_eq!(asked(&mut service, at(2), &pay("2")).0, Verdict::Applied);
}

#[test]
fn a_script_answers_a_signed_operation_and_its_form_reply_is_signed() {
    let mut service = Sandbox::default();
    let mut slow = Scripted::payload(json!({ "pg_status": "rejected", "pg_failure_code": 7 }));
    slow.latency_ms = 50;
    let mut whole = Scripted::default();
    whole.body = Some(json!({ "pg_status": "error", "pg_error_code": "11018" }));
    let replies = [slow, whole, Scripted::status(500)].into();
    service.settings_mut().signed.replies.insert(named("gateway.purchase-card"), replies);
    let mut next = || {
        let (verdict, response) = asked(&mut service, NOON, &pay("1"));
        let reply = verified(Accepting, "/g2g/payment", &response);
        (verdict, response, reply)
    };
    let (verdict, response, reply) = next();
    assert_eq!(verdict, Verdict::Applied);
    assert_eq!((&reply["pg_status"], &reply["pg_failure_code"]), (&json!("rejected"), &json!("7")));
    assert_eq!(response.extensions().get::<Delay>().unwrap().0.as_millis(), 50);
    let (verdict, _, reply) = next();
    assert_eq!((verdict, &reply["pg_error_code"]), (Verdict::Answered, &json!("11018")));
    assert!(reply.get("pg_payment_id").is_none());
    let (verdict, response, reply) = next();
    assert_eq!((verdict, response.status().as_u16()), (Verdict::Answered, 500));
    assert_eq!(reply["pg_status"], "error");
    assert_eq!(service.ledger().applied(named("gateway.purchase-card"), "1"), 1);
}

#[test]
fn a_refusal_has_the_status_that_the_settings_say() {
    let mut service = Sandbox::default();
    service.settings_mut().signed.refusal_status = 400;
    let mut unsigned = close();
    unsigned.headers_mut().remove("x-jws-signature");
    assert_eq!(service.handle(NOON, &unsigned).status(), 400);
    let mut changed = pay("1");
    changed.body_mut().extend_from_slice(b"&x=1");
    assert_eq!(service.handle(NOON, &changed).status(), 400);
}

#[test]
fn a_full_memory_refuses_and_forgets_nothing() {
    let mut service = Sandbox::default();
    service.settings_mut().memory_limit = 1;
    assert_eq!(asked(&mut service, NOON, &close()).0, Verdict::Applied);
    assert_eq!(asked(&mut service, NOON, &pay("1")).0, Verdict::LedgerFull);
    assert_eq!(asked(&mut service, NOON, &close()).0, Verdict::Repeated);
    service.reset();
    assert_eq!(asked(&mut service, NOON, &pay("1")).0, Verdict::Applied);
}

#[test]
fn the_control_interface_changes_the_signed_services_whole_or_not_at_all() {
    let mut service = Sandbox::default();
    let good = json!({
        "partners": { "600000": null, "7": "key" },
        "merchants": { "9": { "secret": "a", "payout_secret": "b" } },
        "signed": {
            "processing_ms": 5, "repeated_code": 9, "key_repeat": "refuses", "pace_ms": 1500,
            "status_form": "json", "reply_script": "called_or_none", "mobile_replies_signed": false,
            "refusal_status": 400, "forbids_unknown_paths": false,
            "replies": { "gateway.token-pay": [{ "status": 500 }] },
        },
        "faults": [{ "operation": "gateway.purchase-status", "fault": "unsigned" }],
    });
    assert_eq!(change(&mut service, &good), (200, json!({})));
    let settings = service.settings();
    assert_eq!(settings.partners.keys().collect::<Vec<_>>(), ["7"]);
    let merchant = Merchant::new("a", "b");
    assert_eq!(settings.merchants["9"], merchant);
    let signed = &settings.signed;
    assert_eq!(signed.processing, Duration::from_millis(5));
    assert_eq!(signed.pace, Some(Duration::from_millis(1_500)));
    assert_eq!((signed.key_repeat, signed.status_form), (KeyRepeat::Refuses, StatusForm::Json));
    // An operation has one entry, under each name of its path.
    assert_eq!(signed.replies[&named("gateway.purchase-card")].len(), 1);

    for (bad, word) in [
        (json!({ "signed": { "refusal_status": 99 } }), "99"),
        (json!({ "signed": { "replies": { "confirm": [] } } }), "confirm"),
        (json!({ "signed": { "replies": { "gateway.none": [] } } }), "operation"),
        (json!({ "signed": { "surplus": 1 } }), "surplus"),
        (json!({ "merchants": { "9": { "secret": "a" } } }), "payout_secret"),
        (json!({ "operations": { "gateway.purchase-card": { "path": "/x" } } }), "its own path"),
    ] {
        let (status, reply) = change(&mut service, &bad);
        assert_eq!(status, 400, "{bad}");
        assert!(reply["error"].as_str().unwrap().contains(word), "{reply}");
    }
    assert_eq!(service.settings().signed.refusal_status, 400);
    change(
        &mut service,
        &json!({ "signed": { "pace_ms": null, "replies": { "gateway.purchase-card": [] } } }),
    );
    assert_eq!(service.settings().signed.pace, None);
    assert!(service.settings().signed.replies.is_empty());
}

#[test]
fn the_control_interface_lists_the_signed_operations_and_no_key() {
    let mut service = Sandbox::default();
    let request = Request::get("/_sandbox").body(Vec::new()).unwrap();
    let reply = json_of(&service.handle(NOON, &request));
    let listed = reply["signed_operations"].as_object().unwrap();
    assert_eq!(listed.len(), imts_sandbox::SignedOperation::all().count());
    let expected = json!({
        "paths": ["/g2g/payment"], "class": "money", "evidence": "published",
        "also": ["gateway.token-pay"],
    });
    assert_eq!(listed["gateway.purchase-card"], expected);
    assert_eq!((&reply["partners"], &reply["merchants"]), (&json!(["600000"]), &json!(["500000"])));
    assert!(!reply.to_string().contains("sandbox-partner-secret"));
}
