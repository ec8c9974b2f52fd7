//! A payment: the shop is asked, the payer pays, the shop hears of it, and the payer goes back.

use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PgFields, PgSigner, Salt, Script, VerifiedFields, XmlRoot,
};
use imts_sandbox::DEFAULT_MERCHANT_SECRET;
use serde_json::json;

use crate::driver::Browser;
use crate::listener::{Came, Listener};
use crate::{control, sandbox};

fn signer() -> PgSigner {
    PgSigner::new().with_accepting(AcceptingKey::new(DEFAULT_MERCHANT_SECRET).unwrap())
}

fn verified(came: &Came) -> VerifiedFields {
    let (path, query) = came.target.split_once('?').unwrap_or((&came.target, ""));
    let form = if came.method == "GET" { query } else { came.body.as_str() };
    let script = Script::of(&format!("http://127.0.0.1{path}")).unwrap();
    let fields = PgFields::from_form(form.as_bytes()).unwrap();
    signer().verify(Account::Accepting, &script, fields).unwrap()
}

/// A shop that answers check and result with this status.
fn shop(status: &'static str) -> Listener {
    Listener::start(move |came| {
        if came.target.starts_with("/shop/") {
            return (200, "<!DOCTYPE html><title>Shop</title><h1>Welcome back</h1>".to_owned());
        }
        let verified = verified(came);
        let script = Script::of(&format!("http://127.0.0.1{}", came.target)).unwrap();
        let salt = Salt::new(verified.text("pg_salt").unwrap()).unwrap();
        let words = "Қоймада жоқ <b>&</b>";
        let fields = PgFields::new().with("pg_status", status).with("pg_description", words);
        let signed = signer().sign(Account::Accepting, &script, fields, &salt).unwrap();
        let xml = signed.to_xml(XmlRoot::Response).unwrap();
        (200, String::from_utf8(xml.as_ref().to_vec()).unwrap())
    })
}

fn asked(shop: &Listener, back: &str) -> serde_json::Value {
    json!({
        "order_id": "O-17", "amount": "1990.50", "description": "Two tickets & a <b>book</b>",
        "check_url": shop.url("/pay/check"), "result_url": shop.url("/pay/result"),
        "success_url": shop.url("/shop/thanks"), "failure_url": shop.url("/shop/sorry"),
        "request_method": "POST", "success_url_method": back, "failure_url_method": back,
        "own": { "shop_session": "s7" },
    })
}

#[test]
fn a_payer_pays_and_the_shop_hears_of_it_before_the_payer_is_back() {
    for back in ["GET", "POST"] {
        let (browser, front, shop) = (Browser::start(), sandbox(), shop("ok"));
        let made = control(&front, "/payments", &asked(&shop, back));
        browser.open(&format!("{}{}", front.url(), made["pay_path"].as_str().unwrap()));
        browser.picture("pay");
        browser.click("Pay 1990.50 KZT");
        browser.wait_for("Back to the shop");
        assert!(browser.text().contains("Paid"), "{}", browser.text());
        let check = shop.next();
        assert_eq!(check.target, "/pay/check");
        let result = shop.next();
        assert_eq!(result.target, "/pay/result");
        let verified_result = verified(&result);
        assert_eq!(verified_result.text("pg_result").unwrap(), "1");
        assert_eq!(verified_result.text("pg_amount").unwrap(), "1990.5");
        browser.picture("paid");
        browser.click("Back to the shop");
        browser.wait_for("Welcome back");
        let came = shop.next();
        assert_eq!(came.method, back);
        assert_eq!(verified(&came).text("shop_session").unwrap(), "s7");
        assert!(browser.url().starts_with(&shop.url("/shop/thanks")));
        assert!(front.sandbox().findings().is_empty(), "{:?}", front.sandbox().findings());
    }
}

#[test]
fn a_payer_reads_why_the_shop_does_not_agree() {
    let (browser, front, shop) = (Browser::start(), sandbox(), shop("rejected"));
    let made = control(&front, "/payments", &asked(&shop, "GET"));
    browser.open(&format!("{}{}", front.url(), made["pay_path"].as_str().unwrap()));
    browser.click("Pay 1990.50 KZT");
    browser.wait_for("The shop did not agree");
    assert!(browser.text().contains("Қоймада жоқ <b>&</b>"), "{}", browser.text());
    browser.picture("refused");
    assert_eq!(shop.next().target, "/pay/check");
    browser.click("Back to the shop");
    browser.wait_for("Welcome back");
    assert_eq!(verified(&shop.next()).text("pg_error_code").unwrap(), "1");
}
