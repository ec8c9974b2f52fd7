//! What becomes of a request that comes twice: refused, replayed, or applied again.

use http::{Method, Request};
use imts_core::sign::jws::Algorithm::{Hs256, Hs512};
use imts_core::sign::pg_sig::Account::Accepting;
use imts_sandbox::{
    Break, Delivery, Fault, KeyRepeat, Position, Rule, Sandbox, Scripted, Verdict, When,
};
use serde_json::{Value, json};

use super::{ID, OTHER_ID, Signer, asked, fields, form, named, verified};
use crate::{NOON, at, json_of};

fn close(id: &str) -> Request<Vec<u8>> {
    let body = json!({ "request_id": id, "card_id": "7", "description": "d" });
    Signer::Partner(Hs512).post("/v5/card-api/card/close", &body)
}

fn block(id: &str) -> Request<Vec<u8>> {
    let body = json!({ "request_id": id, "identifier": "w", "description": "d" });
    Signer::Partner(Hs256).post("/v5/partner/wallet/block", &body)
}

fn status(service: &mut Sandbox, second: i64, id: &str) -> Value {
    let request =
        Signer::Partner(Hs512).post("/v5/card-api/request/status", &json!({ "request_id": id }));
    json_of(&service.handle(at(second), &request))
}

fn pay(order: &str) -> Request<Vec<u8>> {
    let order = fields(&[("pg_order_id", order), ("pg_amount", "10"), ("pg_currency", "KZT")]);
    form(Accepting, "/g2g/payment", order)
}

fn create(id: &str, order: &str) -> Request<Vec<u8>> {
    let body = json!({ "amount": 10, "currency": "KZT", "order_id": order, "from": {} });
    let mut request = Signer::Async.request(Method::POST, "/v5/g2g/create", &body);
    request.headers_mut().insert("x-request-id", id.parse().unwrap());
    request
}

#[test]
fn a_request_id_that_came_before_is_refused_and_not_applied_again() {
    for (request, name, code) in [
        (close(ID), "card-api.close-card", json!(1002)),
        (block(ID), "e-money.block", json!("1002")),
    ] {
        let mut service = Sandbox::default();
        assert_eq!(asked(&mut service, NOON, &request).0, Verdict::Applied);
        let (verdict, response) = asked(&mut service, at(1), &request);
        assert_eq!((verdict, response.status().as_u16()), (Verdict::Repeated, 200));
        let reply = json_of(&response);
        assert_eq!((&reply["status"], &reply["error_code"]), (&json!("error"), &code), "{name}");
        assert_eq!(service.ledger().applied(named(name), ID), 1);
    }
    let mut service = Sandbox::default();
    service.settings_mut().signed.repeated_code = 77;
    service.handle(NOON, &close(ID));
    assert_eq!(json_of(&service.handle(NOON, &close(ID)))["error_code"], 77);
}

#[test]
fn one_id_in_two_services_is_two_requests_and_a_request_that_was_not_applied_has_used_none() {
    let mut service = Sandbox::default();
    assert_eq!(asked(&mut service, NOON, &close(ID)).0, Verdict::Applied);
    assert_eq!(asked(&mut service, NOON, &block(ID)).0, Verdict::Applied);

    let mut service = Sandbox::default();
    let replies = [Scripted::status(500), Scripted::default()].into();
    service.settings_mut().signed.replies.insert(named("card-api.close-card"), replies);
    assert_eq!(asked(&mut service, NOON, &close(ID)).0, Verdict::Answered);
    assert_eq!(asked(&mut service, NOON, &close(ID)).0, Verdict::Applied);
}

#[test]
fn a_request_that_was_applied_is_found_by_its_id_first_in_process_and_then_done() {
    let mut service = Sandbox::default();
    assert_eq!(status(&mut service, 0, ID)["error_code"], 1006);
    let reply = json_of(&service.handle(NOON, &close(ID)));
    assert_eq!((&reply["status"], &reply["request_status"]), (&json!("ok"), &json!("process")));
    assert_eq!(status(&mut service, 1, ID)["request_status"], "process");
    assert_eq!(status(&mut service, 2, ID)["request_status"], "success");
    assert_eq!(status(&mut service, 2, OTHER_ID)["status"], "error");
}

#[test]
fn async_sends_the_original_reply_again_and_applies_once() {
    let mut service = Sandbox::default();
    let (verdict, first) = asked(&mut service, NOON, &create(ID, "23"));
    assert_eq!(verdict, Verdict::Applied);
    let (verdict, second) = asked(&mut service, at(9), &create(ID, "23"));
    assert_eq!(verdict, Verdict::Replayed);
    assert_eq!(second.headers()["x-datetime"], first.headers()["x-datetime"]);
    assert_eq!(second.body(), first.body());
    assert_eq!(service.ledger().applied(named("gateway-async.create-payment"), "23"), 1);
    // Another body under the same id is refused (assumed).
    assert_eq!(asked(&mut service, at(9), &create(ID, "24")).0, Verdict::Repeated);
    // The same order under another id is a second payment: the harm that the ledger shows.
    assert_eq!(asked(&mut service, at(9), &create(OTHER_ID, "23")).0, Verdict::Applied);
    assert_eq!(service.ledger().applied_twice().count(), 1);
}

#[test]
fn a_payment_without_a_rule_for_repeats_is_applied_as_often_as_it_comes() {
    let mut service = Sandbox::default();
    let name = named("gateway.purchase-card");
    for times in 1..=3 {
        assert_eq!(asked(&mut service, at(times), &pay("23")).0, Verdict::Applied);
        assert_eq!(service.ledger().applied(name, "23"), u64::try_from(times).unwrap());
    }
    assert_eq!(service.ledger().applied_twice().count(), 1);
}

#[test]
fn an_idempotency_key_replays_refuses_or_does_nothing_as_the_settings_say() {
    let refund = || {
        let pairs = [("pg_payment_id", "1000001"), ("pg_idempotency_key", "k")];
        form(Accepting, "/revoke.php", fields(&pairs))
    };
    for (rule, expected, times) in [
        (KeyRepeat::Replays, Verdict::Replayed, 1),
        (KeyRepeat::Refuses, Verdict::Repeated, 1),
        (KeyRepeat::Applies, Verdict::Applied, 2),
    ] {
        let mut service = Sandbox::default();
        service.settings_mut().signed.key_repeat = rule;
        let (verdict, first) = asked(&mut service, NOON, &refund());
        assert_eq!(verdict, Verdict::Applied);
        let (verdict, second) = asked(&mut service, at(1), &refund());
        assert_eq!(verdict, expected);
        assert_eq!(second.body() == first.body(), rule == KeyRepeat::Replays);
        assert_eq!(service.ledger().applied(named("merchant.refund"), "k"), times);
        // The same key for another operation is refused, unless keys mean nothing.
        let init = fields(&[("pg_order_id", "1"), ("pg_idempotency_key", "k")]);
        let (verdict, _) = asked(&mut service, at(2), &form(Accepting, "/init_payment.php", init));
        let is_refused = rule != KeyRepeat::Applies;
        assert_eq!(verdict == Verdict::Repeated, is_refused, "{rule:?}");
    }
    // The page of a payment by card names no key.
    let mut service = Sandbox::default();
    for _ in 0..2 {
        let pay = fields(&[("pg_order_id", "23"), ("pg_idempotency_key", "k")]);
        assert_eq!(
            asked(&mut service, NOON, &form(Accepting, "/g2g/payment", pay)).0,
            Verdict::Applied
        );
    }
}

#[test]
fn a_payment_is_found_by_its_order_first_in_process_and_then_done() {
    let mut service = Sandbox::default();
    let ask = |service: &mut Sandbox, second: i64| {
        let request = form(Accepting, "/g2g/status_v2", fields(&[("pg_order_id", "23")]));
        verified(Accepting, "/g2g/status_v2", &service.handle(at(second), &request))
    };
    assert_eq!(ask(&mut service, 0)["pg_error_code"], "2999");
    let reply = verified(Accepting, "/g2g/payment", &service.handle(NOON, &pay("23")));
    assert_eq!(reply["pg_status"], "ok");
    assert_eq!(ask(&mut service, 1)["pg_payment_status"], "process");
    let done = ask(&mut service, 2);
    assert_eq!(done["pg_payment_status"], "success");
    assert_eq!(done["pg_payment_id"], reply["pg_payment_id"]);
    assert_eq!((&done["pg_amount"], &done["pg_currency"]), (&json!("10"), &json!("KZT")));
    let cancel = fields(&[("pg_payment_id", reply["pg_payment_id"].as_str().unwrap())]);
    service.handle(at(3), &form(Accepting, "/g2g/cancel", cancel));
    assert_eq!(ask(&mut service, 4)["pg_payment_status"], "revoked");
}

/// Each rule under each way in which an exchange can break: whether a repeat is applied again.
#[test]
fn a_delivery_says_whether_a_signed_request_was_applied_and_its_repeat_keeps_its_rule() {
    let rules = [
        ("card-api.close-card", close(ID), ID, Verdict::Repeated, 1),
        ("gateway-async.create-payment", create(ID, "23"), "23", Verdict::Replayed, 1),
        ("gateway.purchase-card", pay("23"), "23", Verdict::Applied, 2),
    ];
    for (name, request, id, repeated, times) in rules {
        for delivery in Delivery::each() {
            let mut service = Sandbox::default();
            let fault = Fault::Delivery(delivery);
            service.set_faults(vec![Rule {
                operation: Some(named(name)),
                when: When::Nth(1),
                fault,
            }]);
            let (_, response) = asked(&mut service, NOON, &request);
            assert_eq!(response.extensions().get(), Some(&delivery));
            let applied = u64::from(delivery.applies());
            assert_eq!(service.ledger().applied(named(name), id), applied, "{delivery:?}");
            let (verdict, _) = asked(&mut service, at(1), &request);
            let expected = if delivery.applies() { repeated } else { Verdict::Applied };
            assert_eq!(verdict, expected, "{name} {delivery:?}");
            let expected = if delivery.applies() { times } else { 1 };
            assert_eq!(service.ledger().applied(named(name), id), expected, "{name} {delivery:?}");
        }
    }
    assert!(!Delivery::Broken { at: Position::BeforeApply, by: Break::Close }.applies());
}
