//! The typed operations with `pg_sig`: their fields, their limits, and what a reply proves.

use std::time::Duration;

use http::Request;
use imts_core::call::{Keys, Signatory};
use imts_core::operation::Auth;
use imts_core::secret::Body;
use imts_core::services::gateway::{
    CardPayment, CardPayout, CardTransfer, GatewayCard, Receiver, Sender,
};
use imts_core::services::merchant::{
    Callbacks, CallbacksError, CreatePayment, CreateTokenPayment, InitMobile, PayOut,
    PaymentStatus, Price, Receipt, ReceiptPosition, TokenizeCard,
};
use imts_core::services::values::{Hidden, Limited};
use imts_core::services::{gateway, merchant};
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, OwnUrl, OwnUrlError, PayoutKey, PgFields, PgSigner, Script,
};
use imts_core::{Call, CallStep, Operation, Policy, Service};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{START, endpoint};

const CARD: &str = "4111111111111111";

pub(crate) fn signer() -> PgSigner {
    PgSigner::new()
        .with_accepting(AcceptingKey::new("secret").unwrap())
        .with_payouts(PayoutKey::new("payout-secret").unwrap())
}

pub(crate) fn call<O: Operation>(service: Service, operation: &O) -> Call<O::Reply> {
    let keys = Keys::new().with_pg_sig("123456", signer());
    let until = START.mono.after(Duration::from_secs(60));
    let signatory = Signatory::new(endpoint(), service, Policy::default(), keys);
    signatory.call(operation, [7; 16], until).unwrap()
}

pub(crate) fn sent<R>(call: &mut Call<R>) -> Request<Body> {
    let CallStep::Send(exchange) = call.poll(START) else { panic!("it is ready to be sent") };
    exchange.into_request()
}

/// The fields of the request that an operation makes, verified with this account's key.
fn fields<O: Operation>(service: Service, operation: &O, account: Account) -> (String, Value) {
    let request = sent(&mut call(service, operation));
    let path = request.uri().path().to_owned();
    let message = PgFields::from_form(request.body().as_ref()).unwrap();
    let script = Script::of(&path).unwrap();
    let verified = signer().verify(account, &script, message).unwrap();
    let pairs = verified
        .iter()
        .map(|(name, value)| (name.to_owned(), value.as_text().map_or(Value::Null, Value::from)));
    (path, pairs.collect())
}

pub(crate) fn payment() -> CreatePayment {
    CreatePayment::new("23".parse().unwrap(), "25".parse().unwrap(), "test".parse().unwrap())
}

fn card() -> GatewayCard {
    GatewayCard::new(
        "TEST TESTOV".into(),
        CARD.parse().unwrap(),
        "653".parse().unwrap(),
        "25".parse().unwrap(),
        "09".parse().unwrap(),
    )
}

#[test]
fn a_payment_has_its_printed_fields_and_its_callbacks_always_come_as_post() {
    let (path, fields) = fields(merchant::service(), &payment(), Account::Accepting);
    assert_eq!(path, "/init_payment.php");
    for (name, value) in [
        ("pg_order_id", "23"),
        ("pg_merchant_id", "123456"),
        ("pg_amount", "25"),
        ("pg_description", "test"),
        ("pg_request_method", "POST"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
    // Nothing else is sent but the salt: what is not set is left out, and not sent empty.
    assert_eq!(fields.as_object().unwrap().len(), 6);
    let (_, mobile) = self::fields(
        merchant::service(),
        &InitMobile::new("23".parse().unwrap(), "25".parse().unwrap(), "t".parse().unwrap()),
        Account::Accepting,
    );
    assert_eq!(mobile["pg_payment_method"], "mobile_commerce");
    assert_eq!(mobile["pg_request_method"], "POST");
}

#[test]
fn an_own_field_cannot_be_spelled_like_a_documented_one() {
    for bad in ["pg_result_url_method", "PG_x", "pg_", "", "1a", "_a", "a-b", "a[b]", "имя"] {
        assert!(payment().with_own(bad, "1".parse().unwrap()).is_err(), "{bad}");
    }
    let own = payment().with_own("x_note", "blue".parse().unwrap()).unwrap();
    let (_, fields) = fields(merchant::service(), &own, Account::Accepting);
    assert_eq!(fields["x_note"], "blue");
}

#[test]
fn two_own_urls_with_the_same_last_part_are_refused_at_set_up() {
    let same = [
        (OwnUrl::Result, "https://shop.example/result/pay"),
        (OwnUrl::Success, "https://shop.example/success/pay"),
    ];
    let error = Callbacks::new(same).unwrap_err();
    assert!(matches!(error, CallbacksError::Url(OwnUrlError::Same { .. })), "{error}");
    for bad in ["https://shop.example/", "https://shop.example/pay/"] {
        assert!(Callbacks::new([(OwnUrl::Result, bad)]).is_err(), "{bad}");
    }
    let long = format!("https://shop.example/{}", "r".repeat(235));
    let error = Callbacks::new([(OwnUrl::Result, long.as_str())]).unwrap_err();
    assert!(matches!(error, CallbacksError::Length(_)), "{error}");
    let urls = Callbacks::new([
        (OwnUrl::Check, "https://shop.example/check"),
        (OwnUrl::Result, "https://shop.example/result"),
    ]);
    let with_urls = payment().with_callbacks(urls.unwrap());
    let (_, fields) = fields(merchant::service(), &with_urls, Account::Accepting);
    assert_eq!(fields["pg_check_url"], "https://shop.example/check");
    assert_eq!(fields["pg_result_url"], "https://shop.example/result");
}

proptest! {
    #[test]
    fn a_text_is_limited_by_its_characters_before_it_is_signed(text in "[а-яa-z🚀 ]{0,40}") {
        let count = text.chars().count();
        prop_assert_eq!(text.parse::<Limited<20>>().is_ok(), (1..=20).contains(&count));
        let cut = Limited::<20>::cut(&text);
        let expected: String = text.chars().take(20).collect();
        prop_assert_eq!(cut.ok().map(|it| it.as_str().to_owned()), Some(expected).filter(|it| !it.is_empty()));
    }
}

#[test]
fn a_description_has_at_most_1024_characters_and_a_parameter_255() {
    let long = "я".repeat(1025);
    assert!(long.parse::<Limited<1024>>().is_err());
    let payment = CreatePayment::new(
        "23".parse().unwrap(),
        "25".parse().unwrap(),
        Limited::cut(&long).unwrap(),
    )
    .with_param1(Limited::cut(&long).unwrap());
    let (_, fields) = fields(merchant::service(), &payment, Account::Accepting);
    let count = |name: &str| fields[name].as_str().unwrap().chars().count();
    assert_eq!((count("pg_description"), count("pg_param1")), (1024, 255));
    for bad in ["", "a\nb", "a\u{0}"] {
        assert!(bad.parse::<Limited<255>>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_price_is_exact_and_within_the_published_range() {
    for (text, sent) in
        [("0.01", "0.01"), ("20.00", "20"), ("20.5", "20.5"), ("99999999", "99999999")]
    {
        let price: Price = text.parse().unwrap();
        assert_eq!(serde_json::to_string(&price).unwrap(), format!("\"{sent}\""), "{text}");
    }
    for bad in ["0", "0.00", "0.009", "99999999.01", "-1", "1e3", "1,5", "", "12a"] {
        assert!(bad.parse::<Price>().is_err(), "{bad}");
    }
}

#[test]
fn a_receipt_has_at_most_ten_positions_because_the_order_of_eleven_is_not_known() {
    let position = || ReceiptPosition {
        count: 2,
        name: "Mouse pad".parse().unwrap(),
        tax_type: 0,
        price: "1000".parse().unwrap(),
    };
    assert!(Receipt::new(Vec::new()).is_err());
    assert!(Receipt::new((0..11).map(|_| position()).collect()).is_err());
    let receipt = Receipt::new((0..10).map(|_| position()).collect()).unwrap();
    let request = sent(&mut call(merchant::service(), &payment().with_receipt(receipt)));
    let body = String::from_utf8(request.body().as_ref().to_vec()).unwrap();
    assert!(body.contains("pg_receipt_positions%5B9%5D%5Bname%5D=Mouse"), "{body}");
}

#[test]
fn the_merchants_id_goes_into_the_path_and_the_script_is_its_last_part() {
    let pay = CreateTokenPayment::new(
        "123456".parse().unwrap(),
        "23".parse().unwrap(),
        "25".parse().unwrap(),
        "test".parse().unwrap(),
        "No65GFR755789T".parse().unwrap(),
        "ef741cfc-f85e-41a0-84e6-2ba964912182".into(),
    );
    let (path, fields) = fields(merchant::service(), &pay, Account::Accepting);
    assert_eq!(path, "/v1/merchant/123456/card/init");
    assert_eq!(fields["pg_merchant_id"], "123456");
    let add = TokenizeCard::new(
        "123456".parse().unwrap(),
        "7".parse().unwrap(),
        "https://shop.example/post".parse().unwrap(),
        "https://shop.example/back".parse().unwrap(),
    );
    let (path, _) = self::fields(merchant::service(), &add, Account::Accepting);
    assert_eq!(path, "/v1/merchant/123456/cardstorage/add");
}

#[test]
fn a_payout_is_signed_with_the_key_for_payouts_and_with_no_other() {
    let payout = PayOut::new(
        "23".parse().unwrap(),
        "25".parse().unwrap(),
        "test".parse().unwrap(),
        "https://shop.example/post".parse().unwrap(),
        "https://shop.example/back".parse().unwrap(),
        "2026-12-01 00:00:00".parse().unwrap(),
    );
    let (path, _) = fields(merchant::service(), &payout, Account::Payouts);
    assert_eq!(path, "/api/reg2nonreg");
    let until = START.mono.after(Duration::from_secs(60));
    let only = PgSigner::new().with_accepting(AcceptingKey::new("secret").unwrap());
    let keys = Keys::new().with_pg_sig("123456", only);
    let signatory = Signatory::new(endpoint(), merchant::service(), Policy::default(), keys);
    assert!(signatory.call(&payout, [7; 16], until).is_err(), "the other key is not used");
    for service in [merchant::service(), gateway::service()] {
        for info in service.operations().iter() {
            let is_payout = info.name().contains("payout");
            let account = if is_payout { Account::Payouts } else { Account::Accepting };
            assert_eq!(info.auth(), Auth::PgSig(account), "{}", info.name());
        }
    }
}

#[test]
fn a_card_is_in_the_fields_and_in_no_output() {
    let pay = CardPayment::new(
        "123".parse().unwrap(),
        "10".parse().unwrap(),
        "Order".parse().unwrap(),
        card(),
    );
    let (path, sent) = fields(gateway::service(), &pay, Account::Accepting);
    assert_eq!(path, "/g2g/payment");
    assert_eq!((&sent["pg_card_pan"], &sent["pg_card_month"]), (&CARD.into(), &"09".into()));
    let transfer = CardTransfer::new(
        "123".parse().unwrap(),
        "10".parse().unwrap(),
        "KZT".parse().unwrap(),
        "KZT".parse().unwrap(),
        "Order".parse().unwrap(),
        Sender::Card(card()),
        Receiver::Card { number: "5555555555554444".parse().unwrap() },
    );
    let (_, moved) = fields(gateway::service(), &transfer, Account::Accepting);
    assert_eq!((&moved["pg_card_pan"], &moved["pg_card_cvc"]), (&CARD.into(), &"653".into()));
    assert_eq!(moved["pg_card_recipient"], "5555555555554444");
    let payout = CardPayout::new(
        "123".parse().unwrap(),
        "10".parse().unwrap(),
        CARD.parse().unwrap(),
        "Order".parse().unwrap(),
        "https://shop.example/post".parse().unwrap(),
    );
    let shown = format!("{pay:?} {transfer:?} {payout:?}");
    for secret in [CARD, "653", "TESTOV", "5555555555554444", "\"25\"", "\"09\""] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[test]
fn an_open_word_of_a_reply_is_kept_as_it_was_written() {
    let word: PaymentStatus = serde_json::from_str("\"later\"").unwrap();
    let PaymentStatus::Other(word) = word else { panic!("it is kept") };
    assert_eq!(word.as_str(), "later");
    let phone: Hidden = serde_json::from_str("77771234567").unwrap();
    assert_eq!(phone.expose(), "77771234567");
}
