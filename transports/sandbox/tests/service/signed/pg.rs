//! The forms in which a signed message comes and goes.

use http::Request;
use imts_core::sign::pg_sig::Account::{Accepting, Payouts};
use imts_core::sign::pg_sig::{PgFields, PgVerifyError, Script};
use imts_sandbox::{ReplyScript, Sandbox, StatusForm, Verdict};
use serde_json::Value;

use super::{asked, fields, form, merchant, sign, verified, xml};
use crate::{NOON, json_of};

const INIT: &str = "/init_payment.php";

fn order() -> PgFields {
    let positions = vec![
        PgFields::new().with("name", "Мышь & Co").with("count", "2"),
        PgFields::new().with("name", "Коврик; 1+1").with("count", "1"),
    ];
    fields(&[("pg_order_id", "23"), ("pg_amount", "20.00"), ("x_note", "a=b&c")])
        .with("pg_receipt_positions", positions)
}

fn taken(request: &Request<Vec<u8>>) -> Verdict {
    asked(&mut Sandbox::default(), NOON, request).0
}

#[test]
fn a_message_is_taken_as_a_form_a_query_multipart_xml_and_json() {
    assert_eq!(taken(&form(Accepting, INIT, order())), Verdict::Applied);

    let body = sign(Accepting, INIT, order()).to_form();
    let query = std::str::from_utf8(body.as_ref()).unwrap();
    let get = Request::get(format!("{INIT}?{query}")).body(Vec::new()).unwrap();
    assert_eq!(taken(&get), Verdict::Applied);

    let flat =
        fields(&[("pg_order_id", "23"), ("pg_amount", "20.00"), ("pg_description", "Бронь\r\n")]);
    let signed = sign(Accepting, INIT, flat);
    let mut body = String::new();
    let pairs = PgFields::from_form(signed.to_form().as_ref()).unwrap();
    let pairs =
        merchant().verify(Accepting, &Script::of("http://s/init_payment.php").unwrap(), pairs);
    let signature = signed.pg_sig().to_owned();
    let pairs = pairs.unwrap();
    let pairs =
        pairs.iter().map(|(name, value)| (name.to_owned(), value.as_text().unwrap().to_owned()));
    for (name, value) in pairs.chain([("pg_sig".to_owned(), signature)]) {
        body +=
            &format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--b0--\r\n";
    let multipart = Request::post(INIT)
        .header("content-type", "multipart/form-data; boundary=b0")
        .body(body.into_bytes())
        .unwrap();
    assert_eq!(taken(&multipart), Verdict::Applied);

    let flat =
        || fields(&[("pg_order_id", "23"), ("pg_amount", "1"), ("pg_description", "<Бронь & Co>")]);
    assert_eq!(taken(&xml(Accepting, INIT, flat())), Verdict::Applied);

    let json = |path: &str| {
        let body = sign(Accepting, path, order()).to_json().unwrap();
        let request = Request::post(path).header("content-type", "application/json");
        request.body(body.as_ref().to_vec()).unwrap()
    };
    assert_eq!(taken(&json("/init_payment")), Verdict::Applied);
    // Only the page of that operation has JSON.
    assert_eq!(taken(&json("/g2g/payment")), Verdict::BadRequest);
}

#[test]
fn a_message_with_two_signatures_or_with_two_merchants_is_refused() {
    let mut two = form(Accepting, INIT, order());
    let signature = sign(Accepting, INIT, order()).pg_sig().to_owned();
    two.body_mut().extend_from_slice(format!("&pg_sig={signature}").as_bytes());
    assert_eq!(taken(&two), Verdict::BadSignature);
    let path = "/v1/merchant/500001/card/init";
    assert_eq!(taken(&form(Accepting, path, order())), Verdict::BadSignature);
    let path = "/v1/merchant/500000/card/init";
    assert_eq!(taken(&form(Accepting, path, order())), Verdict::Applied);
}

#[test]
fn a_status_is_xml_or_json_as_the_settings_say_and_a_payment_is_xml() {
    let mut service = Sandbox::default();
    service.settings_mut().signed.status_form = StatusForm::Json;
    let created = service.handle(NOON, &form(Accepting, INIT, order()));
    let created = verified(Accepting, INIT, &created);
    let page = created["pg_redirect_url"].as_str().unwrap();
    assert!(page.starts_with("http://127.0.0.1:8080/pay?"), "{page}");

    let path = "/get_status3.php";
    let response = service.handle(NOON, &form(Accepting, path, fields(&[("pg_order_id", "23")])));
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(json_of(&response)["pg_payment_status"], "new");
    let script = Script::of("http://s/get_status3.php").unwrap();
    let received = PgFields::from_json(response.body()).unwrap();
    assert!(merchant().verify(Accepting, &script, received).is_ok());
}

#[test]
fn two_replies_can_be_signed_without_a_script_as_one_integrator_claims() {
    let mut service = Sandbox::default();
    service.settings_mut().signed.reply_script = ReplyScript::CalledOrNone;
    let mut check = |path: &str, script: &Script| {
        let response = service.handle(NOON, &form(Accepting, path, order()));
        let received = PgFields::from_xml(response.body()).unwrap();
        merchant().verify(Accepting, script, received).map(drop)
    };
    let (init, direct) = ("/v1/merchant/500000/card/init", "/v1/merchant/500000/card/direct");
    for path in [init, direct] {
        assert_eq!(check(path, &Script::absent()), Ok(()));
        assert_eq!(check(path, &Script::exactly("init")), Err(PgVerifyError::Signature));
    }
    assert_eq!(check("/g2g/payment", &Script::exactly("payment")), Ok(()));
}

#[test]
fn each_reply_has_a_salt_of_its_own() {
    let mut service = Sandbox::default();
    let mut salt = || {
        let response = service.handle(NOON, &form(Payouts, "/api/reg2nonreg", order()));
        verified(Payouts, "/api/reg2nonreg", &response)["pg_salt"].clone()
    };
    assert_ne!(salt(), salt());
}

#[test]
fn the_replies_of_the_mobile_balance_are_signed_or_as_printed() {
    let mut service = Sandbox::default();
    let pay = || form(Accepting, "/mfs/pay", fields(&[("pg_payment_id", "1000001")]));
    let reply = verified(Accepting, "/mfs/pay", &service.handle(NOON, &pay()));
    assert_eq!(reply["pg_status"], "need_approve");
    service.settings_mut().signed.mobile_replies_signed = false;
    let body = String::from_utf8(service.handle(NOON, &pay()).into_body()).unwrap();
    assert!(body.contains("need_approve") && !body.contains("pg_sig") && !body.contains("pg_salt"));
}

#[test]
fn a_body_that_cannot_be_read_is_a_bad_request() {
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", "pg_order_id=%4"),
        ("application/x-www-form-urlencoded", "a[b=1"),
        ("application/x-www-form-urlencoded", "pg_xml=<!DOCTYPE a><request/>"),
        ("application/x-www-form-urlencoded", "pg_xml=<response/>"),
        ("multipart/form-data", "--b\r\n"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
        ),
        ("application/json", "[true]"),
        ("text/plain", "pg_order_id=1"),
    ] {
        let request = Request::post(INIT).header("content-type", content_type);
        let request = request.body(body.as_bytes().to_vec()).unwrap();
        assert_eq!(taken(&request), Verdict::BadRequest, "{content_type} {body}");
    }
    let delete = Request::delete(INIT).body(Vec::new()).unwrap();
    let mut service = Sandbox::default();
    assert_eq!(service.handle(NOON, &delete).status(), 405);
    let _: Value = json_of(&service.handle(NOON, &delete));
}
