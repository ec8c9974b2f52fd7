//! The payer's page, and the way back to the shop.

use http::Request;
use imts_sandbox::{BackMethod, PaymentState};

use super::{CHECK, Shop, answer, signer};
use crate::NOON;

const SUCCESS: &str = "http://127.0.0.1:9/shop/thanks?lang=kk";

fn page(shop: &mut Shop, id: u64) -> (u16, String) {
    let request = Request::get(format!("/pay?payment_id={id}")).body(Vec::new()).unwrap();
    let response = shop.service.handle(NOON, &request);
    (response.status().as_u16(), String::from_utf8(response.body().clone()).unwrap())
}

fn choose(shop: &mut Shop, id: u64, choice: &str) {
    let form = format!("payment_id={id}&choice={choice}").into_bytes();
    let response = shop.service.handle(NOON, &Request::post("/pay").body(form).unwrap());
    assert_eq!(response.headers()["location"], format!("/pay?payment_id={id}").as_str());
}

#[test]
fn a_payer_pays_and_goes_back_with_signed_fields() {
    let mut shop = Shop::default();
    let id = shop.payment(|asked| {
        asked.success_url = Some(SUCCESS.to_owned());
        asked.description = "<script>alert(1)</script>".to_owned();
    });
    let (status, html) = page(&mut shop, id);
    assert!(status == 200 && html.contains("Pay 20.00 KZT") && html.contains("Decline"), "{html}");
    assert!(!html.contains("<script"), "what the shop sends is text");
    choose(&mut shop, id, "pay");
    assert_eq!(shop.state(), PaymentState::Paid);
    let (_, html) = page(&mut shop, id);
    let (_, link) = html.split_once("href=\"").unwrap();
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let (_, query) = link.split_once("/shop/thanks?lang=kk&").unwrap();
    let fields = imts_core::sign::pg_sig::PgFields::from_form(query.as_bytes()).unwrap();
    let script = imts_core::sign::pg_sig::Script::of(SUCCESS).unwrap();
    let account = imts_core::sign::pg_sig::Account::Accepting;
    let verified = signer().verify(account, &script, fields).unwrap();
    assert_eq!(verified.text("pg_order_id").unwrap(), "O1");
    choose(&mut shop, id, "decline");
    assert_eq!(shop.state(), PaymentState::Paid, "a decision is final");
}

#[test]
fn while_the_shop_is_asked_the_page_looks_again() {
    let mut shop = Shop::default();
    let id = shop.payment(|asked| {
        asked.check_url = Some(CHECK.to_owned());
        asked.failure_url = Some("http://127.0.0.1:9/shop/sorry".to_owned());
        asked.failure_url_method = BackMethod::Post;
    });
    choose(&mut shop, id, "pay");
    assert!(page(&mut shop, id).1.contains("http-equiv=\"refresh\""));
    let (number, request) = shop.next(NOON).unwrap();
    let rejected = answer(&request, "rejected");
    shop.service.on_answer(NOON, number, Some(&rejected));
    let (_, html) = page(&mut shop, id);
    assert!(html.contains("The shop did not agree") && html.contains("Ответ &amp; &lt;b&gt;"));
    assert!(html.contains("<form method=\"post\" action=\"http://127.0.0.1:9/shop/sorry\">"));
    assert!(html.contains("name=\"pg_error_code\"") && !html.contains("http-equiv=\"refresh\""));
}

#[test]
fn a_payment_that_does_not_exist_is_a_404() {
    let mut shop = Shop::default();
    assert_eq!(page(&mut shop, 7).0, 404);
}
