//! The vectors of `pg_sig`: what must be made, what must verify, and what must not.

use std::collections::BTreeSet;

use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PgFields, PgSignError, PgSigner, PgVerifyError, Salt, Script,
};
use serde_json::Value;

use crate::support::{fields_of, named, script, shown, str_of, vectors};

const FILES: [&str; 2] =
    [include_str!("../fixtures/pg_sig.json"), include_str!("../fixtures/pg_sig-more.json")];

fn signer_of(vector: &Value) -> PgSigner {
    PgSigner::new().with_accepting(AcceptingKey::new(str_of(vector, "secret")).unwrap())
}

/// The script of a vector, without the rule for URLs: some vectors are about scripts that it
/// refuses.
fn script_of(vector: &Value) -> Script {
    vector["script"].as_str().map_or_else(Script::absent, Script::exactly)
}

/// The fields of a vector without its salt, and the salt.
fn unsalted(vector: &Value) -> (PgFields, Option<String>) {
    let (salt, fields): (Vec<_>, Vec<_>) =
        vector["fields"].as_array().unwrap().iter().cloned().partition(|it| it[0] == "pg_salt");
    let salt = salt.first().map(|pair| pair[1].as_str().unwrap().to_owned());
    (fields_of(&fields.into()), salt)
}

#[test]
fn each_vector_verifies() {
    let all = vectors(FILES);
    for vector in &all {
        let received = fields_of(&vector["fields"]).with("pg_sig", str_of(vector, "pg_sig"));
        let signer = signer_of(vector);
        let verified = signer.verify(Account::Accepting, &script_of(vector), received);
        assert!(verified.is_ok(), "{}: {verified:?}", vector["id"]);
    }
    assert_eq!(all.len(), 33);
}

#[test]
fn each_vector_that_may_be_sent_is_signed_as_it_stands() {
    let mut refused = Vec::new();
    let mut seen = 0;
    for vector in vectors(FILES) {
        let id = str_of(&vector, "id").to_owned();
        let (fields, salt) = unsalted(&vector);
        let Some(salt) = salt else { continue };
        let salt = Salt::new(salt).unwrap();
        let signer = signer_of(&vector);
        match signer.sign(Account::Accepting, &script_of(&vector), fields, &salt) {
            Ok(signed) => {
                assert_eq!(signed.pg_sig(), str_of(&vector, "pg_sig"), "{id}");
                seen += 1;
            }
            Err(error) => refused.push((id, error)),
        }
    }
    let empty = |name: &str| PgSignError::Empty { name: name.to_owned() };
    let expected = [
        ("empty-value-kept", empty("pg_order_id")),
        ("receipt-twelve", PgSignError::Ambiguous),
        ("xml-nested-repeated", PgSignError::Repeated { name: "pg_refund_payment".to_owned() }),
        ("xml-escapes", empty("pg_empty")),
    ];
    assert_eq!(refused, expected.map(|(id, error)| (id.to_owned(), error)));
    assert_eq!(seen, 25);
}

#[test]
fn the_other_readings_are_not_accepted() {
    let mut seen = 0;
    for vector in vectors(FILES) {
        for (reading, other) in vector["other_readings"].as_object().into_iter().flatten() {
            let received = fields_of(&vector["fields"]).with("pg_sig", str_of(other, "pg_sig"));
            let signer = signer_of(&vector);
            let verified = signer.verify(Account::Accepting, &script_of(&vector), received);
            assert_eq!(
                verified.err(),
                Some(PgVerifyError::Signature),
                "{} {reading}",
                vector["id"]
            );
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen}");
}

#[test]
fn each_message_is_read_from_the_wire_and_verifies() {
    let more: Value = serde_json::from_str(FILES[1]).unwrap();
    let mut forms = BTreeSet::new();
    for vector in more["vectors"].as_array().unwrap() {
        let wire = str_of(vector, "wire").as_bytes();
        let read = match str_of(vector, "form") {
            "form" => PgFields::from_form(wire),
            "json" => PgFields::from_json(wire),
            "xml" => PgFields::from_xml(wire),
            other => panic!("{other}"),
        };
        forms.insert(str_of(vector, "form").to_owned());
        let id = str_of(vector, "id");
        let read = read.unwrap_or_else(|error| panic!("{id}: {error}"));
        let signer = signer_of(vector);
        let verified = signer.verify(Account::Accepting, &script_of(vector), read).unwrap();
        let fields: Value =
            verified.iter().map(|(name, it)| Value::from(vec![name.into(), shown(it)])).collect();
        assert_eq!(fields, vector["fields"], "{id}");
    }
    assert_eq!(forms.len(), 3);
}

#[test]
fn each_message_that_must_not_verify_is_refused() {
    let file: Value = serde_json::from_str(FILES[0]).unwrap();
    let all = vectors(FILES);
    let cases = file["must_not_verify"].as_array().unwrap();
    let mut seen = BTreeSet::new();
    for case in cases.iter().chain(file["may_verify"].as_array().unwrap()) {
        let id = str_of(case, "id");
        let base = named(&all, str_of(case, "based_on"));
        let mut pairs = base["fields"].as_array().unwrap().clone();
        for (name, value) in case["change"].as_object().into_iter().flatten() {
            let pair = pairs.iter_mut().find(|pair| pair[0] == name.as_str()).unwrap();
            pair[1] = value.clone();
        }
        let fields = fields_of(&pairs.into());
        let received = match (case["pg_sig"].as_str(), id) {
            (Some(signature), _) => fields.with("pg_sig", signature),
            (None, "neg-missing-sig") => fields,
            (None, _) => fields.with("pg_sig", str_of(&base, "pg_sig")),
        };
        let expected = match id {
            "neg-missing-sig" => PgVerifyError::NoSignature,
            // Upper case may be accepted. The vendor writes lower case, and this crate accepts it
            // alone.
            "neg-empty-sig" | "neg-trailing-garbage" | "neg-prefix" | "acc-upper-case-hex" => {
                PgVerifyError::Malformed
            }
            _ => PgVerifyError::Signature,
        };
        let verified = signer_of(&base).verify(Account::Accepting, &script("result"), received);
        assert_eq!(verified.err(), Some(expected), "{id}");
        seen.insert(id.to_owned());
    }
    assert_eq!(seen.len(), 16);
}
