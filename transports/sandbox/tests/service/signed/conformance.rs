//! Each operation with a known path: signed by the core, verified by the sandbox, answered in its
//! envelope, and refused if anything that is signed is changed.

use std::collections::BTreeSet;

use http::{Method, Request, Response};
use imts_core::sign::jws::Algorithm::{Hs256, Hs512};
use imts_core::sign::pg_sig::Account::{self, Accepting, Payouts};
use imts_sandbox::{Sandbox, SignedOperation, Verdict};
use serde_json::{Value, json};

use super::{ID, OTHER_ID, Signer, asked, fields, form, verified};
use crate::{NOON, at, json_of};

/// The JSON operations: the path, the signer, a body, and the fields by which the envelope is known.
fn calls() -> Vec<(&'static str, &'static str, Signer, Value, &'static [&'static str])> {
    const FLAT: &[&str] = &["status", "request_status", "dt"];
    const PLAIN: &[&str] = &["status", "dt"];
    const SETTLEMENT: &[&str] = &["status", "error_code", "document_type", "document_body"];
    let (card, newer) = (Signer::Partner(Hs512), Signer::PartnerWithTyp);
    let partner = Signer::Partner(Hs256);
    let change = json!({ "request_id": ID, "card_id": "7", "description": "d" });
    let by_id = json!({ "request_id": ID });
    vec![
        (
            "card-api.create-client",
            "/v5/card-api/client/add",
            card,
            json!({ "request_id": ID, "product_id": 1, "client": {} }),
            FLAT,
        ),
        ("card-api.request-status", "/v5/card-api/request/status", card, by_id, FLAT),
        ("card-api.unblock-card", "/v5/card-api/card/unblock", card, change.clone(), FLAT),
        ("card-api.close-card", "/v5/card-api/card/close", newer, change, FLAT),
        (
            "card-api.card-info",
            "/v5/card-api/card/info",
            newer,
            json!({ "request_id": OTHER_ID, "card_id": "7" }),
            FLAT,
        ),
        (
            "card-api.statement-extended",
            "/v5/card-api/card/statement_extended",
            card,
            json!({ "card_id": "7", "start_date": "2025-01-01", "end_date": "2025-02-01" }),
            &["status", "client_id", "card", "dt"],
        ),
        (
            "card-api.refund-transaction",
            "/v5/card-api/transaction/refund",
            card,
            json!({ "request_id": ID, "order_id": "23", "transaction_id": "5" }),
            FLAT,
        ),
        (
            "gift-cards.confirm",
            "/v5/cards/activate_card",
            partner,
            json!({ "otp": "1234" }),
            &["datetime", "status", "card_status", "card_currency", "card_balance", "card_mask"],
        ),
        (
            "rates.add",
            "/v5/partner/rates/add",
            partner,
            json!({ "currency_from": "USD", "currency_to": "KZT", "rate": 500 }),
            PLAIN,
        ),
        (
            "products.add-client",
            "/v5/partner/client/add",
            partner,
            json!({ "request_id": ID, "company": {} }),
            FLAT,
        ),
        (
            "products.add-product",
            "/v5/partner/client/product/add",
            partner,
            json!({ "request_id": ID }),
            FLAT,
        ),
        (
            "e-money.add",
            "/v5/partner/wallet/add",
            partner,
            json!({ "request_id": ID, "country": "KZ", "currency": "KZT" }),
            FLAT,
        ),
        (
            "e-money.block",
            "/v5/partner/wallet/block",
            partner,
            json!({ "request_id": ID, "identifier": "w", "description": "d" }),
            FLAT,
        ),
        (
            "e-money.statement",
            "/v5/partner/wallet/statement",
            partner,
            json!({ "identifier": "w" }),
            &["status", "operations", "dt"],
        ),
        (
            "merchant-invoice.init",
            "/v5/merchant/invoice/init",
            Signer::Invoice,
            json!({
                "order_id": "23", "merchant_id": "500000", "amount": 10, "description": "d",
                "invoice_method": "qr", "currency": "KZT",
            }),
            &["status", "invoice_status", "error_code", "invoice_id", "invoice_methods", "dt"],
        ),
        (
            "partner-invoice.invoice",
            "/v5/partner/invoices/info",
            partner,
            json!({ "id": ID }),
            PLAIN,
        ),
        (
            "settlement.payment-status",
            "/api/v5/partner/settlement-partitions/A-1_b/status",
            partner,
            Value::Null,
            SETTLEMENT,
        ),
        (
            "settlement.batch-statuses",
            "/v5/partner/settlement-partitions/A-1_b/batch-statuses",
            partner,
            Value::Null,
            SETTLEMENT,
        ),
        (
            "gateway-async.create-payment",
            "/v5/g2g/create",
            Signer::Async,
            json!({ "amount": 10, "currency": "KZT", "order_id": "23", "from": {} }),
            &[],
        ),
        (
            "gateway-async.read-payment",
            "/v5/g2g/read",
            Signer::Async,
            json!({ "order_id": "23" }),
            &[],
        ),
        ("gateway-async.reverse", "/v5/g2g/edit", Signer::Async, json!({ "id": "1" }), &[]),
    ]
}

/// The form operations, each path of each.
fn forms() -> Vec<(SignedOperation, String, Account)> {
    let is_payout = |name: &str| name.contains("payout");
    let rows = SignedOperation::all().filter(|row| {
        row.as_str().starts_with("gateway.") || row.as_str().starts_with("merchant.")
    });
    let paths = rows.flat_map(|row| {
        let account = if is_payout(row.as_str()) { Payouts } else { Accepting };
        row.paths().iter().map(move |path| (row, path.replace("{id}", "500000"), account))
    });
    paths.collect()
}

fn call(signer: Signer, path: &str, body: &Value) -> Request<Vec<u8>> {
    let method = if body.is_null() { Method::GET } else { Method::POST };
    signer.request(method, path, body)
}

/// A service that has the payment and the request that the reading operations ask for.
fn with_something() -> Sandbox {
    let mut service = Sandbox::default();
    for (name, path, signer, body, _) in calls() {
        if ["card-api.unblock-card", "gateway-async.create-payment"].contains(&name) {
            assert_eq!(asked(&mut service, NOON, &call(signer, path, &body)).0, Verdict::Applied);
        }
    }
    service
}

fn is_refusal(response: &Response<Vec<u8>>) -> bool {
    let body = String::from_utf8_lossy(response.body());
    body.contains("\"status\":\"error\"")
        || body.contains("\"status\":-8")
        || body.contains("<pg_status>error</pg_status>")
}

#[test]
fn each_json_operation_is_verified_and_answered_in_its_envelope() {
    let mut seen = BTreeSet::new();
    for (name, path, signer, body, envelope) in calls() {
        // A read is about something; a change meets an id that is new.
        let reads = SignedOperation::named(name).unwrap().class() == imts_sandbox::Class::Read;
        let mut service = if reads { with_something() } else { Sandbox::default() };
        let mut request = call(signer, path, &body);
        if name == "gateway-async.read-payment" {
            request.headers_mut().insert("x-request-id", OTHER_ID.parse().unwrap());
        }
        let (verdict, response) = asked(&mut service, at(1), &request);
        let expected = if reads { Verdict::Answered } else { Verdict::Applied };
        assert_eq!((verdict, response.status().as_u16()), (expected, 200), "{name}");
        assert!(!is_refusal(&response), "{name}: {:?}", String::from_utf8_lossy(response.body()));
        let reply = json_of(&response);
        for field in envelope {
            assert!(reply.get(field).is_some(), "{name} has no {field}: {reply}");
        }
        if signer == Signer::Async {
            assert_eq!(reply, json!({}));
            let headers = response.headers();
            assert_eq!(headers["x-request-id"], request.headers()["x-request-id"]);
            assert_eq!(headers["x-request-status"], "process");
            assert!(headers.contains_key("x-datetime"));
        }
        assert_eq!(service.log().last().unwrap().operation.as_str(), name);
        seen.insert(name);
    }
    let all: BTreeSet<_> = SignedOperation::all().map(SignedOperation::as_str).collect();
    let with_forms: BTreeSet<_> = forms().into_iter().map(|(row, ..)| row.as_str()).collect();
    assert!(seen.is_disjoint(&with_forms));
    assert_eq!(seen.union(&with_forms).copied().collect::<BTreeSet<_>>(), all);
}

#[test]
fn a_json_request_is_refused_and_not_applied_if_anything_that_is_signed_differs() {
    for (name, path, signer, body, _) in calls() {
        let good = call(signer, path, &body);
        let token = good.headers()["x-jws-signature"].to_str().unwrap().to_owned();
        let with_token = |token: &str| {
            let mut request = good.clone();
            request.headers_mut().insert("x-jws-signature", token.parse().unwrap());
            request
        };
        let other_body = {
            let mut request = good.clone();
            request.body_mut().push(b' ');
            request
        };
        let two = {
            let mut request = good.clone();
            request.headers_mut().append("x-jws-signature", token.parse().unwrap());
            request
        };
        let none = {
            let mut request = good.clone();
            request.headers_mut().remove("x-jws-signature");
            request
        };
        let other_path = {
            let other = call(signer, "/v5/card-api/another", &body);
            with_token(other.headers()["x-jws-signature"].to_str().unwrap())
        };
        let other_method = {
            let method = if body.is_null() { Method::POST } else { Method::GET };
            let other = signer.request(method, path, &body);
            with_token(other.headers()["x-jws-signature"].to_str().unwrap())
        };
        let flipped = with_token(&flip(&token));
        for request in [other_body, two, none, other_path, other_method, flipped] {
            let mut service = Sandbox::default();
            let (verdict, response) = asked(&mut service, NOON, &request);
            assert_eq!(verdict, Verdict::BadSignature, "{name}");
            assert!(is_refusal(&response), "{name}");
            assert_eq!(service.ledger().intents().count(), 0, "{name}");
            assert_eq!(service.ledger().without_id(), 0, "{name}");
        }
    }
}

/// The token with another character in the middle of its signature.
fn flip(token: &str) -> String {
    let (head, signature) = token.split_once("..").unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{head}..{other}{}", &signature[1..])
}

#[test]
fn an_algorithm_that_the_page_does_not_name_is_refused() {
    let body = json!({ "request_id": ID, "country": "KZ", "currency": "KZT" });
    let path = "/v5/partner/wallet/add";
    for (signer, expected) in [
        (Signer::Partner(Hs256), Verdict::Applied),
        (Signer::Partner(Hs512), Verdict::BadSignature),
    ] {
        let mut service = Sandbox::default();
        assert_eq!(asked(&mut service, NOON, &signer.post(path, &body)).0, expected);
    }
}

#[test]
fn each_form_operation_is_verified_and_its_reply_is_signed_with_the_script_of_its_path() {
    let mut count = 0;
    for (row, path, account) in forms() {
        let mut service = Sandbox::default();
        let order = fields(&[("pg_order_id", "23"), ("pg_amount", "10"), ("pg_currency", "KZT")]);
        let create = form(Accepting, "/g2g/payment", order.clone());
        assert_eq!(asked(&mut service, NOON, &create).0, Verdict::Applied);
        let payout = form(Payouts, "/api/reg2nonreg", order.clone());
        assert_eq!(asked(&mut service, NOON, &payout).0, Verdict::Applied);

        let reads = row.class() == imts_sandbox::Class::Read;
        let (verdict, response) = asked(&mut service, at(1), &form(account, &path, order));
        let expected = if reads { Verdict::Answered } else { Verdict::Applied };
        assert_eq!((verdict, response.status().as_u16()), (expected, 200), "{path}");
        let reply = verified(account, &path, &response);
        assert_ne!(reply["pg_status"], "error", "{path}: {reply}");
        assert_eq!(reply["pg_salt"].as_str().unwrap().len(), 16, "{path}");
        assert_eq!(service.log().last().unwrap().operation.as_str(), row.as_str());
        count += 1;
    }
    assert_eq!(count, 33);
}

#[test]
fn a_form_request_is_refused_without_salt_and_signature_if_it_is_not_signed_by_a_known_merchant() {
    let order = || fields(&[("pg_order_id", "23")]);
    for (_, path, account) in forms() {
        let is_either = path.ends_with("/list");
        let other_account = if account == Accepting { Payouts } else { Accepting };
        let mut with_other_key = form(other_account, &path, order());
        if is_either {
            with_other_key.body_mut().extend_from_slice(b"&x=1");
        }
        let mut changed = form(account, &path, order());
        changed.body_mut().extend_from_slice(b"&pg_extra=1");
        let other_script = {
            let body = form(account, "/other", order()).into_body();
            let mut request = form(account, &path, order());
            *request.body_mut() = body;
            request
        };
        let unknown = {
            let text = String::from_utf8(form(account, &path, order()).into_body()).unwrap();
            let mut request = form(account, &path, order());
            *request.body_mut() = text.replace("500000", "500001").into_bytes();
            request
        };
        for request in [with_other_key, changed, other_script, unknown] {
            let mut service = Sandbox::default();
            let (verdict, response) = asked(&mut service, NOON, &request);
            assert_eq!(verdict, Verdict::BadSignature, "{path}");
            let body = String::from_utf8(response.body().clone()).unwrap();
            assert!(body.contains("<pg_error_code>9998</pg_error_code>"), "{body}");
            assert!(!body.contains("pg_salt") && !body.contains("pg_sig"), "{body}");
            assert_eq!(response.headers()["x-sandbox-evidence"], "published");
            assert_eq!(service.ledger().intents().count(), 0, "{path}");
        }
    }
}

#[test]
fn a_path_that_no_signed_service_has_is_a_403_with_a_page_of_html() {
    let mut service = Sandbox::default();
    for path in
        ["/g2g/none", "/v2/payment/purchase", "/get_status.php", "/v1/merchant/1/none", "/v5/none"]
    {
        let request = form(Accepting, path, fields(&[]));
        let (verdict, response) = asked(&mut service, NOON, &request);
        assert_eq!((verdict, response.status().as_u16()), (Verdict::NoSuchPath, 403), "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(response.body().starts_with(b"<html>"));
        assert_eq!(response.headers()["x-sandbox-evidence"], "assumed");
    }
    service.settings_mut().signed.forbids_unknown_paths = false;
    let request = form(Accepting, "/g2g/none", fields(&[]));
    assert_eq!(asked(&mut service, NOON, &request).1.status(), 404);
}
