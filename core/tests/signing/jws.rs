//! The rules of the detached JWS, one test each.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, Request};
use imts_core::secret::Body;
use imts_core::sign::KeyError;
use imts_core::sign::jws::{
    Algorithm, HeaderField, JwsError, JwsForm, JwsFormError, JwsKey, JwsSigner,
};
use imts_core::text::TextError;
use sha2::Sha256;

use crate::support::{SIGNATURE, jws, request, with_token};

const PATH: &str = "/v5/partner/wallet/add";
const BODY: &str = r#"{"request_id":"1"}"#;

fn partner() -> JwsSigner {
    jws(JwsForm::partner(Algorithm::Hs256), "123456", "k1")
}

fn signed() -> Request<Body> {
    partner().sign(request("POST", PATH, BODY)).unwrap()
}

/// A request whose header is this one, signed with the right key.
fn with_header(header: &str) -> Request<Body> {
    let header = BASE64_URL.encode(header);
    let input = format!("{header}.{}", BASE64_URL.encode(BODY));
    let mac = Hmac::<Sha256>::new_from_slice(b"k1").unwrap().chain_update(input).finalize();
    let token = format!("{header}..{}", BASE64_URL.encode(mac.into_bytes()));
    with_token(request("POST", PATH, BODY), &token)
}

const RIGHT: &str = r#""uri":"/v5/partner/wallet/add","auth_id":"123456","method":"POST","params":"","alg":"HS256""#;

#[test]
fn unknown_fields_and_another_order_are_accepted_as_they_came() {
    for header in [
        format!("{{{RIGHT}}}"),
        format!("{{ {RIGHT} , \"kid\" : [1, {{}}] }}"),
        r#"{"alg":"HS256","params":"","typ":"JWT","method":"\u0050OST","auth_id":"123456","uri":"\/v5\/partner\/wallet\/add"}"#.to_owned(),
    ] {
        assert_eq!(partner().verify(&with_header(&header)), Ok(()), "{header}");
    }
}

#[test]
fn a_known_field_must_fit_even_if_the_form_does_not_have_it() {
    for (more, field) in [
        (r#""path":"/v5/partner/wallet/close""#, "path"),
        (r#""merchant_id":"654321""#, "merchant_id"),
        (r#""typ":"JWE""#, "typ"),
        (r#""typ":null"#, "typ"),
        (r#""crit":["exp"]"#, "crit"),
    ] {
        let request = with_header(&format!("{{{RIGHT},{more}}}"));
        assert_eq!(partner().verify(&request), Err(JwsError::Claim { field }), "{more}");
    }
    let fitting = format!(r#"{{{RIGHT},"path":"{PATH}","merchant_id":"123456"}}"#);
    assert_eq!(partner().verify(&with_header(&fitting)), Ok(()));
}

#[test]
fn each_field_of_the_form_must_be_there_and_fit() {
    for (right, wrong, field) in [
        (r#""uri":"/v5/partner/wallet/add","#, "", "uri"),
        (r#""auth_id":"123456","#, "", "auth_id"),
        (r#""method":"POST","#, "", "method"),
        (r#""params":"","#, "", "params"),
        (r#","alg":"HS256""#, "", "alg"),
        ("HS256", "HS512", "alg"),
        ("HS256", "none", "alg"),
        ("HS256", "hs256", "alg"),
        (r#""123456""#, "123456", "auth_id"),
        (r#""123456""#, r#""123457""#, "auth_id"),
        (r#""params":"""#, r#""params":"a""#, "params"),
        ("wallet/add", "wallet/add/", "uri"),
    ] {
        let header = format!("{{{}}}", RIGHT.replacen(right, wrong, 1));
        assert_ne!(header, format!("{{{RIGHT}}}"));
        let verified = partner().verify(&with_header(&header));
        assert_eq!(verified, Err(JwsError::Claim { field }), "{header}");
    }
}

#[test]
fn a_merchants_id_must_be_written_as_the_form_writes_it() {
    use HeaderField::{Alg, MerchantId, MerchantIdText, Method, Uri};
    let header = |id: &str| {
        with_header(&format!(
            r#"{{"uri":"{PATH}","merchant_id":{id},"method":"POST","alg":"HS256"}}"#
        ))
    };
    let verified = |field, id: &str| {
        let form = JwsForm::new(Algorithm::Hs256, [Uri, field, Method, Alg]).unwrap();
        jws(form, "123456", "k1").verify(&header(id))
    };
    let wrong = Err(JwsError::Claim { field: "merchant_id" });
    assert_eq!(verified(MerchantId, "123456"), Ok(()));
    assert_eq!(verified(MerchantIdText, r#""123456""#), Ok(()));
    for id in [r#""123456""#, "123457", "123456.0", "1234560e-1", "0123456", "null"] {
        let expected = if id.starts_with('0') { Err(JwsError::Malformed) } else { wrong };
        assert_eq!(verified(MerchantId, id), expected, "{id}");
    }
    for id in ["123456", r#""123457""#, "null"] {
        assert_eq!(verified(MerchantIdText, id), wrong, "{id}");
    }
}

#[test]
fn a_header_that_is_not_one_object_of_distinct_names_is_refused() {
    for header in [
        format!(r#"{{{RIGHT},"uri":"{PATH}"}}"#),
        format!(r#"{{{RIGHT},"x":1,"\u0078":1}}"#),
        format!("[{{{RIGHT}}}]"),
        format!("{{{RIGHT}}} {{}}"),
        format!("{{{RIGHT}"),
        String::new(),
    ] {
        let verified = partner().verify(&with_header(&header));
        assert_eq!(verified, Err(JwsError::Malformed), "{header}");
    }
}

#[test]
fn one_signature_must_be_there_and_not_two() {
    let plain = request("POST", PATH, BODY);
    assert_eq!(partner().verify(&plain), Err(JwsError::NoSignature));
    let mut two = signed();
    let token = two.headers()[SIGNATURE].clone();
    two.headers_mut().append(SIGNATURE, token);
    assert_eq!(partner().verify(&two), Err(JwsError::Repeated));
}

#[test]
fn only_a_detached_token_in_its_one_writing_is_read() {
    let signed = signed();
    let token = signed.headers()[SIGNATURE].to_str().unwrap();
    assert_eq!(partner().verify(&signed), Ok(()));
    let (header, signature) = token.split_once("..").unwrap();
    let long = "A".repeat(8_193 - token.len());
    for wrong in [
        String::new(),
        ".".to_owned(),
        format!("{header}.{signature}"),
        format!("{header}...{signature}"),
        format!("{header}..{signature}."),
        format!("{header}..{signature}="),
        format!("{header}..{signature}\t"),
        format!("{header}==..{signature}"),
        format!("{header}.. {signature}"),
        format!("{header}..{long}{signature}"),
    ] {
        let request = with_token(request("POST", PATH, BODY), &wrong);
        assert_eq!(partner().verify(&request), Err(JwsError::Malformed), "{wrong}");
    }
    // Another last character stands for the same bytes in a reader that drops bits.
    let (most, last) = signature.split_at(signature.len() - 1);
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let next = &digits[digits.find(last).unwrap() + 1..][..1];
    let request = with_token(request("POST", PATH, BODY), &format!("{header}..{most}{next}"));
    assert_eq!(partner().verify(&request), Err(JwsError::Malformed));
}

#[test]
fn a_token_has_at_most_8192_bytes() {
    let token = |length: usize| format!("{}..{}", "A".repeat(length - 2 - 43), "A".repeat(43));
    let verified =
        |length| partner().verify(&with_token(request("POST", PATH, BODY), &token(length)));
    // What is read is refused because its signature is wrong.
    assert_eq!(verified(8_192), Err(JwsError::Signature));
    assert_eq!(verified(8_193), Err(JwsError::Malformed));
}

#[test]
fn another_key_body_or_algorithm_is_refused() {
    let signed = signed();
    let other_key = jws(JwsForm::partner(Algorithm::Hs256), "123456", "k2");
    assert_eq!(other_key.verify(&signed), Err(JwsError::Signature));
    // The verifier's algorithm counts, and not the one that the token names.
    let other_algorithm = jws(JwsForm::partner(Algorithm::Hs512), "123456", "k1");
    assert_eq!(other_algorithm.verify(&signed), Err(JwsError::Signature));
    let changed = signed.map(|_| Body::from(BODY.replace('1', "2").into_bytes()));
    assert_eq!(partner().verify(&changed), Err(JwsError::Signature));
}

#[test]
fn a_prefix_of_the_signature_is_refused() {
    let signed = signed();
    let token = signed.headers()[SIGNATURE].to_str().unwrap().to_owned();
    let (header, signature) = token.split_once("..").unwrap();
    let bytes = BASE64_URL.decode(signature).unwrap();
    for length in 0..bytes.len() {
        let short = format!("{header}..{}", BASE64_URL.encode(&bytes[..length]));
        let request = with_token(signed.clone(), &short);
        assert_eq!(partner().verify(&request), Err(JwsError::Signature), "{length} bytes");
    }
}

#[test]
fn a_url_with_a_query_is_neither_signed_nor_verified() {
    let query = request("POST", &format!("{PATH}?a=1"), BODY);
    assert!(matches!(partner().sign(query.clone()), Err(JwsError::Query)));
    let token = signed().headers()[SIGNATURE].to_str().unwrap().to_owned();
    assert_eq!(partner().verify(&with_token(query, &token)), Err(JwsError::Query));
}

#[test]
fn signing_replaces_an_old_signature_and_changes_nothing_else() {
    let mut request = with_token(request("POST", PATH, BODY), "old");
    request.headers_mut().insert("x-request-id", "7".parse().unwrap());
    let signed = partner().sign(request).unwrap();
    let tokens: Vec<_> = signed.headers().get_all(SIGNATURE).iter().collect();
    assert!(matches!(tokens[..], [token] if token != "old" && token.is_sensitive()), "{tokens:?}");
    assert_eq!(signed.headers()["x-request-id"], "7");
    assert_eq!(signed.uri().path(), PATH);
    assert_eq!(partner().verify(&signed), Ok(()));
}

#[test]
fn the_header_name_can_be_replaced() {
    let name = HeaderName::from_static("jws-signature");
    let form = JwsForm::partner(Algorithm::Hs256).with_header_name(name.clone());
    let signer = jws(form, "123456", "k1");
    let signed = signer.sign(request("POST", PATH, BODY)).unwrap();
    assert!(signed.headers().contains_key(&name) && !signed.headers().contains_key(SIGNATURE));
    assert_eq!(signer.verify(&signed), Ok(()));
    assert_eq!(partner().verify(&signed), Err(JwsError::NoSignature));
}

#[test]
fn a_form_has_each_field_once_and_signs_path_party_method_and_algorithm() {
    use HeaderField::{Alg, AuthId, MerchantId, MerchantIdText, Method, Params, Path, Uri};
    let new = |fields: &[HeaderField]| JwsForm::new(Algorithm::Hs256, fields);
    let repeated = |field| Err(JwsFormError::Repeated { field });
    let missing = |what| Err(JwsFormError::Missing { what });
    assert_eq!(new(&[Uri, Uri, AuthId, Method, Alg]), repeated("uri"));
    let both = [Uri, MerchantId, MerchantIdText, Method, Alg];
    assert_eq!(new(&both), repeated("merchant_id"));
    assert_eq!(new(&[AuthId, Method, Params, Alg]), missing("path"));
    assert_eq!(new(&[Uri, Method, Params, Alg]), missing("partner or merchant"));
    assert_eq!(new(&[Uri, AuthId, Params, Alg]), missing("method"));
    assert_eq!(new(&[Uri, AuthId, Method, Params]), missing("algorithm"));
    for party in [AuthId, MerchantId, MerchantIdText] {
        for path in [Uri, Path] {
            let form = new(&[Alg, path, party, Method]).unwrap();
            assert_eq!(form.fields(), [Alg, path, party, Method]);
            assert_eq!(form.algorithm(), Algorithm::Hs256);
        }
    }
}

#[test]
fn an_id_must_be_what_the_form_writes() {
    let key = JwsKey::new("k1").unwrap();
    let text = |id: &str| JwsSigner::new(JwsForm::partner(Algorithm::Hs256), id, &key).err();
    let number = |id: &str| JwsSigner::new(JwsForm::merchant(Algorithm::Hs256), id, &key).err();
    let longest = "1".repeat(128);
    for id in ["1", "a", "0123", "Ж", &longest] {
        assert_eq!(text(id), None, "{id}");
    }
    for id in ["", " ", "1\n", "a\u{200b}", &format!("{longest}1")] {
        assert_eq!(text(id), Some(JwsFormError::Party), "{id}");
    }
    for id in ["0", "7", "123456", "999999999999999999"] {
        assert_eq!(number(id), None, "{id}");
    }
    for id in ["a", "-1", "1.0", "0123", "00", "1e3", "1000000000000000000"] {
        assert_eq!(number(id), Some(JwsFormError::PartyNumber), "{id}");
    }
}

#[test]
fn an_id_with_quotes_is_written_as_json() {
    let signer = jws(JwsForm::partner(Algorithm::Hs256), "a\"b\\c/ж", "k1");
    let signed = signer.sign(request("POST", PATH, BODY)).unwrap();
    let token = signed.headers()[SIGNATURE].to_str().unwrap();
    let header = BASE64_URL.decode(token.split_once("..").unwrap().0).unwrap();
    assert_eq!(
        String::from_utf8(header).unwrap(),
        r#"{"uri":"/v5/partner/wallet/add","auth_id":"a\"b\\c/ж","method":"POST","params":"","alg":"HS256"}"#
    );
    assert_eq!(signer.verify(&signed), Ok(()));
}

#[test]
fn a_key_is_one_line_of_what_its_reader_sees() {
    for (key, why) in [
        ("", TextError::Blank),
        (" ", TextError::Blank),
        ("k\n", TextError::Lines),
        ("\tk", TextError::Invisible { line: 1, character: '\t' }),
        ("a\u{200b}b", TextError::Invisible { line: 1, character: '\u{200b}' }),
    ] {
        assert_eq!(JwsKey::new(key).err(), Some(KeyError(why)), "{key:?}");
    }
    assert!(JwsKey::new("ключ with spaces ").is_ok());
}
