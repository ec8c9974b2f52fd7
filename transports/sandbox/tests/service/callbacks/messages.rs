//! What is sent, how it is carried and signed.

use imts_sandbox::{MessageKind, NewPayout, PaymentState, RequestMethod, Sandbox};
use serde_json::json;

use super::{CHECK, RESULT, Shop, answer, text, verified};
use crate::{NOON, json_of, post};

#[test]
fn the_core_verifies_a_result_in_each_of_the_three_methods() {
    for method in [RequestMethod::Get, RequestMethod::Post, RequestMethod::Xml] {
        let mut shop = Shop::default();
        let id = shop.payment(|asked| {
            asked.request_method = method;
            asked.description = "Бронь & Co <b>".to_owned();
            asked.own.insert("shop_session".to_owned(), "42".to_owned());
        });
        assert!(shop.service.pay(NOON, id));
        let (_, request) = shop.next(NOON).unwrap();
        assert!(verified(&request).is_ok(), "{method:?}");
        for (name, value) in [
            ("pg_order_id", "O1"),
            ("pg_amount", "20"),
            ("pg_net_amount", "19.3"),
            ("pg_currency", "KZT"),
            ("pg_result", "1"),
            ("pg_can_reject", "1"),
            ("pg_payment_date", "2025-07-23 11:17:31"),
            ("pg_description", "Бронь & Co <b>"),
            ("shop_session", "42"),
        ] {
            assert_eq!(text(&request, name), value, "{method:?} {name}");
        }
        assert_eq!(text(&request, "pg_salt").len(), 16);
    }
}

#[test]
fn the_query_of_the_result_url_comes_back_as_a_field() {
    for (method, query) in [(RequestMethod::Post, Some("shop=7")), (RequestMethod::Get, None)] {
        let mut shop = Shop::default();
        let id = shop.payment(|asked| {
            asked.request_method = method;
            asked.result_url = Some(format!("{RESULT}?shop=7"));
        });
        shop.service.pay(NOON, id);
        let (_, request) = shop.next(NOON).unwrap();
        assert_eq!(text(&request, "shop"), "7");
        assert!(query.is_none_or(|query| request.uri().query() == Some(query)));
    }
}

#[test]
fn two_messages_have_two_salts() {
    let mut shop = Shop::default();
    let id = shop.payment(|_| {});
    for _ in 0..2 {
        assert!(shop.service.say(NOON, id, MessageKind::Result, 1));
    }
    let one = shop.next(NOON).unwrap().1;
    let other = shop.next(NOON).unwrap().1;
    assert_ne!(text(&one, "pg_salt"), text(&other, "pg_salt"));
}

#[test]
fn a_payout_is_told_by_a_form_with_the_key_for_payouts() {
    let mut shop = Shop::default();
    let payout = NewPayout::new("P1", "500", "http://127.0.0.1:9/pay/payout");
    shop.service.pay_out(NOON, &payout).unwrap();
    let (number, request) = shop.next(NOON).unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(
        (text(&request, "pg_status"), text(&request, "pg_to_pay")),
        ("ok".into(), "500".into())
    );
    let empty = http::Response::new(Vec::new());
    shop.service.on_answer(NOON, number, Some(&empty));
    assert!(shop.mistakes().is_empty(), "200 alone is the answer to a payout");
}

#[test]
fn money_is_taken_only_if_the_shop_agrees_to_the_check() {
    for (status, expected) in [
        (Some("ok"), PaymentState::Paid),
        (Some("rejected"), PaymentState::Refused),
        (Some("error"), PaymentState::Refused),
        (None, PaymentState::Refused),
    ] {
        let mut shop = Shop::default();
        let id = shop.payment(|asked| asked.check_url = Some(CHECK.to_owned()));
        shop.service.pay(NOON, id);
        assert_eq!(shop.state(), PaymentState::Checking);
        let (number, request) = shop.next(NOON).unwrap();
        assert_eq!(
            (request.uri().path(), text(&request, "pg_amount")),
            ("/pay/check", "20".into())
        );
        let answer = status.map(|status| answer(&request, status));
        shop.service.on_answer(NOON, number, answer.as_ref());
        assert_eq!(shop.state(), expected, "{status:?}");
        let result = shop.next(NOON).map(|(_, request)| request.uri().path().to_owned());
        let is_paid = expected == PaymentState::Paid;
        assert_eq!(result, is_paid.then(|| "/pay/result".to_owned()), "{status:?}");
    }
}

#[test]
fn a_payer_who_declines_is_told_as_result_0() {
    let mut shop = Shop::default();
    let id = shop.payment(|_| {});
    assert!(shop.service.decline(NOON, id));
    assert_eq!(text(&shop.next(NOON).unwrap().1, "pg_result"), "0");
    assert!(!shop.service.pay(NOON, id), "the payment is not open any more");
}

#[test]
fn the_sandbox_calls_nobody_outside_a_private_network() {
    let mut shop = Shop::default();
    for url in [
        "http://203.0.113.7/result",
        "https://127.0.0.1/result",
        "http://api.freedompay.kz/result",
        "http://169.254.169.254/result",
        "http://127.0.0.1:9/",
    ] {
        for field in ["check_url", "result_url"] {
            let body = json!({ "order_id": "1", "amount": "10", field: url });
            let response = shop.service.handle(NOON, &post("/_sandbox/payments", &body));
            assert_eq!(response.status(), 400, "{url}");
            let error = json_of(&response)["error"].as_str().unwrap().to_owned();
            assert!(error.starts_with(field), "{error}");
        }
        let body = json!({ "order_id": "1", "amount": "10", "post_link": url });
        assert_eq!(shop.service.handle(NOON, &post("/_sandbox/payouts", &body)).status(), 400);
    }
}

#[test]
fn the_control_interface_makes_pays_and_tells() {
    let mut service = Sandbox::default();
    let mut control = |path: &str, body: serde_json::Value| {
        let response = service.handle(NOON, &post(&format!("/_sandbox/payments{path}"), &body));
        (response.status().as_u16(), json_of(&response))
    };
    let asked =
        json!({ "order_id": "O1", "amount": "10", "result_url": RESULT, "request_method": "XML" });
    let (_, made) = control("", asked);
    let id = made["payment_id"].clone();
    assert_eq!(made["pay_path"], format!("/pay?payment_id={id}"));
    assert_eq!(control("/pay", json!({ "payment_id": id })).0, 200);
    assert_eq!(control("/pay", json!({ "payment_id": id })).0, 409);
    let again = json!({ "payment_id": id, "kind": "result", "result": 2 });
    assert_eq!(control("/say", again).0, 200);
    assert_eq!(control("/say", json!({ "payment_id": id, "kind": "check" })).0, 404);
    assert_eq!(control("", json!({ "order_id": "O1", "amount": "1e9" })).0, 400);
    let _ = service.take_outgoing(NOON);
    let request = service.take_outgoing(NOON).unwrap().request;
    assert_eq!(text(&request, "pg_result"), "2");
}
