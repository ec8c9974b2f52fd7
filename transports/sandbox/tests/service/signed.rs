//! The signed services: each operation by the core's signer, and what the sandbox refuses.

mod conformance;
mod engine;
mod faults;
mod menu;
mod pg;
mod repeats;
mod settings;
mod shop;
mod socket;
mod vectors;

use http::{Method, Request, Response};
use imts_core::secret::Body;
use imts_core::sign::jws::{Algorithm, JwsForm, JwsKey, JwsSigner};
use imts_core::sign::pg_sig::{
    AcceptingKey, Account, PayoutKey, PgFields, PgSigner, Salt, Script, SignedFields, XmlRoot,
};
use imts_sandbox::{
    DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET, DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET,
    DEFAULT_PAYOUT_SECRET, Operation, Sandbox, Time, Verdict,
};
use serde_json::Value;

/// An id that a request may have.
pub(crate) const ID: &str = "828cf71d-a447-4a67-a149-c1df8bc197ca";
pub(crate) const OTHER_ID: &str = "01953bd1-a6d3-739e-8aa3-83e881f09055";

/// Which party signs, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Partner(Algorithm),
    PartnerWithTyp,
    Async,
    Invoice,
}

impl Signer {
    pub(crate) fn signer(self) -> JwsSigner {
        let (form, id, key) = match self {
            Self::Partner(algorithm) => {
                (JwsForm::partner(algorithm), DEFAULT_PARTNER, DEFAULT_PARTNER_SECRET)
            }
            Self::PartnerWithTyp => (
                JwsForm::partner_with_typ(Algorithm::Hs256),
                DEFAULT_PARTNER,
                DEFAULT_PARTNER_SECRET,
            ),
            Self::Async => {
                (JwsForm::partner(Algorithm::Hs256), DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET)
            }
            Self::Invoice => {
                (JwsForm::merchant(Algorithm::Hs512), DEFAULT_MERCHANT, DEFAULT_MERCHANT_SECRET)
            }
        };
        JwsSigner::new(form, id, &JwsKey::new(key).unwrap()).unwrap()
    }

    /// A signed request with this body. `null` is no body.
    pub(crate) fn request(self, method: Method, path: &str, body: &Value) -> Request<Vec<u8>> {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = match self {
            Self::Async => request
                .header("x-request-id", body["order_id"].as_str().map_or(ID, |_| ID))
                .header("x-action", "gateway.payment.status"),
            _ if path.contains("/invoices/") => request.header("x-request-id", ID),
            _ => request,
        };
        let signed = self.signer().sign(request.body(Body::from(bytes)).unwrap()).unwrap();
        signed.map(|body| body.as_ref().to_vec())
    }

    pub(crate) fn post(self, path: &str, body: &Value) -> Request<Vec<u8>> {
        self.request(Method::POST, path, body)
    }
}

/// The signer of the default merchant's form messages.
pub(crate) fn merchant() -> PgSigner {
    PgSigner::new()
        .with_accepting(AcceptingKey::new(DEFAULT_MERCHANT_SECRET).unwrap())
        .with_payouts(PayoutKey::new(DEFAULT_PAYOUT_SECRET).unwrap())
}

/// Fields of the default merchant.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> PgFields {
    let fields = PgFields::new().with("pg_merchant_id", DEFAULT_MERCHANT);
    pairs.iter().fold(fields, |fields, (name, value)| fields.with(*name, *value))
}

pub(crate) fn sign(account: Account, path: &str, fields: PgFields) -> SignedFields {
    let script = Script::of(&format!("http://sandbox{path}")).unwrap();
    merchant().sign(account, &script, fields, &Salt::new("molbulak").unwrap()).unwrap()
}

/// A form request with these fields.
pub(crate) fn form(account: Account, path: &str, fields: PgFields) -> Request<Vec<u8>> {
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("host", "127.0.0.1:8080")
        .body(sign(account, path, fields).to_form().as_ref().to_vec())
        .unwrap()
}

/// The same as one field with XML.
pub(crate) fn xml(account: Account, path: &str, fields: PgFields) -> Request<Vec<u8>> {
    let document = sign(account, path, fields).to_xml(XmlRoot::Request).unwrap();
    let document = String::from_utf8(document.as_ref().to_vec()).unwrap();
    let outer = PgFields::new().with("pg_xml", document.as_str());
    let encoded = String::from_utf8(sign(account, path, outer).to_form().as_ref().to_vec());
    let encoded = encoded.unwrap();
    let only = encoded.split('&').find(|pair| pair.starts_with("pg_xml=")).unwrap();
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(only.as_bytes().to_vec())
        .unwrap()
}

/// A reply's fields, after its signature was verified by the core with the script of the path.
pub(crate) fn verified(account: Account, path: &str, response: &Response<Vec<u8>>) -> Value {
    let script = Script::of(&format!("http://sandbox{path}")).unwrap();
    let received = PgFields::from_xml(response.body()).unwrap();
    let verified = merchant().verify(account, &script, received).unwrap();
    verified
        .iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value.as_text().unwrap())))
        .collect()
}

pub(crate) fn named(name: &str) -> Operation {
    name.parse().unwrap()
}

pub(crate) fn verdict(service: &Sandbox) -> Verdict {
    service.log().last().unwrap().verdict
}

/// What a service answers to a request at this time, and why.
pub(crate) fn asked(
    service: &mut Sandbox,
    now: Time,
    request: &Request<Vec<u8>>,
) -> (Verdict, Response<Vec<u8>>) {
    let response = service.handle(now, request);
    (verdict(service), response)
}
