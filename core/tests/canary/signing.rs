//! Keys, the strings to sign, and the values of messages: in no output of a signer, of a message or of an
//! error.

use http::Request;
use imts_core::secret::Body;
use imts_core::sign::jws::{
    Algorithm, HeaderField, JwsError, JwsForm, JwsFormError, JwsKey, JwsSigner,
};
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, FieldError, OwnUrl, OwnUrls, PayoutKey, PgFields, PgReadError, PgSigner,
    Salt, Script, XmlRoot,
};

use crate::hunt::Hunt;
use crate::outputs::Outputs;

const KEY: &str = "canary-key-of-a-partner-1f2e3d4c";
const ACCEPTING: &str = "canary-key-for-accepting-5b6a7988";
const PAYOUT: &str = "canary-key-for-payouts-90817263";
const CARD: &str = "4000056655665556";
const HOLDER: &str = "CANARY HOLDER OF THE CARD";
const SALT: &str = "canary-salt-0123456789abcdef";

fn hunt() -> Hunt {
    let mut hunt = Hunt::default();
    for (what, secret) in [
        ("the key of a JWS", KEY),
        ("the key for accepting", ACCEPTING),
        ("the key for payouts", PAYOUT),
        ("a card number", CARD),
        ("a card holder", HOLDER),
    ] {
        hunt.add(what, secret);
    }
    hunt
}

#[track_caller]
fn assert_silent(outputs: &Outputs, hunt: &Hunt) {
    assert!(outputs.0.len() >= 8, "only {} outputs", outputs.0.len());
    for (text, what) in &outputs.0 {
        let found = hunt.find(text);
        assert!(found.is_empty(), "{what} holds {found:?}:\n{text}");
    }
}

#[test]
fn no_output_of_a_jws_has_its_key_or_what_is_signed() {
    let mut outputs = Outputs::default();
    let mut hunt = hunt();
    let key = JwsKey::new(KEY).unwrap();
    outputs.show("a key", &key);
    let signer = JwsSigner::new(JwsForm::partner(Algorithm::Hs256), "123456", &key).unwrap();
    outputs.show("a signer", &signer);
    let body = format!("{{\"pan\":\"{CARD}\",\"name\":\"{HOLDER}\"}}");
    let request = Request::post("https://service.example/v5/g2g/create");
    let request = request.body(Body::from(body.into_bytes())).unwrap();
    let signed = signer.sign(request).unwrap();
    let token = signed.headers()["x-jws-signature"].to_str().unwrap().to_owned();
    hunt.add("the signature", &token);
    outputs.show("a signed request", &signed);
    let mut wrong = signed.clone();
    *wrong.body_mut() = Body::from(CARD.as_bytes().to_vec());
    outputs.error("a wrong body", &signer.verify(&wrong).unwrap_err());
    wrong.headers_mut().insert("x-jws-signature", format!("{token}.{CARD}").parse().unwrap());
    outputs.error("a wrong token", &signer.verify(&wrong).unwrap_err());
    for error in [
        JwsError::Query,
        JwsError::NoSignature,
        JwsError::Repeated,
        JwsError::Claim { field: "uri" },
    ] {
        outputs.error("an error", &error);
    }
    let form = JwsForm::new(Algorithm::Hs256, [HeaderField::Alg]);
    outputs.error("a form", &form.unwrap_err());
    let party = JwsSigner::new(JwsForm::merchant(Algorithm::Hs512), KEY, &key);
    outputs.error("an id", &party.unwrap_err());
    for error in [JwsFormError::Party, JwsFormError::Key, JwsFormError::Repeated { field: "uri" }] {
        outputs.error("a form", &error);
    }
    outputs.error("a key", &JwsKey::new(format!("{KEY}\n")).unwrap_err());
    assert_silent(&outputs, &hunt);
}

#[test]
fn no_output_of_pg_sig_has_a_key_a_value_or_an_expected_signature() {
    let mut outputs = Outputs::default();
    let mut hunt = hunt();
    let (accepting, payout) =
        (AcceptingKey::new(ACCEPTING).unwrap(), PayoutKey::new(PAYOUT).unwrap());
    outputs.show("keys", &(&accepting, &payout));
    let signer = PgSigner::new().with_accepting(accepting).with_payouts(payout);
    outputs.show("a signer", &signer);
    let script = Script::of("/g2g/payment").unwrap();
    let fields = || {
        let card = PgFields::new().with("pan", CARD).with("name", HOLDER);
        PgFields::new().with("pg_card_pan", CARD).with("cards", vec![card])
    };
    outputs.show("fields", &fields());
    let salt = Salt::new(SALT).unwrap();
    outputs.show("a salt", &salt);
    let signed = signer.sign(Account::Payouts, &script, fields(), &salt).unwrap();
    hunt.add("the signature", signed.pg_sig());
    outputs.show("a signed message", &signed);
    outputs.show("its forms", &(signed.to_form(), signed.to_json().unwrap()));
    let received = PgFields::from_form(signed.to_form().as_ref()).unwrap();
    outputs.show("a received message", &received);
    let verified = signer.verify(Account::Payouts, &script, received.clone()).unwrap();
    outputs.show("a verified message", &verified);
    // The signature that was expected, which an attacker would copy.
    let wrong = fields().with("pg_salt", SALT).with("pg_sig", "0".repeat(32));
    outputs.error("refused", &signer.verify(Account::Payouts, &script, wrong).unwrap_err());
    let wrong = received.with("pg_sig", signed.pg_sig());
    outputs.error("refused", &signer.verify(Account::Payouts, &script, wrong).unwrap_err());
    for fields in [
        fields().with("pg_sig", CARD),
        fields().with("", CARD),
        fields().with("pg_card_pan", CARD),
        fields().with("pg_card_pan1", ""),
        fields().with("cards0", CARD),
    ] {
        let refused = signer.sign(Account::Accepting, &script, fields, &salt).unwrap_err();
        outputs.error("not signed", &refused);
    }
    let list = signed.to_xml(XmlRoot::Request).unwrap_err();
    outputs.error("not written", &list);
    for bytes in [format!("a={CARD}%"), format!("[{CARD}]={HOLDER}")] {
        outputs.error("not read", &PgFields::from_form(bytes.as_bytes()).unwrap_err());
    }
    for bytes in [format!("{{\"a\":\"{CARD}\",}}"), format!("{{\"{CARD}\":null}}")] {
        outputs.error("not read", &PgFields::from_json(bytes.as_bytes()).unwrap_err());
    }
    for bytes in [format!("<r><a>{CARD}</r>"), format!("<r {HOLDER}=\"{CARD}\"/>")] {
        outputs.error("not read", &PgFields::from_xml(bytes.as_bytes()).unwrap_err());
    }
    for error in [PgReadError::TooLarge, PgReadError::Encoding] {
        outputs.error("not read", &error);
    }
    outputs.error("a field", &FieldError::Missing);
    outputs.error("a script", &Script::of(&format!("/{HOLDER}")).unwrap_err());
    let urls = [(OwnUrl::Check, CARD), (OwnUrl::Result, CARD)];
    outputs.error("own URLs", &OwnUrls::new(urls).unwrap_err());
    outputs.error("a salt", &Salt::new(format!("{HOLDER};")).unwrap_err());
    outputs.error("a key", &AcceptingKey::new(format!("{ACCEPTING}\n")).unwrap_err());
    assert_silent(&outputs, &hunt);
}
