//! Laws over random messages: what is signed verifies, and what is changed does not.

use http::Request;
use imts_core::secret::Body;
use imts_core::sign::jws::{Algorithm, JwsForm};
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PgFields, PgSignError, PgSigner, PgValue, Salt, XmlRoot,
};
use proptest::prelude::*;

use crate::support::{SIGNATURE, jws, script};

fn signer(key: &str) -> PgSigner {
    PgSigner::new().with_accepting(AcceptingKey::new(key).unwrap())
}

fn key() -> impl Strategy<Value = String> {
    "[ -~а-я]{0,60}[a-z]"
}

/// A name, some of which go on where others end.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("pg_amount".to_owned()),
        Just("pg_param1".to_owned()),
        Just("pg_param10".to_owned()),
        "[a-c]{1,2}[0-1]{0,2}"
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just("1".to_owned()), "[^\\pC]{1,12}", "[;&<%+\" \\r\\n]{1,4}"]
}

fn value() -> impl Strategy<Value = PgValue> {
    let leaf = prop_oneof![
        3 => text().prop_map(PgValue::from),
        1 => any::<i64>().prop_map(PgValue::from),
    ];
    leaf.prop_recursive(3, 40, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..12).prop_map(PgValue::from),
            prop::collection::vec((name(), inner), 1..5).prop_map(|it| fields(it).into()),
        ]
    })
}

/// The pairs whose names are distinct.
fn fields(pairs: Vec<(String, PgValue)>) -> PgFields {
    let mut names: Vec<String> = Vec::new();
    pairs.into_iter().fold(PgFields::new(), |fields, (name, value)| {
        if names.contains(&name) {
            return fields;
        }
        names.push(name.clone());
        fields.with(name, value)
    })
}

fn message() -> impl Strategy<Value = PgFields> {
    prop::collection::vec((name(), value()), 0..6).prop_map(fields)
}

/// A second opinion on the three readings: each level as pairs of a name and its values in order.
mod readings {
    use super::PgValue;

    /// Every value with its way from the top: names and places.
    fn ways<'a>(
        value: &'a PgValue,
        way: &[(String, usize)],
        all: &mut Vec<(Vec<(String, usize)>, &'a str)>,
    ) {
        match value.as_text() {
            Some(text) => all.push((way.to_vec(), text)),
            None => {
                for (place, (name, inner)) in value.inner().into_iter().enumerate() {
                    ways(inner, &[way, &[(name.into_owned(), place + 1)]].concat(), all);
                }
            }
        }
    }

    fn sorted<K: Ord>(value: &PgValue, key: impl Fn(&[(String, usize)]) -> K) -> Vec<&str> {
        let mut all = Vec::new();
        ways(value, &[], &mut all);
        all.sort_by_key(|(way, _)| key(way));
        all.into_iter().map(|(_, text)| text).collect()
    }

    pub(super) fn agree(value: &PgValue) -> bool {
        let sample = sorted(value, |way| {
            way.iter().map(|(name, place)| format!("{name}{place:03}")).collect::<String>()
        });
        let on_the_wire = sorted(value, |way| {
            let inside = way[1..].iter().map(|(name, _)| format!("[{name}]"));
            way[0].0.clone() + &inside.collect::<String>()
        });
        let by_level = sorted(value, <[_]>::to_vec);
        sample == on_the_wire && sample == by_level
    }
}

proptest! {
    #[test]
    fn a_signed_request_verifies_and_one_changed_bit_does_not(
        key in key(),
        party in "[a-zA-Z0-9\"\\\\/ж]{1,20}",
        path in "/[a-z0-9/_.-]{0,30}",
        body in prop::collection::vec(any::<u8>(), 0..200),
        is_long in any::<bool>(),
        flip in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let algorithm = if is_long { Algorithm::Hs512 } else { Algorithm::Hs256 };
        let signer = jws(JwsForm::partner(algorithm), &party, &key);
        let url = format!("https://service.example{path}");
        let request = Request::post(url).body(Body::from(body.clone())).unwrap();
        let signed = signer.sign(request).unwrap();
        prop_assert_eq!(signer.verify(&signed), Ok(()));
        let other = jws(JwsForm::partner(algorithm), &party, &format!("{key}x"));
        prop_assert!(other.verify(&signed).is_err());
        // A bit of the body.
        if !body.is_empty() {
            let mut changed = body.clone();
            changed[flip.index(body.len())] ^= 1 << bit;
            prop_assert!(signer.verify(&signed.clone().map(|_| Body::from(changed))).is_err());
        }
        // A bit of the token.
        let mut token = signed.headers()[SIGNATURE].as_bytes().to_vec();
        let at = flip.index(token.len());
        token[at] ^= 1 << bit;
        if let Ok(token) = http::HeaderValue::from_bytes(&token) {
            let mut changed = signed;
            changed.headers_mut().insert(SIGNATURE, token);
            prop_assert!(signer.verify(&changed).is_err());
        }
    }

    #[test]
    fn a_signed_message_verifies_in_each_form_and_one_changed_bit_does_not(
        key in key(),
        message in message(),
        salt in "[a-z]{1,16}",
        flip in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let (signer, script) = (signer(&key), script("result"));
        let value = PgValue::from(message.clone().with("pg_salt", salt.as_str()));
        let signed = signer.sign(Account::Accepting, &script, message, &Salt::new(salt).unwrap());
        let signed = match signed {
            Ok(signed) => signed,
            Err(PgSignError::Ambiguous) => {
                prop_assert!(!readings::agree(&value), "{value:?}");
                return Ok(());
            }
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert!(readings::agree(&value), "{value:?}");
        let verifies = |fields| signer.verify(Account::Accepting, &script, fields);
        let form = signed.to_form();
        prop_assert!(verifies(PgFields::from_form(form.as_ref()).unwrap()).is_ok());
        let json = signed.to_json().unwrap();
        prop_assert!(verifies(PgFields::from_json(json.as_ref()).unwrap()).is_ok());
        match signed.to_xml(XmlRoot::Request) {
            Ok(xml) => prop_assert!(verifies(PgFields::from_xml(xml.as_ref()).unwrap()).is_ok()),
            Err(error) => {
                let is_unfit = matches!(error, PgSignError::NotXml { .. });
                prop_assert!(is_unfit, "{error}");
            }
        }
        // A change of a value's bit. A name's may keep the order, so names are left alone.
        let mut changed = form.as_ref().to_vec();
        let at = flip.index(changed.len());
        changed[at] ^= 1 << bit;
        let is_in_value = form.as_ref()[..at].iter().rev().find(|it| b"=&".contains(*it)) == Some(&b'=')
            && form.as_ref()[at] != b'&' && changed[at] != b'&';
        let is_escape = form.as_ref()[at.saturating_sub(2)..=at].contains(&b'%');
        if is_in_value && !is_escape && let Ok(fields) = PgFields::from_form(&changed) {
            prop_assert!(verifies(fields).is_err(), "{}", String::from_utf8_lossy(&changed));
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,100}") {
        for input in [bytes.as_slice(), text.as_bytes()] {
            for read in [PgFields::from_form, PgFields::from_json, PgFields::from_xml] {
                let _ = read(input);
            }
        }
    }
}
