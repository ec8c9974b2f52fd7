//! What is written of a signed message.

use imts_core::sign::pg_sig::{PgFields, PgSignError, XmlRoot};

use crate::support::{flat, signed, verified};

fn text(body: &imts_core::secret::Body) -> String {
    String::from_utf8(body.as_ref().to_vec()).unwrap()
}

#[test]
fn a_form_has_brackets_and_escapes_each_byte_that_is_not_plain() {
    let fields = PgFields::new()
        .with("pg_amount", 25)
        .with("pg_list", vec![flat(&[("a", "1"), ("b", "2")]), flat(&[("a", "3")])])
        .with("pg_object", flat(&[("k", "v")]))
        .with("text", "a-._*~ +&=%/é\n");
    let signed = signed(fields);
    assert_eq!(
        text(&signed.to_form()),
        format!(
            "pg_amount=25&pg_list%5B0%5D%5Ba%5D=1&pg_list%5B0%5D%5Bb%5D=2&pg_list%5B1%5D%5Ba%5D=3\
             &pg_object%5Bk%5D=v&text=a-._*%7E+%2B%26%3D%25%2F%C3%A9%0A&pg_salt=molbulak&pg_sig={}",
            signed.pg_sig()
        )
    );
}

#[test]
fn json_has_texts_as_strings_and_integers_as_numbers() {
    let fields = PgFields::new()
        .with("pg_amount", "25.00")
        .with("pg_order_id", 23)
        .with("pg_list", vec![flat(&[("a", "\"é/")])]);
    let signed = signed(fields);
    assert_eq!(
        text(&signed.to_json().unwrap()),
        format!(
            r#"{{"pg_amount":"25.00","pg_order_id":23,"pg_list":[{{"a":"\"é/"}}],"pg_salt":"molbulak","pg_sig":"{}"}}"#,
            signed.pg_sig()
        )
    );
}

#[test]
fn a_number_that_was_read_is_written_as_it_is_signed() {
    let fields = PgFields::from_json(br#"{"a":-0,"b":20.50,"c":7}"#).unwrap();
    let json = signed(fields).to_json().unwrap();
    assert!(text(&json).starts_with(r#"{"a":"-0","b":"20.50","c":7,"#), "{}", text(&json));
    assert!(verified(PgFields::from_json(json.as_ref()).unwrap()).is_ok());
}

#[test]
fn xml_has_the_fields_in_an_element_of_its_direction() {
    let signed = signed(PgFields::new().with("a", 1).with("b", flat(&[("c", "2")])));
    for (root, name) in [(XmlRoot::Request, "request"), (XmlRoot::Response, "response")] {
        assert_eq!(
            text(&signed.to_xml(root).unwrap()),
            format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><{name}><a>1</a><b><c>2</c></b>\
                 <pg_salt>molbulak</pg_salt><pg_sig>{}</pg_sig></{name}>",
                signed.pg_sig()
            )
        );
    }
}

#[test]
fn what_xml_cannot_carry_is_not_written() {
    let not_xml = |name: &str| Some(PgSignError::NotXml { name: name.to_owned() });
    let list = signed(PgFields::new().with("pg_list", vec!["1"]));
    assert_eq!(list.to_xml(XmlRoot::Request).err(), not_xml("pg_list"));
    for character in ['\u{0}', '\u{1b}', '\u{fffe}'] {
        let control = signed(PgFields::new().with("a", flat(&[("b", &character.to_string())])));
        assert_eq!(control.to_xml(XmlRoot::Request).err(), not_xml("b"), "{character:?}");
    }
}
