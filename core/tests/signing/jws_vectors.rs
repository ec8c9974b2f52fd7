//! The vectors of the detached JWS: what must be made, what must verify, and what must not.

use std::collections::BTreeSet;

use http::Request;
use imts_core::secret::Body;
use imts_core::sign::jws::{Algorithm, JwsError, JwsForm, JwsSigner};
use serde_json::Value;

use crate::support::{
    SIGNATURE, algorithm, form_of, jws, named, request, str_of, vectors, with_token,
};

const FILES: [&str; 2] =
    [include_str!("../fixtures/jws.json"), include_str!("../fixtures/jws-more.json")];

struct Known {
    signer: JwsSigner,
    request: Request<Body>,
    token: String,
    /// Whether the header names another algorithm than that of the signature.
    is_mislabelled: bool,
}

fn known(vector: &Value) -> Known {
    let header = str_of(vector, "header");
    let (form, party) = form_of(header, algorithm(str_of(vector, "alg")));
    let fields: Value = serde_json::from_str(header).unwrap();
    let path = fields["uri"].as_str().or(fields["path"].as_str()).unwrap();
    let method = fields["method"].as_str().unwrap();
    Known {
        signer: jws(form, &party, str_of(vector, "key")),
        request: request(method, path, str_of(vector, "body")),
        token: str_of(vector, "x_jws_signature").to_owned(),
        is_mislabelled: fields["alg"] != vector["alg"],
    }
}

fn token_of(request: &Request<Body>) -> &str {
    request.headers()[SIGNATURE].to_str().unwrap()
}

#[test]
fn each_vector_is_signed_byte_for_byte_and_verifies() {
    let all = vectors(FILES);
    let (mut signed, mut mislabelled) = (0, 0);
    for vector in &all {
        let Known { signer, request, token, is_mislabelled } = known(vector);
        let verified = signer.verify(&with_token(request.clone(), &token));
        if is_mislabelled {
            // The signature is right, or this would be `JwsError::Signature`.
            assert_eq!(verified, Err(JwsError::Claim { field: "alg" }), "{}", vector["id"]);
            mislabelled += 1;
            continue;
        }
        assert_eq!(verified, Ok(()), "{}", vector["id"]);
        let own = signer.sign(request.clone()).unwrap();
        assert_eq!(token_of(&own), token, "{}", vector["id"]);
        assert_eq!(own.body().as_ref(), request.body().as_ref(), "{}", vector["id"]);
        signed += 1;
    }
    assert_eq!((signed, mislabelled, all.len()), (19, 2, 21));
}

#[test]
fn a_printed_signature_that_is_not_that_of_its_page_does_not_verify() {
    let mut seen = 0;
    for vector in vectors(FILES) {
        let Some(printed) = vector["printed_signature"].as_str() else { continue };
        if vector["origin"] == "published" {
            assert!(str_of(&vector, "signature") == printed, "{}", vector["id"]);
            continue;
        }
        let Known { signer, request, token, .. } = known(&vector);
        let (header, own) = token.split_once("..").unwrap();
        assert_ne!(own, printed, "{}", vector["id"]);
        let printed = with_token(request, &format!("{header}..{printed}"));
        assert_eq!(signer.verify(&printed), Err(JwsError::Signature), "{}", vector["id"]);
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn each_vector_that_must_not_verify_is_refused_for_its_own_reason() {
    let file: Value = serde_json::from_str(FILES[0]).unwrap();
    let all = vectors(FILES);
    let base = |id: &str| known(&named(&all, id));
    let mut seen = BTreeSet::new();
    for case in file["must_not_verify"].as_array().unwrap() {
        let id = str_of(case, "id");
        let (known, token, error) = match id {
            "neg-body-reserialised" => {
                let mut known = base("spaced");
                *known.request.body_mut() = Body::from(str_of(case, "body").as_bytes().to_vec());
                let token = known.token.clone();
                (known, token, JwsError::Signature)
            }
            "neg-uri" => {
                let mut known = base(str_of(case, "based_on"));
                *known.request.uri_mut() = str_of(case, "called").parse().unwrap();
                let token = known.token.clone();
                (known, token, JwsError::Claim { field: "uri" })
            }
            "neg-method" => {
                let mut known = base(str_of(case, "based_on"));
                *known.request.method_mut() = str_of(case, "called").parse().unwrap();
                let token = known.token.clone();
                (known, token, JwsError::Claim { field: "method" })
            }
            "neg-alg-none" => {
                let token = str_of(case, "x_jws_signature").to_owned();
                (base("empty-object-body"), token, JwsError::Signature)
            }
            "neg-three-part" | "neg-one-dot" => {
                let token = str_of(case, "x_jws_signature").to_owned();
                (base("card-api-status-hs512"), token, JwsError::Malformed)
            }
            "neg-truncated" => {
                let token = str_of(case, "x_jws_signature").to_owned();
                (base("card-api-status-hs512"), token, JwsError::Malformed)
            }
            "neg-standard-base64" => {
                let known = base(str_of(case, "based_on"));
                let token = known.token.replace('-', "+").replace('_', "/");
                assert_ne!(token, known.token);
                (known, token, JwsError::Malformed)
            }
            other => panic!("{other} is a new case"),
        };
        let verified = known.signer.verify(&with_token(known.request, &token));
        assert_eq!(verified, Err(error), "{id}");
        seen.insert(id.to_owned());
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn the_printed_forms_are_those_of_the_constructors() {
    let all = vectors(FILES);
    let form = |id: &str| {
        let vector = named(&all, id);
        form_of(str_of(&vector, "header"), algorithm(str_of(&vector, "alg"))).0
    };
    assert_eq!(form("g2g-create-hs256"), JwsForm::partner(Algorithm::Hs256));
    assert_eq!(form("card-api-status-hs512"), JwsForm::partner(Algorithm::Hs512));
    assert_eq!(
        form("card-api-info-hs256-key-unprinted"),
        JwsForm::partner_with_typ(Algorithm::Hs256)
    );
    assert_eq!(form("merchant-invoice-init-hs512"), JwsForm::merchant(Algorithm::Hs512));
}
