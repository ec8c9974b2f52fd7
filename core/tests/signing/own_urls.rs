//! Scripts, and the merchant's own URLs.

use imts_core::sign::pg_sig::{
    Account, OwnUrl, OwnUrlError, OwnUrls, PgVerifyError, Script, ScriptError,
};
use serde_json::Value;

use crate::support::{flat, salt, signer, str_of};

const OWN: [OwnUrl; 5] =
    [OwnUrl::Check, OwnUrl::Result, OwnUrl::Payout, OwnUrl::Success, OwnUrl::Failure];

#[test]
fn the_script_is_the_last_part_of_the_path() {
    let file: Value = serde_json::from_str(include_str!("../fixtures/pg_sig.json")).unwrap();
    let rows = file["script_names"].as_array().unwrap();
    let mut refused = Vec::new();
    for row in rows {
        let (url, name) = (str_of(row, "url"), str_of(row, "script"));
        match Script::of(url) {
            Ok(script) => assert_eq!(script.name(), Some(name), "{url}"),
            Err(error) => refused.push((name, error)),
        }
    }
    assert_eq!(rows.len(), 11);
    // What is not known is refused.
    assert_eq!(
        refused,
        [("", ScriptError::Empty), ("", ScriptError::Empty), ("оплата", ScriptError::Character)]
    );
}

#[test]
fn a_url_whose_script_is_not_known_is_refused() {
    for url in ["", "/", "https://shop.example/", "https://shop.example?a=/b", "a/", "/a/?b"] {
        assert_eq!(Script::of(url), Err(ScriptError::Empty), "{url}");
    }
    for url in ["/a%20b", "/a;b", "/a b", "/a\\b", "/a:b", "/ж"] {
        assert_eq!(Script::of(url), Err(ScriptError::Character), "{url}");
    }
    assert_eq!(Script::of("/A-1._~?x#y/z").unwrap().name(), Some("A-1._~"));
}

#[test]
fn own_urls_with_equal_last_parts_are_refused_at_set_up() {
    for one in OWN {
        for other in OWN {
            let urls =
                [(one, "https://shop.example/one/pay"), (other, "https://b.example/pay?x=1")];
            let refused = OwnUrls::new(urls).err();
            let expected = if one == other {
                OwnUrlError::Twice { url: one }
            } else {
                OwnUrlError::Same { one, other }
            };
            assert_eq!(refused, Some(expected));
        }
    }
}

#[test]
fn own_urls_without_a_script_are_refused_at_set_up() {
    let urls = [(OwnUrl::Check, "https://shop.example/check"), (OwnUrl::Result, "https://a/b/")];
    let error = OwnUrls::new(urls).err();
    assert_eq!(error, Some(OwnUrlError::Script { url: OwnUrl::Result, why: ScriptError::Empty }));
}

#[test]
fn a_message_for_one_own_url_is_not_accepted_at_another() {
    let urls = OwnUrls::new([
        (OwnUrl::Check, "https://shop.example/pay/check"),
        (OwnUrl::Result, "https://shop.example/pay/result"),
        (OwnUrl::Payout, "https://shop.example/pay/payout"),
        (OwnUrl::Success, "https://shop.example/pay/success"),
    ])
    .unwrap();
    assert!(urls.script(OwnUrl::Failure).is_none());
    let signer = signer("secret");
    for from in &OWN[..4] {
        let script = urls.script(*from).unwrap();
        let fields = flat(&[("pg_order_id", "23"), ("pg_result", "1")]);
        let signed = signer.sign(Account::Accepting, script, fields, &salt()).unwrap();
        for to in &OWN[..4] {
            let received = imts_core::sign::pg_sig::PgFields::from_form(signed.to_form().as_ref());
            let script = urls.script(*to).unwrap();
            let verified = signer.verify(Account::Accepting, script, received.unwrap());
            let expected = (from != to).then_some(PgVerifyError::Signature);
            assert_eq!(verified.err(), expected, "{from} to {to}");
        }
    }
}
