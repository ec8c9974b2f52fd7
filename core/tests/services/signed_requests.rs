//! The typed operations with a JWS: the bytes that the pages print, signed as they sign them, and the
//! replies that they print.

use std::time::Duration;

use http::{Method, Request, Response};
use imts_core::call::{Keys, NotCallable, Signatory};
use imts_core::operation::{Json, Repeat};
use imts_core::secret::Body;
use imts_core::services::flat::RequestStatus;
use imts_core::services::gateway_async::{
    AsyncCard, AsyncDevice, AsyncUrls, CardSource, CreatePayment, ReadPayment, Recurrent,
};
use imts_core::services::merchant_invoice::{InitInvoice, InvoiceStatus};
use imts_core::services::settlement::{BatchStatuses, PaymentStatus};
use imts_core::services::{
    card_api, e_money, gateway_async, gift_cards, merchant_invoice, partner_invoice, products,
    rates, settlement,
};
use imts_core::sign::jws::{Algorithm, JwsForm, JwsKey};
use imts_core::{Call, CallStep, Operation, Outcome, Policy, Reply, Service};
use serde_json::Value;

use crate::support::{START, endpoint};

const ID: &str = "828cf71d-a447-4a67-a149-c1df8bc197ca";
const OTHER_ID: &str = "01953bd1-a6d3-739e-8aa3-83e881f09055";
const SIGNATURE: &str = "x-jws-signature";

fn vector(id: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../fixtures/jws.json")).unwrap();
    let mut vectors = all["vectors"].as_array().unwrap().iter();
    vectors.find(|vector| vector["id"] == id).unwrap().clone()
}

fn signatory(service: Service, party: &str, key: &str) -> Signatory {
    let keys = Keys::new().with_jws(party, JwsKey::new(key).unwrap());
    Signatory::new(endpoint(), service, Policy::default(), keys)
}

fn call<O: Operation>(service: Service, key: &str, operation: &O) -> Call<O::Reply> {
    let until = START.mono.after(Duration::from_secs(60));
    signatory(service, "123456", key).call(operation, [7; 16], until).unwrap()
}

fn sent<R>(call: &mut Call<R>) -> Request<Body> {
    let CallStep::Send(exchange) = call.poll(START) else { panic!("it is ready to be sent") };
    exchange.into_request()
}

fn request<O: Operation>(service: Service, operation: &O) -> Request<Body> {
    sent(&mut call(service, "secret", operation))
}

fn body(request: &Request<Body>) -> &str {
    std::str::from_utf8(request.body().as_ref()).unwrap()
}

/// What a reply with this body comes to.
fn replied<O: Operation>(service: Service, operation: &O, reply: &str) -> Outcome<O::Reply> {
    let mut call = call(service, "secret", operation);
    drop(sent(&mut call));
    let response = Response::builder().header("content-type", "application/json");
    let response = response.body(reply.as_bytes().to_vec()).unwrap();
    call.on_reply(Reply::from(&response), START);
    let CallStep::Over(outcome) = call.poll(START) else { panic!("it is over") };
    outcome
}

fn done<O: Operation>(service: Service, operation: &O, reply: &str) -> O::Reply {
    match replied(service, operation, reply) {
        Outcome::Done(reply) => reply,
        other => panic!("{:?}", other.ending()),
    }
}

fn is_signed_as<O: Operation>(service: Service, operation: &O, id: &str) {
    let vector = vector(id);
    let key = vector["key"].as_str().unwrap();
    let request = sent(&mut call(service, key, operation));
    assert_eq!(body(&request), vector["body"].as_str().unwrap(), "{id}");
    let printed = vector["x_jws_signature"].as_str().unwrap();
    assert_eq!(request.headers()[SIGNATURE].to_str().unwrap(), printed, "{id}");
}

#[test]
fn a_typed_request_is_signed_as_the_page_signs_it() {
    let older = card_api::service().with_jws_form(JwsForm::partner(Algorithm::Hs512));
    is_signed_as(
        older,
        &card_api::RequestStatus::new(ID.parse().unwrap()),
        "card-api-status-hs512",
    );
    let wallet = e_money::AddWallet::new(
        ID.parse().unwrap(),
        "KAZ".parse().unwrap(),
        "KZT".parse().unwrap(),
    );
    is_signed_as(e_money::service(), &wallet, "wallet-add-hs256");
}

#[test]
fn an_invoice_is_signed_with_the_printed_header_whatever_the_order_of_its_fields() {
    let (order, amount) = (ID.parse().unwrap(), "100".parse().unwrap());
    let text = "Счет за услуги".parse().unwrap();
    let init = InitInvoice::new(order, 123_456, amount, text, "KZT".parse().unwrap());
    let request = request(merchant_invoice::service(), &init);
    let printed = vector("merchant-invoice-init-hs512");
    let fields = |json: &str| serde_json::from_str::<Value>(json).unwrap();
    assert_eq!(fields(body(&request)), fields(printed["body"].as_str().unwrap()));
    let header = |token: &str| token.split("..").next().unwrap().to_owned();
    let token = request.headers()[SIGNATURE].to_str().unwrap();
    assert_eq!(header(token), header(printed["x_jws_signature"].as_str().unwrap()));
}

#[test]
fn a_card_is_charged_with_the_printed_body_and_shown_nowhere() {
    let card = AsyncCard {
        name: "CARD HOLDER".into(),
        pan: "4400444400004440".parse().unwrap(),
        cvc: "123".parse().unwrap(),
        year: 30,
        month: 12,
    };
    let from = CardSource::new(card).with_save(true).with_recurrent(Recurrent { lifetime: 3 });
    let url = || "https://webhook.site/2af177da-0d72-4651-a31e-a0ea56ccc8a4".parse().ok();
    let payment = CreatePayment::new(
        OTHER_ID.parse().unwrap(),
        "123.42".parse().unwrap(),
        "KZT".parse().unwrap(),
        "description".parse().unwrap(),
        "order_id".parse().unwrap(),
        from,
    )
    .with_user_id("user_id".into())
    .with_auto_clearing(true)
    .with_device(AsyncDevice { user_ip: "123.123.123.123".into() })
    .with_urls(AsyncUrls { check_url: url(), result_url: url() });
    let printed = vector("g2g-create-newer-body");
    let fields = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap();
    let body = payment.encode().unwrap();
    assert_eq!(fields(body.as_ref()), fields(printed["body"].as_str().unwrap().as_bytes()));
    assert!(std::str::from_utf8(body.as_ref()).unwrap().contains(r#""amount":123.42,"#));
    let shown = format!("{payment:?}");
    for secret in ["4400444400004440", "CARD HOLDER", "\"123\"", "123.123"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn the_action_and_the_id_of_a_request_are_headers() {
    let read = ReadPayment::of_order(OTHER_ID.parse().unwrap(), "order_id".parse().unwrap());
    let request = request(gateway_async::service(), &read);
    assert_eq!(request.headers()["x-action"], "gateway.payment.status");
    assert_eq!(request.headers()["x-request-id"], OTHER_ID);
    assert_eq!(body(&request), r#"{"order_id":"order_id"}"#);
    let info = partner_invoice::InvoiceInfo::new(OTHER_ID.parse().unwrap(), ID.parse().unwrap());
    let request = self::request(partner_invoice::service(), &info);
    assert_eq!(request.headers()["x-request-id"], OTHER_ID);
}

#[test]
fn a_payment_whose_action_is_not_known_is_not_sent() {
    let json = Json::parse(r#"{"order_id":"1"}"#).unwrap();
    let until = START.mono.after(Duration::from_secs(60));
    for name in ["create-payment", "refund", "clearing"] {
        let signatory = signatory(gateway_async::service(), "123456", "secret");
        let error = signatory.call_named(name, &json, [7; 16], until).unwrap_err();
        assert_eq!(error, NotCallable::NoPath { name: name.to_owned() });
    }
}

#[test]
fn the_ids_of_a_settlement_go_into_its_path_and_nothing_into_its_body() {
    let one = PaymentStatus::new("MSG-2025_01".parse().unwrap());
    let request = request(settlement::service(), &one);
    let path = "/api/v5/partner/settlement-partitions/MSG-2025_01/status";
    assert_eq!((request.method(), request.uri().path()), (&Method::GET, path));
    assert!(request.body().is_empty() && request.headers().contains_key(SIGNATURE));
    let all = BatchStatuses::new("m".repeat(35).parse().unwrap());
    assert!(self::request(settlement::service(), &all).uri().path().ends_with("m/batch-statuses"));
    for bad in [String::new(), "m".repeat(36), "a/b".into(), "a b".into(), "ä".into(), "..".into()]
    {
        assert!(bad.parse::<settlement::SettlementId>().is_err(), "{bad}");
    }
}

#[test]
fn a_request_that_is_accepted_is_not_done() {
    let close = card_api::CloseCard::new(ID.parse().unwrap(), "7".into(), "lost".parse().unwrap());
    for (word, status) in [
        ("\"process\"", RequestStatus::InProcess),
        ("1", RequestStatus::InProcess),
        ("\"success\"", RequestStatus::Done),
        ("0", RequestStatus::Done),
        ("\"error\"", RequestStatus::Failed),
        ("2", RequestStatus::Failed),
    ] {
        let reply = format!(
            r#"{{"status":"ok","request_status":{word},"dt":"2025-03-01T07:05:42+05:00","new":1}}"#
        );
        let accepted = done(card_api::service(), &close, &reply);
        assert_eq!(accepted.request_status, Some(status), "{word}");
        assert_eq!(accepted.dt.unwrap().as_str(), "2025-03-01T07:05:42+05:00");
    }
    let other = done(card_api::service(), &close, r#"{"status":"ok","request_status":"later"}"#);
    let Some(RequestStatus::Other(word)) = other.request_status else { panic!("it is kept") };
    assert_eq!(word.as_str(), "later");
}

#[test]
fn a_flat_reply_with_another_status_than_ok_is_a_refusal() {
    let block = e_money::BlockWallet::new(ID.parse().unwrap(), "w".into(), "lost".parse().unwrap());
    for code in ["\"1004\"", "1004"] {
        let reply = format!(
            r#"{{"status":"error","error_code":{code},"error_description":"no such wallet"}}"#
        );
        let outcome = replied(e_money::service(), &block, &reply);
        let Outcome::Refused(refusal) = outcome else { panic!("{code}: {:?}", outcome.ending()) };
        assert_eq!((refusal.code(), refusal.message()), (Some("1004"), Some("no such wallet")));
    }
    let outcome = replied(e_money::service(), &block, "{}");
    assert!(matches!(outcome, Outcome::Unknown(_)), "a reply without a status proves nothing");
}

#[test]
fn a_repeated_request_id_proves_that_the_first_request_arrived() {
    let block = e_money::BlockWallet::new(ID.parse().unwrap(), "w".into(), "lost".parse().unwrap());
    let reply = r#"{"status":"error","error_code":"1002","error_description":"not unique"}"#;
    let outcome = replied(e_money::service(), &block, reply);
    assert!(!matches!(outcome, Outcome::Refused(_) | Outcome::Done(_)), "{:?}", outcome.ending());
    let service = e_money::service();
    let info = service.operations().entry("block").unwrap();
    assert_eq!(info.repeat(), &Repeat::refused(["1002"]));
    assert_eq!(info.asked_by().unwrap().field(), "request_id");
}

#[test]
fn a_gift_card_replies_with_a_number_as_its_status() {
    let confirm = gift_cards::ConfirmGiftCard::new("123456".into());
    let printed = r#"{"datetime":"2022-05-01 12:01:15","status":0,"card_status":1,"card_currency":"USD","card_balance":100,"card_mask":"1234********5678"}"#;
    let card = done(gift_cards::service(), &confirm, printed);
    assert_eq!(card.card_status, Some(gift_cards::CardStatus::Active));
    assert_eq!(
        card.card_balance.as_ref().and_then(imts_core::services::values::Found::amount),
        "100".parse().ok()
    );
    assert!(!format!("{card:?}").contains("1234"), "{card:?}");
    let outcome = replied(gift_cards::service(), &confirm, r#"{"status":-8}"#);
    let Outcome::Refused(refusal) = outcome else { panic!("{:?}", outcome.ending()) };
    assert_eq!(refusal.code(), Some("-8"));
}

#[test]
fn the_replies_of_the_pages_are_read_with_exact_numbers() {
    let statement = e_money::WalletStatement::new("w".into());
    let reply = r#"{"status":"ok","request_status":"success","operations":[{"type":"emoney_pay","amount":123456789012345.6789,"commission":0.1,"currency":"KZT","datetime":"2019-08-24T14:15:22Z","rrn":"1","correspondent":{"name":"Shop","account_number":"KZ1"}},{"type":"other"}],"dt":"2019-08-24T14:15:22Z"}"#;
    let operations = done(e_money::service(), &statement, reply).operations.unwrap();
    assert_eq!(operations[0].kind, Some(e_money::WalletOperationType::Pay));
    assert_eq!(operations[0].amount.as_ref().unwrap().as_str(), "123456789012345.6789");
    assert!(matches!(operations[1].kind, Some(e_money::WalletOperationType::Other(_))));
    assert!(!format!("{operations:?}").contains("Shop"));

    let init = InitInvoice::new(
        "1".parse().unwrap(),
        1,
        "100".parse().unwrap(),
        "a".parse().unwrap(),
        "KZT".parse().unwrap(),
    );
    let reply = r#"{"status":"ok","invoice_status":"process","invoice_id":17,"invoice_methods":{"qr":"iVBOR"},"dt":"2025-03-01T07:05:42+05:00"}"#;
    let invoice = done(merchant_invoice::service(), &init, reply);
    assert_eq!(invoice.invoice_status, Some(InvoiceStatus::InProcess));
    assert_eq!(invoice.invoice_id.unwrap().as_str(), "17");

    let status = PaymentStatus::new("a".parse().unwrap());
    let reply = r#"{"status":"success","error_code":0,"error_description":0,"document_type":"iso20022","document_body":"<Document/>"}"#;
    let document = done(settlement::service(), &status, reply);
    assert_eq!(document.document_body.as_ref().unwrap().expose(), "<Document/>");
}

#[test]
fn each_field_of_a_client_keeps_its_printed_name_and_what_is_not_set_is_not_sent() {
    let client = card_api::CardClient {
        phone: 77_771_234_567,
        kind: 1,
        resident: 1,
        first_name: "Ivan".into(),
        last_name: "Ivanov".into(),
        middle_name: None,
        birthdate: Some("1990-01-31".into()),
        email: None,
        country: Some("KAZ".parse().unwrap()),
        person_id: None,
        language: None,
        document: None,
        external_user_id: None,
        address1: None,
        address2: None,
    };
    let create = card_api::CreateClient::new(ID.parse().unwrap(), 3, client);
    assert_eq!(
        body(&request(card_api::service(), &create)),
        format!(
            r#"{{"request_id":"{ID}","product_id":3,"client":{{"phone":77771234567,"type":1,"resident":1,"first_name":"Ivan","last_name":"Ivanov","birthdate":"1990-01-31","country":"KAZ"}}}}"#
        )
    );
    let shown = format!("{create:?}");
    assert!(!shown.contains("Ivan") && !shown.contains("1990"), "{shown}");
    let rate = rates::AddRate::new(
        "USD".parse().unwrap(),
        "KZT".parse().unwrap(),
        "512.35".parse().unwrap(),
    )
    .with_start_date("2025-03-01".parse().unwrap());
    assert_eq!(
        body(&request(rates::service(), &rate)),
        r#"{"currency_from":"USD","currency_to":"KZT","rate":512.35,"start_date":"2025-03-01"}"#
    );
    let address = products::Address::new("KAZ".into(), "050000".into(), "Abay 1".into());
    let company = products::Company::new("1".into(), "Shop".into(), "2".into(), address);
    let add = products::AddClient::new(ID.parse().unwrap(), company);
    let sent = request(products::service(), &add);
    assert!(body(&sent).ends_with(
        r#""company":{"company_id":"1","name":"Shop","bin":"2","address":{"country":"KAZ","postal_code":"050000","address_line1":"Abay 1"}}}"#
    ));
}

#[test]
fn a_date_has_one_of_the_two_printed_forms() {
    use imts_core::services::values::Date;
    for good in ["2025-03-01", "2025-03-01T07:05:42+05:00", "2019-08-24T14:15:22Z"] {
        assert!(good.parse::<Date>().is_ok(), "{good}");
    }
    for bad in ["", "01.03.2025", "2025-02-30", "2025-3-1", "2025-03-01 07:05:42", "+2025-03-1"] {
        assert!(bad.parse::<Date>().is_err(), "{bad}");
    }
}
