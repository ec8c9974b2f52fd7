//! The faults: what they send, and that a right receiver is not blamed.

use imts_core::sign::pg_sig::PgVerifyError;
use imts_sandbox::{CallbackFault, MessageKind};
use serde_json::json;

use super::{Shop, answer, text, verified};
use crate::{NOON, at, post};

fn told(fault: CallbackFault) -> (Shop, u64, http::Request<Vec<u8>>) {
    let mut shop = Shop::default();
    shop.fault(fault);
    let id = shop.payment(|_| {});
    shop.service.pay(NOON, id);
    let (number, request) = shop.next(NOON).unwrap();
    (shop, number, request)
}

#[test]
fn a_wrong_signature_differs_and_whoever_accepts_it_is_recorded() {
    let (mut shop, number, request) = told(CallbackFault::WrongSignature);
    assert!(matches!(verified(&request), Err(PgVerifyError::Signature)));
    let accepted = answer(&request, "ok");
    shop.service.on_answer(NOON, number, Some(&accepted));
    assert_eq!(shop.mistakes(), ["ForgeryAccepted"]);
    let (mut shop, number, request) = told(CallbackFault::WrongSignature);
    let refused = answer(&request, "error");
    shop.service.on_answer(NOON, number, Some(&refused));
    assert!(shop.mistakes().is_empty());
}

#[test]
fn fields_are_changed_before_the_signature() {
    let field = |name: &str, value: Option<&str>| CallbackFault::Field {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    };
    let (_, _, request) = told(CallbackFault::OtherOrder);
    assert_eq!(text(&request, "pg_order_id"), "O1-other");
    let (_, _, request) = told(field("pg_amount", None));
    assert!(verified(&request).unwrap().text("pg_amount").is_err());
    let (_, _, request) = told(field("pg_card_owner", Some("A;B")));
    assert!(verified(&request).unwrap().has_separator());
    let renamed =
        CallbackFault::Renamed { from: "pg_currency".to_owned(), to: "pg_money".to_owned() };
    let (_, _, request) = told(renamed);
    assert_eq!(text(&request, "pg_money"), "KZT");
}

#[test]
fn a_message_that_is_split_anew_has_a_right_signature_and_another_order() {
    let resplit = CallbackFault::Resplit { amount: "90000".to_owned(), order_id: "O77".to_owned() };
    let (_, _, request) = told(resplit);
    assert_eq!(
        (text(&request, "pg_amount"), text(&request, "pg_order_id")),
        ("90000".into(), "O77".into())
    );
    assert_eq!(
        (text(&request, "pg_currency"), text(&request, "pg_result")),
        ("KZT".into(), "1".into())
    );
    assert_eq!(text(&request, "pg_aa"), "20", "the amount that was signed has another name");
}

#[test]
fn a_delayed_message_comes_after_later_ones() {
    let mut shop = Shop::default();
    let rules = json!([{ "kind": "result", "when": { "nth": 1 }, "fault": { "delayed_s": 60 } }]);
    let change = post("/_sandbox/settings", &json!({ "callback_faults": rules }));
    assert_eq!(shop.service.handle(NOON, &change).status(), 200);
    let id = shop.payment(|_| {});
    for result in [0, 1] {
        shop.service.say(NOON, id, MessageKind::Result, result);
    }
    assert_eq!(text(&shop.next(NOON).unwrap().1, "pg_result"), "1");
    assert!(shop.next(at(59)).is_none());
    assert_eq!(text(&shop.next(at(60)).unwrap().1, "pg_result"), "0");
}

#[test]
fn rules_pick_by_kind_and_number() {
    let mut shop = Shop::default();
    let rules = json!([
        { "kind": "check", "fault": "wrong_signature" },
        { "kind": "result", "when": { "every": 2 }, "fault": "wrong_signature" },
        { "when": { "percent": 25 }, "fault": "other_order" },
    ]);
    let change = post("/_sandbox/settings", &json!({ "callback_faults": rules }));
    assert_eq!(shop.service.handle(NOON, &change).status(), 200);
    let id = shop.payment(|_| {});
    let mut wrong = Vec::new();
    let mut other = Vec::new();
    for number in 1..=8 {
        shop.service.say(NOON, id, MessageKind::Result, 1);
        let request = shop.next(NOON).unwrap().1;
        wrong.extend(verified(&request).is_err().then_some(number));
        let form = String::from_utf8(request.into_body()).unwrap();
        other.extend(form.contains("O1-other").then_some(number));
    }
    assert_eq!((wrong, other), (vec![2, 4, 6, 8], vec![4, 8]));
}

#[test]
fn a_fault_that_does_not_exist_changes_nothing() {
    let mut shop = Shop::default();
    let rules = json!([{ "fault": "explode" }]);
    let body = json!({ "callback_faults": rules, "latency_ms": 5 });
    assert_eq!(shop.service.handle(NOON, &post("/_sandbox/settings", &body)).status(), 400);
    assert!(shop.service.settings().latency.is_zero());
}
