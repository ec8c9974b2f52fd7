//! Keys, and the messages that are signed with them.

use imts::secret::Body;
use imts::sign::jws::{Algorithm, JwsForm, JwsKey, JwsSigner};
use imts::sign::pg_sig::{
    AcceptingKey, Account, PayoutKey, PgFields, PgSigner, Salt, Script, XmlRoot,
};
use zeroize::Zeroizing;

use crate::memory::leaves_nothing;

/// A text in memory of its own, which no one outgrows.
fn joined(parts: &[&str]) -> String {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.push_str(part));
    text
}

#[test]
fn a_key_and_a_signed_request_leave_nothing_behind() {
    leaves_nothing(2, |marker| {
        let key = JwsKey::new(marker).unwrap();
        let signer = JwsSigner::new(JwsForm::partner(Algorithm::Hs512), "7", &key).unwrap();
        let body = joined(&["{\"pan\":\"", marker, "\"}"]);
        let request = http::Request::post("https://service.example/v5/g2g/create");
        let request = request.body(Body::from(body.into_bytes())).unwrap();
        let signed = signer.sign(request).unwrap();
        signer.verify(&signed).unwrap();
        (key, signer, signed)
    });
}

#[test]
fn keys_and_a_message_leave_nothing_behind_in_any_form() {
    leaves_nothing(7, |marker| {
        let signer = PgSigner::new()
            .with_accepting(AcceptingKey::new(marker).unwrap())
            .with_payouts(PayoutKey::new(marker).unwrap());
        let script = Script::of("/result").unwrap();
        let salt = Salt::new("molbulak").unwrap();
        let card = PgFields::new().with("pan", joined(&[marker]));
        let fields = PgFields::new().with("pg_card", card).with("text", joined(&["a\r\n", marker]));
        let signed = signer.sign(Account::Accepting, &script, fields, &salt).unwrap();
        let forms = [
            signed.to_form(),
            signed.to_json().unwrap(),
            signed.to_xml(XmlRoot::Response).unwrap(),
        ];
        let read = [
            PgFields::from_form(forms[0].as_ref()).unwrap(),
            PgFields::from_json(forms[1].as_ref()).unwrap(),
            PgFields::from_xml(forms[2].as_ref()).unwrap(),
        ];
        let verified = read.map(|it| signer.verify(Account::Accepting, &script, it).unwrap());
        (signer, signed, forms, verified)
    });
}

#[test]
fn a_message_that_is_refused_leaves_nothing_behind() {
    leaves_nothing(1, |marker| {
        let signer = PgSigner::new().with_accepting(AcceptingKey::new("secret").unwrap());
        let script = Script::of("/result").unwrap();
        let fields = || PgFields::new().with("text", marker);
        let salt = Salt::new("molbulak").unwrap();
        let reserved = fields().with("pg_sig", "1");
        signer.sign(Account::Accepting, &script, reserved, &salt).unwrap_err();
        signer.verify(Account::Accepting, &script, fields()).unwrap_err();
        let kept = Zeroizing::new(joined(&["text=", marker, "&a=%"]));
        PgFields::from_form(kept.as_bytes()).unwrap_err();
        let kept_xml = Zeroizing::new(joined(&["<r><a>", marker, "\r\n</a><b></r>"]));
        PgFields::from_xml(kept_xml.as_bytes()).unwrap_err();
        (kept, kept_xml)
    });
}
