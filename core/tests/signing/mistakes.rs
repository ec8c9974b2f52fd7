//! What integrators get wrong, a test for each mistake that the vectors do not show already.

use imts_core::sign::pg_sig::{Account, FieldError, PgFields, PgReadError, PgVerifyError, XmlRoot};

use crate::support::{flat, salt, script, signed, signer, verified};

fn received(form: &str) -> PgFields {
    PgFields::from_form(form.as_bytes()).unwrap()
}

/// The MD5 of `result;500;23;abc;x;secret`: amount, order, an own parameter, salt.
const FORM: &str = "pg_order_id=23&pg_amount=500&pg_own=abc&pg_salt=x";

fn form_with(fields: &[(&str, &str)]) -> String {
    let body = signed(flat(fields)).to_form();
    String::from_utf8(body.as_ref().to_vec()).unwrap()
}

#[test]
fn a_field_that_this_crate_does_not_know_is_signed_too() {
    let form = form_with(&[("pg_amount", "500"), ("session_token", "abc"), ("pg_new", "1")]);
    assert!(verified(received(&form)).is_ok());
    for (field, other) in [("session_token=abc&", ""), ("pg_new=1&", ""), ("abc", "abd")] {
        let changed = form.replacen(field, other, 1);
        assert_ne!(changed, form);
        assert_eq!(verified(received(&changed)).err(), Some(PgVerifyError::Signature), "{field}");
    }
    let added = format!("{form}&pg_result=1");
    assert_eq!(verified(received(&added)).err(), Some(PgVerifyError::Signature));
}

#[test]
fn an_amount_is_signed_as_it_came() {
    let form = form_with(&[("pg_amount", "20.00"), ("pg_order_id", "23")]);
    let signature = form.split("pg_sig=").nth(1).unwrap();
    for amount in ["20", "20.0", "20.000", "020.00", " 20.00", "2e1"] {
        let changed =
            flat(&[("pg_amount", amount), ("pg_order_id", "23"), ("pg_salt", "molbulak")])
                .with("pg_sig", signature);
        assert_eq!(verified(changed).err(), Some(PgVerifyError::Signature), "{amount}");
    }
}

#[test]
fn a_repeated_field_is_neither_dropped_nor_used() {
    // The MD5 of `result;1;2;x;secret`.
    let form = "a=1&a=2&pg_salt=x&pg_sig=19aee54c3a066256d0c3330001da53d4";
    let verified_fields = verified(received(form)).unwrap();
    assert_eq!(verified_fields.text("a"), Err(FieldError::Repeated));
    assert_eq!(verified_fields.iter().filter(|(name, _)| *name == "a").count(), 2);
    for collapsed in [
        "a=1&pg_salt=x&pg_sig=19aee54c3a066256d0c3330001da53d4",
        "a=2&pg_salt=x&pg_sig=19aee54c3a066256d0c3330001da53d4",
    ] {
        assert_eq!(verified(received(collapsed)).err(), Some(PgVerifyError::Signature));
    }
}

#[test]
fn the_id_of_a_refund_is_not_taken_for_that_of_the_payment() {
    let xml = "<response><pg_refund><pg_payment_id>1</pg_payment_id></pg_refund>\
               <pg_payment_id>123456789</pg_payment_id><pg_salt>x</pg_salt>\
               <pg_sig>0c24624eda557396339b84571355dcd0</pg_sig></response>";
    let verified = verified(PgFields::from_xml(xml.as_bytes()).unwrap()).unwrap();
    assert_eq!(verified.text("pg_payment_id"), Ok("123456789"));
}

#[test]
fn entities_of_a_document_are_refused() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a><x>&c;</x></a>"#;
    let document_type = PgReadError::Unsupported { what: "a document type" };
    assert_eq!(PgFields::from_xml(bomb.as_bytes()).err(), Some(document_type));
    let entity = PgReadError::Unsupported { what: "an entity that XML does not define" };
    assert_eq!(PgFields::from_xml(b"<a><x>&c;</x></a>").err(), Some(entity));
}

#[test]
fn a_text_is_escaped_in_xml_and_signed_without_escapes() {
    let text = "Бронь & Co <b> ]]> \"q\"\r\n\t ";
    let fields = flat(&[("pg_status", "ok"), ("pg_description", text)]);
    let signed = signed(fields);
    let xml = signed.to_xml(XmlRoot::Response).unwrap();
    let written = std::str::from_utf8(xml.as_ref()).unwrap();
    let begin = "<?xml version=\"1.0\" encoding=\"utf-8\"?><response><pg_status>ok</pg_status>\
                 <pg_description>Бронь &amp; Co &lt;b&gt; ]]&gt; \"q\"&#13;\n\t </pg_description>\
                 <pg_salt>molbulak</pg_salt><pg_sig>";
    assert!(written.starts_with(begin) && written.ends_with("</pg_sig></response>"), "{written}");
    let verified = verified(PgFields::from_xml(xml.as_ref()).unwrap()).unwrap();
    assert_eq!(verified.text("pg_description"), Ok(text));
}

#[test]
fn equal_messages_with_other_salts_have_other_signatures() {
    let signer = signer("secret");
    let sign = |salt: &str| {
        let salt = imts_core::sign::pg_sig::Salt::new(salt).unwrap();
        let fields = flat(&[("pg_amount", "500")]);
        let signed = signer.sign(Account::Accepting, &script("result"), fields, &salt).unwrap();
        signed.pg_sig().to_owned()
    };
    assert_ne!(sign("a"), sign("b"));
    assert_eq!(sign("a"), sign("a"));
}

#[test]
fn an_echoed_salt_signs_an_answer() {
    let callback =
        verified(received(&format!("{FORM}&pg_sig=46b7951bc71c5c56a6bbe2a7217b5167"))).unwrap();
    let salt = imts_core::sign::pg_sig::Salt::new(callback.text("pg_salt").unwrap()).unwrap();
    let answer = flat(&[("pg_status", "ok"), ("pg_description", "Order paid")]);
    let signed = signer("secret").sign(Account::Accepting, &script("result"), answer, &salt);
    let answer = verified(
        PgFields::from_xml(signed.unwrap().to_xml(XmlRoot::Response).unwrap().as_ref()).unwrap(),
    );
    assert_eq!(answer.unwrap().text("pg_salt"), Ok("x"));
}

/// A callback of an order of 10, and the same signed string split in another way: an order of
/// 90,000.
const SMALL: [(&str, &str); 5] = [
    ("pg_amount", "10"),
    ("pg_card_owner", "I;90000;KZT;O77"),
    ("pg_currency", "KZT"),
    ("pg_order_id", "O1"),
    ("pg_result", "1"),
];
const LARGE: [(&str, &str); 8] = [
    ("a", "10"),
    ("b", "I"),
    ("pg_amount", "90000"),
    ("pg_currency", "KZT"),
    ("pg_order_id", "O77"),
    ("pg_order_id2", "KZT"),
    ("pg_order_id3", "O1"),
    ("pg_result", "1"),
];

/// The names that the small order has.
const KNOWN: [&str; 6] =
    ["pg_amount", "pg_card_owner", "pg_currency", "pg_order_id", "pg_result", "pg_salt"];

#[test]
fn a_message_that_was_split_in_another_way_verifies_and_has_unknown_names() {
    let signed = signed(flat(&SMALL));
    let small = verified(PgFields::from_form(signed.to_form().as_ref()).unwrap()).unwrap();
    assert!(small.has_only(&KNOWN) && small.has_separator());
    let resplit = flat(&LARGE).with("pg_salt", "molbulak").with("pg_sig", signed.pg_sig());
    let large = verified(resplit).unwrap();
    // The separator is gone, and the amount is another one.
    assert_eq!((large.text("pg_amount"), large.has_separator()), (Ok("90000"), false));
    assert!(!large.has_only(&KNOWN));
}

#[test]
fn a_separator_in_any_value_is_reported() {
    let nested = signed(PgFields::new().with("a", vec![flat(&[("b", "1;2")])]));
    let nested = PgFields::from_form(nested.to_form().as_ref()).unwrap();
    assert!(verified(nested).unwrap().has_separator());
    assert!(!verified(received(&form_with(&[("a", "1,2")]))).unwrap().has_separator());
}

#[test]
fn a_signature_does_not_bind_names_even_without_a_separator() {
    let form = form_with(&[("pg_amount", "10"), ("pg_card_owner", "90000"), ("pg_order_id", "7")]);
    let renamed = form.replace("pg_amount", "a").replace("pg_card_owner", "pg_amount");
    let verified = verified(received(&renamed)).unwrap();
    assert_eq!((verified.text("pg_amount"), verified.has_separator()), (Ok("90000"), false));
    assert!(!verified.has_only(&KNOWN));
}

#[test]
fn a_name_that_stands_there_twice_is_not_only_a_known_one() {
    // The MD5 of `result;1;2;x;secret`.
    let verified =
        verified(received("a=1&a=2&pg_salt=x&pg_sig=19aee54c3a066256d0c3330001da53d4")).unwrap();
    assert!(!verified.has_only(&["a", "pg_salt"]));
    assert!(verified.has_only(&["a", "b", "a", "pg_salt"]));
}

#[test]
fn a_message_is_verified_with_the_salt_that_it_has() {
    let form = form_with(&[("a", "1")]);
    let changed = form.replace(salt().as_str(), "molbulaK");
    assert_eq!(verified(received(&changed)).err(), Some(PgVerifyError::Signature));
}
