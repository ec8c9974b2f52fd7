//! What is read as a message, and what is refused.

use imts_core::sign::pg_sig::{PgFields, PgReadError};
use serde_json::{Value, json};

use crate::support::shown;

fn read(fields: Result<PgFields, PgReadError>) -> Result<Value, PgReadError> {
    Ok(shown(&fields?.into()))
}

fn form(text: &str) -> Result<Value, PgReadError> {
    read(PgFields::from_form(text.as_bytes()))
}

fn json(text: &str) -> Result<Value, PgReadError> {
    read(PgFields::from_json(text.as_bytes()))
}

fn xml(text: &str) -> Result<Value, PgReadError> {
    read(PgFields::from_xml(text.as_bytes()))
}

fn unsupported(what: &'static str) -> Result<Value, PgReadError> {
    Err(PgReadError::Unsupported { what })
}

fn syntax(form: &'static str) -> Result<Value, PgReadError> {
    Err(PgReadError::Syntax { form })
}

const NAMES: &str = "made of names such as a[0][b]";
const MIXED: &str = "a field with both a text and fields";

#[test]
fn a_form_is_read_in_its_order() {
    assert_eq!(form("b=1&a=2&b=3"), Ok(json!([["b", "1"], ["a", "2"], ["b", "3"]])));
    assert_eq!(form("a=1=2&&b&c=&=x").err(), Some(PgReadError::Syntax { form: NAMES }));
    assert_eq!(form("a=1=2&&b&c="), Ok(json!([["a", "1=2"], ["b", ""], ["c", ""]])));
    assert_eq!(form("a=+%2B%20%c3%A9%26"), Ok(json!([["a", " + é&"]])));
    assert_eq!(form(""), Ok(json!([])));
}

#[test]
fn a_form_with_a_wrong_escape_is_refused() {
    for text in ["a=%", "a=%4", "a=%4g", "a=%g4", "%=1", "a=%+1", "a=%-1"] {
        assert_eq!(form(text), syntax("urlencoded"), "{text}");
    }
    for text in ["a=%ff", "%c3=1", "a=%ed%a0%80"] {
        assert_eq!(form(text), Err(PgReadError::Encoding), "{text}");
    }
    assert_eq!(PgFields::from_form(b"a=\xff").err(), Some(PgReadError::Encoding));
}

#[test]
fn brackets_nest_and_join_what_belongs_together() {
    let nested = json!([["a", [["0", [["x", "1"], ["y", "3"]]], ["1", [["x", "4"]]]]], ["b", "2"]]);
    assert_eq!(form("a[0][x]=1&b=2&a[0][y]=3&a[1][x]=4"), Ok(nested));
    assert_eq!(form("a[0]=1&a[0]=2"), Ok(json!([["a", [["0", "1"], ["0", "2"]]]])));
    for name in
        ["[a]", "a[", "a]", "a[]", "a[0", "a[0]b", "a[[0]]", "a[[0]", "a[0]]", "]", "a[0]b[1]"]
    {
        assert_eq!(form(&format!("{name}=1")), syntax(NAMES), "{name}");
    }
}

#[test]
fn a_field_is_not_a_text_and_fields_at_once() {
    for text in ["a=1&a[b]=2", "a[b]=2&a=1", "a[b]=1&a[b][c]=2", "a[b][c]=2&a[b]=1"] {
        assert_eq!(form(text), unsupported(MIXED), "{text}");
    }
}

#[test]
fn a_form_whose_only_field_is_pg_xml_is_that_xml() {
    let text = "pg_xml=%3Crequest%3E%3Ca%3E1%3C%2Fa%3E%3C%2Frequest%3E";
    assert_eq!(form(text), Ok(json!([["a", "1"]])));
    assert_eq!(form("pg_xml=1"), syntax("one XML element"));
    assert_eq!(form("pg_xml=1&a=2"), Ok(json!([["pg_xml", "1"], ["a", "2"]])));
}

#[test]
fn pairs_of_another_reader_are_nested_too() {
    let pairs = [("a[0][x]", "1"), ("b", "2")];
    assert_eq!(
        read(PgFields::from_pairs(pairs)),
        Ok(json!([["a", [["0", [["x", "1"]]]]], ["b", "2"]]))
    );
}

#[test]
fn json_is_read_with_its_numbers_as_they_are_written() {
    let text = r#"{"t":"\u0430\/","i":-17,"big":12345678901234567890,"d":20.50,"e":1e2,"z":-0,"n":{"l":[1,"2"]},"o":{},"a":[]}"#;
    let expected = json!([
        ["t", "а/"],
        ["i", "-17"],
        ["big", "12345678901234567890"],
        ["d", "20.50"],
        ["e", "1e2"],
        ["z", "-0"],
        ["n", [["l", [["0", "1"], ["1", "2"]]]]],
        ["o", []],
        ["a", []],
    ]);
    assert_eq!(json(text), Ok(expected));
    assert_eq!(json("\u{feff}{\"a\":1}"), Ok(json!([["a", "1"]])));
}

#[test]
fn json_that_is_not_one_object_of_texts_and_numbers_is_refused() {
    for text in ["", "[]", "1", "{}{}", "{\"a\":1", "{\"a\":\"\\ud800\"}", "{\"a\":01}", "{a:1}"] {
        assert_eq!(json(text), syntax("one JSON object"), "{text}");
    }
    for value in ["true", "false", "null", "[true]", "{\"b\":null}"] {
        let text = format!("{{\"a\":{value}}}");
        assert_eq!(json(&text), unsupported("a value that is true, false or null"), "{value}");
    }
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#, r#"{"n":{"a":1,"a":1}}"#] {
        assert_eq!(json(text), unsupported("a repeated name"), "{text}");
    }
    assert_eq!(PgFields::from_json(b"{\"a\":\"\xff\"}").err(), Some(PgReadError::Encoding));
}

#[test]
fn xml_is_read_with_its_texts_decoded() {
    for (text, fields) in [
        ("<r><a>1</a><b>2</b><a>3</a></r>", json!([["a", "1"], ["b", "2"], ["a", "3"]])),
        (
            "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<r> <a> x </a> </r>\n",
            json!([["a", " x "]]),
        ),
        ("<r><a>&lt;&gt;&amp;&quot;&apos;&#65;&#x41;</a></r>", json!([["a", "<>&\"'AA"]])),
        ("<r><a>x<![CDATA[<&amp;]]>y</a></r>", json!([["a", "x<&amp;y"]])),
        ("<r><a>1\r\n2\r3&#13;</a></r>", json!([["a", "1\n2\n3\r"]])),
        ("<r><a/><b></b><c /></r>", json!([["a", ""], ["b", ""], ["c", ""]])),
        (
            "<r><a><b>1</b>\n<b><c>2</c></b></a></r>",
            json!([["a", [["b", "1"], ["b", [["c", "2"]]]]]]),
        ),
        ("<r/>", json!([])),
        ("<r>\t</r>", json!([])),
    ] {
        assert_eq!(xml(text), Ok(fields), "{text}");
    }
}

#[test]
fn xml_with_what_is_not_known_to_be_signed_is_refused() {
    let name = "a name with other characters than letters, digits and _.-";
    for (text, what) in [
        ("<r a='1'><a>1</a></r>", "an attribute"),
        ("<r><a b=\"1\">1</a></r>", "an attribute"),
        ("<r><a b/></r>", "an attribute"),
        ("<r><!-- c --><a>1</a></r>", "a comment"),
        ("<r><a>1<!-- c -->2</a></r>", "a comment"),
        ("<r><?php a?></r>", "a processing instruction"),
        ("<!DOCTYPE r><r><a>1</a></r>", "a document type"),
        ("<r><a>x<b>1</b></a></r>", "an element with both text and elements"),
        ("<r><a><b>1</b>x</a></r>", "an element with both text and elements"),
        ("<r>x<a>1</a></r>", "an element with both text and elements"),
        ("<r><a><b>1</b><![CDATA[x]]></a></r>", "an element with both text and elements"),
        ("<r><a>&nbsp;</a></r>", "an entity that XML does not define"),
        ("<r><a>&#0;</a></r>", "an entity that XML does not define"),
        ("<r><n:a>1</n:a></r>", name),
        ("<r><1a>1</1a></r>", name),
        ("<r><ж>1</ж></r>", name),
    ] {
        assert_eq!(xml(text), unsupported(what), "{text}");
    }
}

#[test]
fn what_is_not_one_xml_element_is_refused() {
    for text in [
        "",
        " ",
        "text",
        "x<r/>",
        "<r/>x",
        "<r/><r/>",
        "<r>",
        "<r><a></r></a>",
        "</r>",
        "<r></r></r>",
        "<r>text</r>",
        "<r><a>1</a",
        "<r><a>&lt</a></r>",
        "<r><a>\u{1}</a></r>",
        "<r><a>&#1;</a></r>",
        "<r><a>\u{fffe}</a></r>",
        "<r><![CDATA[x]]></r>",
        "&lt;<r/>",
        "<r/>&#65;",
        "<r><![CDATA[",
        "<r><?xml version='1.0'?></r>",
        "<r/><?xml version='1.0'?>",
    ] {
        assert_eq!(xml(text), syntax("one XML element"), "{text:?}");
    }
    let other = "<?xml version='1.0' encoding='windows-1251'?><r/>";
    assert_eq!(xml(other), Err(PgReadError::Encoding));
    assert_eq!(PgFields::from_xml(b"<r><a>\xff</a></r>").err(), Some(PgReadError::Encoding));
}

#[test]
fn a_message_has_at_most_262144_bytes() {
    let padded = |around: &'static str| {
        let (before, after) = around.split_once('_').unwrap();
        move |length: usize| {
            format!("{before}{}{after}", "x".repeat(length - before.len() - after.len()))
        }
    };
    let too_large = Err(PgReadError::TooLarge);
    let (a, b, c) = (padded("a=_"), padded("{\"a\":\"_\"}"), padded("<r><a>_</a></r>"));
    let (most, more) = (262_144, 262_145);
    assert!(form(&a(most)).is_ok() && json(&b(most)).is_ok() && xml(&c(most)).is_ok());
    assert_eq!(
        [form(&a(more)), json(&b(more)), xml(&c(more))],
        [(); 3].map(|()| too_large.clone())
    );
    let pairs = |length: usize| read(PgFields::from_pairs([("a", "x".repeat(length - 1))]));
    assert!(pairs(most).is_ok());
    assert_eq!(pairs(more), too_large);
}

#[test]
fn a_message_has_at_most_4096_fields() {
    let forms = |count: usize| form(&"a=1&".repeat(count));
    let jsons = |count: usize| {
        let names: Vec<_> = (0..count - 1).map(|_| "1").collect();
        json(&format!("{{\"a\":[{}]}}", names.join(",")))
    };
    let xmls = |count: usize| xml(&format!("<r>{}</r>", "<a>1</a>".repeat(count)));
    let pairs = |count: usize| read(PgFields::from_pairs(std::iter::repeat_n(("a", "1"), count)));
    let too_large = Err(PgReadError::TooLarge);
    for count in [4_095, 4_096] {
        assert!(forms(count).is_ok() && jsons(count).is_ok() && xmls(count).is_ok());
        assert!(pairs(count).is_ok());
    }
    assert_eq!(
        [forms(4_097), jsons(4_097), xmls(4_097), pairs(4_097)],
        [(); 4].map(|()| too_large.clone())
    );
}

#[test]
fn a_message_is_at_most_eight_deep() {
    let forms = |depth: usize| form(&format!("a{}=1", "[a]".repeat(depth - 1)));
    let jsons = |depth: usize| json(&format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)));
    let lists = |depth: usize| {
        json(&format!("{{\"a\":{}1{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1)))
    };
    let xmls =
        |depth: usize| xml(&format!("<r>{}1{}</r>", "<a>".repeat(depth), "</a>".repeat(depth)));
    for depth in [1, 8] {
        let all = [forms(depth), jsons(depth), lists(depth), xmls(depth)];
        assert!(all.iter().all(Result::is_ok), "{all:?}");
    }
    let too_large = Err(PgReadError::TooLarge);
    for depth in [9, 10_000] {
        let all = [forms(depth), jsons(depth), lists(depth), xmls(depth)];
        assert_eq!(all, [(); 4].map(|()| too_large.clone()), "{depth}");
    }
}
