//! A payment that comes as a form message: the shop hears of it, and its status says the same.

use http::Request;
use imts_core::sign::pg_sig::Account::{self, Accepting, Payouts};
use imts_sandbox::{PaymentState, RequestMethod, Verdict};
use serde_json::Value;

use super::{asked, fields, form, verified};
use crate::callbacks::{CHECK, RESULT, Shop, answer, text};
use crate::{NOON, at};

const INIT: &str = "/init_payment.php";

/// What the service answers to a form message of these fields.
fn send(shop: &mut Shop, account: Account, path: &str, pairs: &[(&str, &str)]) -> (Verdict, Value) {
    let (verdict, response) = asked(&mut shop.service, NOON, &form(account, path, fields(pairs)));
    (verdict, verified(account, path, &response))
}

fn status(shop: &mut Shop, second: i64) -> Value {
    let request = form(Accepting, "/get_status3.php", fields(&[("pg_order_id", "23")]));
    let response = shop.service.handle(at(second), &request);
    verified(Accepting, "/get_status3.php", &response)["pg_payment_status"].clone()
}

const ORDER: [(&str, &str); 4] = [
    ("pg_order_id", "23"),
    ("pg_amount", "20.00"),
    ("pg_result_url", RESULT),
    ("pg_request_method", "POST"),
];

#[test]
fn a_created_payment_is_new_until_the_payer_pays_and_the_shop_hears_of_it() {
    let mut shop = Shop::default();
    let more = [&ORDER[..], &[("x_note", "own"), ("pg_success_url", "http://shop.example/back")]];
    let (verdict, reply) = send(&mut shop, Accepting, INIT, &more.concat());
    assert_eq!(verdict, Verdict::Applied);
    assert_eq!(status(&mut shop, 0), "new");

    let page = reply["pg_redirect_url"].as_str().unwrap().replace("http://127.0.0.1:8080", "");
    let response = shop.service.handle(NOON, &Request::get(page).body(Vec::new()).unwrap());
    assert_eq!(response.status(), 200);

    let id = reply["pg_payment_id"].as_str().unwrap().parse().unwrap();
    assert!(shop.service.pay(at(1), id));
    let (number, callback) = shop.next(at(1)).unwrap();
    assert_eq!((callback.method().as_str(), callback.uri().path()), ("POST", "/pay/result"));
    assert_eq!(text(&callback, "pg_payment_id"), id.to_string());
    assert_eq!(text(&callback, "pg_order_id"), "23");
    assert_eq!(text(&callback, "x_note"), "own");
    shop.service.on_answer(at(1), number, Some(&answer(&callback, "ok")));
    assert_eq!(status(&mut shop, 2), "success");
    let payment = shop.service.payments().last().unwrap();
    assert_eq!(payment.asked.request_method, RequestMethod::Post);
    assert_eq!(payment.asked.success_url.as_deref(), Some("http://shop.example/back"));
}

#[test]
fn a_payer_who_declines_and_a_shop_that_rejects_are_in_the_status() {
    let mut shop = Shop::default();
    let (_, reply) = send(&mut shop, Accepting, INIT, &ORDER);
    let id = reply["pg_payment_id"].as_str().unwrap().parse().unwrap();
    shop.service.decline(at(1), id);
    assert_eq!(status(&mut shop, 2), "failed");

    let mut shop = Shop::default();
    let (_, reply) = send(&mut shop, Accepting, INIT, &ORDER);
    let id = reply["pg_payment_id"].as_str().unwrap().parse().unwrap();
    shop.service.pay(at(1), id);
    let (number, callback) = shop.next(at(1)).unwrap();
    shop.service.on_answer(at(1), number, Some(&answer(&callback, "rejected")));
    assert_eq!(shop.state(), PaymentState::Rejected);
    assert_eq!(status(&mut shop, 2), "revoked");
}

#[test]
fn a_charge_that_names_urls_asks_the_shop_first_and_then_tells_it() {
    let mut shop = Shop::default();
    let urls = [&ORDER[..], &[("pg_check_url", CHECK)]].concat();
    let (_, reply) = send(&mut shop, Accepting, "/g2g/payment", &urls);
    assert_eq!(status(&mut shop, 9), "process");
    let (number, check) = shop.next(NOON).unwrap();
    assert_eq!(check.uri().path(), "/pay/check");
    shop.service.on_answer(NOON, number, Some(&answer(&check, "ok")));
    let (_, result) = shop.next(NOON).unwrap();
    assert_eq!(result.uri().path(), "/pay/result");
    assert_eq!(text(&result, "pg_payment_id"), reply["pg_payment_id"].as_str().unwrap());
    assert_eq!(status(&mut shop, 9), "success");
}

#[test]
fn a_payout_that_names_a_link_is_told_there_under_its_own_number() {
    let mut shop = Shop::default();
    let link = [
        ("pg_order_id", "24"),
        ("pg_amount", "5"),
        ("pg_post_link", "http://127.0.0.1:9/pay/payout"),
    ];
    let (_, reply) = send(&mut shop, Payouts, "/api/reg2nonreg", &link);
    let (_, notice) = shop.next(NOON).unwrap();
    assert_eq!(text(&notice, "pg_payment_id"), reply["pg_payment_id"].as_str().unwrap());
    assert_eq!(text(&notice, "pg_order_id"), "24");
}

#[test]
fn a_payment_that_the_shop_could_not_hear_of_is_refused_and_not_applied() {
    for (path, account, pairs) in [
        (INIT, Accepting, vec![("pg_order_id", "23")]),
        (INIT, Accepting, vec![("pg_order_id", "23"), ("pg_amount", "0")]),
        (
            INIT,
            Accepting,
            vec![
                ("pg_order_id", "23"),
                ("pg_amount", "1"),
                ("pg_result_url", "https://api.freedompay.kz/r"),
            ],
        ),
        (
            "/api/reg2nonreg",
            Payouts,
            vec![
                ("pg_order_id", "23"),
                ("pg_amount", "1"),
                ("pg_post_link", "http://127.0.0.1:9/"),
            ],
        ),
    ] {
        let mut shop = Shop::default();
        let (verdict, reply) = send(&mut shop, account, path, &pairs);
        assert_eq!(
            (verdict, &reply["pg_status"]),
            (Verdict::BadRequest, &"error".into()),
            "{pairs:?}"
        );
        assert_eq!(shop.service.ledger().intents().count(), 0);
        assert!(shop.next(NOON).is_none());
    }
}
